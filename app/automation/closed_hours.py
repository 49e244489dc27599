"""One automatic text for a message that comes while a business is closed.

Three may have one for it: an automation that answers, the out-of-office reply of Business hours, and a greeting such as
a welcome. The first of these that has one writes, and the others don't.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence

from flask_babel import gettext as _
from sqlalchemy import or_, select

from app.entry_points.models import EntryTouch
from app.inbox.conversations import Conversation, Message
from app.inbox.inbound.out_of_office import answers_messages
from app.tenancy import db
from app.words import N_

from .blueprint import bp
from .engine import reason_against, rows_of
from .models import Automation, AutomationRun, AutomationVersion, triggers_of
from .parts import Names, Step
from .steps import Branch
from .turns import Turn

# After these the text is no answer to the message any more, or there is none.
LATER = ("wait", "wait_hours", "wait_reply", "end")


@answers_messages
def answered_by_automations(messages: Sequence[Message]) -> set[uuid.UUID]:
    """Those that an automation answers, or has answered, by what they say or how they came; greetings are no answer."""
    rules = Automation.listening(triggers_of("message.received") | triggers_of("entry_point.touched"))
    if not rules:
        return set()
    ids = [one.id for one in messages]
    conversations, names = rows_of(Conversation, (one.conversation_id for one in messages)), Names()
    came = db.session.scalars(select(EntryTouch).where(EntryTouch.message_id.in_(ids)))
    touches = {one.message_id: one for one in came}
    answered = set()
    for message in messages:
        if (conversation := conversations.get(message.conversation_id)) is None or conversation.is_group:
            continue
        turns = [Turn(conversation, message, happening="message.received", names=names)]
        if touch := touches.get(message.id):
            turns.append(turn_of(touch, conversation, names))
        began = begun_with(message)
        if any(is_answered(turn, rules, began) for turn in turns):
            answered.add(message.id)
    return answered


def begun_with(message: Message) -> set[uuid.UUID]:
    """The automations that have begun with a message, or with how it came: such a run names no message."""
    here = AutomationRun.conversation_id == message.conversation_id, AutomationRun.started_at >= message.occurred_at
    its = AutomationRun.message_id == message.id, AutomationRun.message_id.is_(None)
    return set(db.session.scalars(select(AutomationRun.automation_id).where(*here, or_(*its))))


def turn_of(touch: EntryTouch, conversation: Conversation, names: Names) -> Turn:
    """How the customer came, as automations get it."""
    kind = touch.about.type if touch.about else "entry_point"
    facts = {"entry_point_id": touch.entry_point_id, "is_first": touch.is_first, "type": kind}
    return Turn(conversation, happening="entry_point.touched", facts=facts, names=names)


def is_answered(turn: Turn, rules: Iterable[tuple[Automation, AutomationVersion]], began: set[uuid.UUID]) -> bool:
    """In the order of the automations, up to one that stops there, as the engine decides."""
    listening = triggers_of(turn.happening)
    for automation, version in rules:
        definition = version.definition
        if automation.trigger_kind not in listening or definition.is_greeting:
            continue
        turn.automation = automation
        against = None if automation.id in began else reason_against(turn, automation, version)
        # Who had its words for closed hours before isn't to get another version of them now.
        had_it = against is not None and against["why"] == "repeated" and definition.is_for_closed
        if (against is None or had_it) and will_write(definition.steps, turn):
            return True
        if against is None and automation.stops:
            return False
    return False


def will_write(steps: Iterable[Step], turn: Turn) -> bool:
    """Whether these steps send something at once, to this customer now."""
    for one in steps:
        if one.writes:
            return True
        if one.kind in LATER:
            return False
        if isinstance(one, Branch) and will_write(one.yes if one.conditions.failure(turn) is None else one.no, turn):
            return True
    return False


BESIDE = {
    "closed": N_(
        "“%(name)s” also replies while you are closed. Customers get only one: the automation's text where it replies, "
        "else the one above."
    ),
    "greeting": N_("While you are closed, customers get this instead of the text of “%(name)s”."),
}


@bp.app_template_global()
def automations_out_of_office() -> list[tuple[Automation, str]]:
    """The automations that are on and write to those who get the out-of-office reply, with who gets which."""
    beside = []
    for automation, version in Automation.listening(triggers_of("message.received")):
        if version.definition.is_for_closed:
            beside.append((automation, str(_(BESIDE["closed"], name=automation.name))))
        elif version.definition.is_greeting:
            beside.append((automation, str(_(BESIDE["greeting"], name=automation.name))))
    return beside
