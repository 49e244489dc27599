"""What automations do with forms (WhatsApp Flows) and with the assistant, and what they begin with there."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, ClassVar, Literal

from flask_babel import gettext as _
from sqlalchemy import select

from app.assistant.assistant import Assistant
from app.assistant.engagements import begin_turns
from app.meta.outgoing import Outgoing, Refused
from app.tenancy import as_uuid, db
from app.whatsapp_flows.models import WhatsappFlow
from app.words import N_

from .parts import Miss, Names, Step, Trigger, entry, ref
from .steps import VARIABLES, SendingStep, short
from .turns import Outcome, Turn

MOST_FORMS = 500
NO_FORM = N_("The form is not published for this number.")
ASSISTANT_OFF = N_("The assistant is off, so people have to answer.")


@Names.source("forms")
def forms() -> dict[str, str]:
    return {str(form.id): form.name for form in db.session.scalars(WhatsappFlow.listed().limit(MOST_FORMS))}


class SendForm(SendingStep):
    kind: Literal["form"] = "form"
    title: ClassVar[str] = N_("Send a form")
    needs_window: ClassVar[bool] = True
    form: str = ref(N_("Form"), "forms")
    text: str = entry(N_("Text"), most=1_024, area=True, hint=VARIABLES, spoken=True)
    button: str = entry(N_("Label of the button that opens the form"), most=30, spoken=True, filled=False)

    def compose(self, turn: Turn) -> Outgoing:
        form = WhatsappFlow.find(as_uuid(self.form))
        version = form.sendable if form else None
        if version is None or form is None or form.waba_id != turn.conversation.phone_number.waba_id:
            raise Refused(NO_FORM)
        return version.message(turn.fill(self.text), self.button)

    def sentence(self, names: Names) -> str:
        return str(
            _("Send the form “%(name)s” with “%(text)s”", name=names.of("forms", self.form), text=short(self.text))
        )


class FormSent(Trigger):
    kind: Literal["form_sent"] = "form_sent"
    title: ClassVar[str] = N_("A customer sends a form")
    group: ClassVar[str] = N_("Messages")
    happenings: ClassVar[tuple[str, ...]] = ("flow.completed",)
    is_conversational: ClassVar[bool] = True
    opens_window: ClassVar[bool] = True
    form: str = ref(N_("Form"), "forms", needed=False, none=N_("Any form"))

    def matches(self, turn: Any) -> Miss | None:
        sent = as_uuid(turn.facts.get("flow_id"))
        return None if not self.form or sent == as_uuid(self.form) else Miss(name_of(sent))

    def sentence(self, names: Names) -> str:
        if self.form:
            return str(_("When a customer sends the form “%(name)s”", name=names.of("forms", self.form)))
        return str(_("When a customer sends a form"))


def name_of(form_id: uuid.UUID | None) -> str:
    return db.session.scalar(select(WhatsappFlow.name).where(WhatsappFlow.id == form_id)) or ""


class HandToAssistant(Step):
    """The assistant answers the customer's last message, if no one has, and goes on from there within its limits."""

    kind: Literal["assistant"] = "assistant"
    title: ClassVar[str] = N_("Hand to the assistant")
    group: ClassVar[str] = N_("Conversation")

    def do(self, turn: Turn) -> Outcome:
        assert turn.automation
        assistant, conversation = Assistant.current(), turn.conversation
        if assistant is None or assistant.mode == "off" or assistant.version is None:
            conversation.hand_over(by=turn.automation.actor)
            return Outcome("done", ends="handed_over", words=ASSISTANT_OFF)
        if conversation.take(by=assistant.actor(assistant.version.setup)):
            begin_turns([conversation.id], dt.timedelta())
        return Outcome("done", ends="assistant")

    def sentence(self, names: Names) -> str:
        return str(_("Hand to the assistant"))
