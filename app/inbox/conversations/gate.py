"""The gate: what may be sent to a customer now. Every sender passes it, without exception.

Checked when a message is put into the outbox (`Conversation.send`), and again when a scheduled one is due.
The answer is data; pages make the words (`compose.problems`); a message
that is in the outbox already keeps AS_ERROR.
"""

from __future__ import annotations

import functools
import uuid
from collections.abc import Sequence
from typing import Any

from app.billing.balances import Balance
from app.billing.holds import ReplyCount
from app.contacts.consents import Consent
from app.message_templates.direct_send import DirectSendAccess
from app.message_templates.models import MessageTemplate
from app.message_templates.samples import TemplateSample
from app.meta.outgoing import content_of
from app.meta.payload import mapping
from app.meta.template_direct_send import problems_of_direct_send
from app.meta.template_problems import WORDS
from app.meta.template_sending import problems_of_sending, samples_in, with_samples
from app.tenancy import Actor, now
from app.words import N_

from .number_desks import NumberDesk
from .refusals import (
    Blocked,
    BusinessClosed,
    Erased,
    GroupIsReadOnly,
    MarkedSpam,
    NoDirectSend,
    NotFunded,
    NumberUnavailable,
    Refusal,
    TooLate,
    Unsubscribed,
    WindowClosed,
    WrongTemplate,
)
from .underway import TEMPLATE_PATIENCE, Later

NO_TEMPLATE = N_("The account of this number has no template “{name}” in this language. Choose another one.")
NO_SAMPLE = N_("A picture or video of the template “{name}” is not stored here. Choose the file again.")
WRONG_FILE = N_("The template “{name}” starts with another kind of file.")


class Lookups:
    """What gates read from the database, each thing once, for one conversation or many."""

    def __init__(self) -> None:
        self.templates: dict[tuple[uuid.UUID, str, str], MessageTemplate | None] = {}
        self.consents: dict[uuid.UUID, dict[str, Consent]] = {}
        self.desks: dict[uuid.UUID, NumberDesk] = {}

    @functools.cached_property
    def balance(self) -> Balance | None:
        return Balance.current()

    def template(self, waba_id: uuid.UUID, raw: dict[str, Any]) -> MessageTemplate | None:
        """The template that a message names."""
        key = waba_id, str(raw.get("name")), str(mapping(raw.get("language")).get("code"))
        if key not in self.templates:
            self.templates[key] = MessageTemplate.sent_as(waba_id, raw)
        return self.templates[key]

    def load_consents(self, contact_ids: Sequence[uuid.UUID]) -> None:
        self.consents |= Consent.latest_of(contact_ids)

    def consents_of(self, contact_id: uuid.UUID) -> dict[str, Consent]:
        if contact_id not in self.consents:
            self.load_consents([contact_id])
        return self.consents[contact_id]

    def desk(self, phone_number_id: uuid.UUID) -> NumberDesk:
        if phone_number_id not in self.desks:
            self.desks[phone_number_id] = NumberDesk.of(phone_number_id)
        return self.desks[phone_number_id]


class Gate:
    """Of one conversation. Reads only."""

    def __init__(self, conversation: Any, lookups: Lookups | None = None) -> None:
        self.conversation = conversation
        self.lookups = lookups or Lookups()

    def check(
        self,
        type: str,
        raw: dict[str, Any],
        *,
        by: Actor | None,
        later: Later | None = None,
        file_kind: str = "",
        direct: dict[str, Any] | None = None,
    ) -> None:
        """Raises the `Refusal`, if there is one."""
        if refusal := self.refusal(type, raw, by=by, later=later, file_kind=file_kind, direct=direct):
            raise refusal

    def refusal(
        self,
        type: str,
        raw: dict[str, Any],
        *,
        by: Actor | None,
        later: Later | None = None,
        file_kind: str = "",
        direct: dict[str, Any] | None = None,
    ) -> Refusal | None:
        """Why a message of this type and content may not go, or none. One for later may still find the window open.

        `file_kind` is what its file is, which gets Meta's id on the way. `direct` is the body of a message that goes
        by Direct Send.
        """
        conversation = self.conversation
        if conversation.is_group:
            return GroupIsReadOnly()
        if self.lookups.balance and self.lookups.balance.is_closed:
            return BusinessClosed()
        if not conversation.phone_number.takes_messages:
            return NumberUnavailable()
        if conversation.state == "blocked":
            return Blocked()
        # Whoever is erased has no open window.
        if not conversation.window_is_open and conversation.contact.is_erased:
            return Erased()
        if conversation.state == "spam" and not (by and by.is_person):
            return MarkedSpam()
        if (
            by
            and by.is_automatic
            and (refusal := conversation.refusal_of_automation(self.lookups.desk(conversation.phone_number_id)))
        ):
            return refusal  # type: ignore[no-any-return]
        if direct:
            refusal = self.refusal_of_direct_send(direct) or self.refusal_of_fallback(later)
            return refusal or self.refusal_of_funds(direct["category"])
        if type != "template":
            closed = not later and not conversation.window_is_open
            refusal = WindowClosed() if closed else self.refusal_of_fallback(later)
            return refusal or (None if type == "reaction" else self.refusal_of_funds("service"))
        refusal = self.refusal_of_template(raw) or self.refusal_of_content(raw, file_kind)
        refusal = refusal or self.refusal_of_fallback(later)
        template = self.template_of(raw)
        return refusal or (self.refusal_of_funds(template.category.lower()) if template else None)

    def refusal_of(self, message: Any, *, by: Actor | None, later: Later | None = None) -> Refusal | None:
        """The same for a `Message`, also one that is not stored yet."""
        type, raw, kind, direct = message.type, message.raw, message.file_kind, message.direct
        return self.refusal(type, raw, by=by, later=later, file_kind=kind, direct=direct)

    def refusal_when_due(self, message: Any) -> Refusal | None:
        """The same for one that was scheduled: a day late it would come out of nowhere."""
        if message.send_at and message.send_at < now() - TEMPLATE_PATIENCE:
            return TooLate()
        return self.refusal_of(message, by=message.sent_by)

    def refusal_of_funds(self, category: str) -> Refusal | None:
        """Of a message that the tenant's balance, cap or open amount does not allow. Without a plan nothing does not.

        What is queued is checked again when the outbox claims it (`outbound/funding.py`).
        """
        balance = self.lookups.balance
        if balance is None or not balance.is_enforced:
            return None
        price = self.price(category, balance)
        is_paid = bool(price) or category != "service"
        currency = self.conversation.phone_number.waba.currency
        why = balance.obstacle_of_currency(currency) if is_paid else ""
        why = why or balance.obstacle(category, price)
        return NotFunded(why=why) if why else None

    def price(self, category: str, balance: Balance) -> int:
        """What it would cost the tenant now; 0 where it is free or the price is unknown."""
        estimate = self.conversation.terms.price_of(category, now())
        if estimate.free or estimate.quote.money is None or balance.included_left:
            return 0
        number = self.conversation.phone_number
        if estimate.has_allowance and ReplyCount.free_left(number.id, number.waba.zone):
            return 0
        return balance.price_of(category, estimate.quote.money.micros)

    def refusal_of_fallback(self, later: Later | None) -> Refusal | None:
        """Of what goes out if the window is closed by then."""
        instead = later.instead if later else None
        content = (instead or {}).get("content")
        if not instead or not content:
            return None
        raw = content.get("raw") or {}
        if category := content.get("category"):
            return self.refusal_of_direct_send(content_of(instead["type"], instead["body"], raw, category=category))
        return self.refusal_of_template(raw) or self.refusal_of_content(raw)

    def refusal_of_template(self, raw: dict[str, Any]) -> Refusal | None:
        template = self.template_of(raw)
        purpose = template.category.lower() if template else ""
        return Unsubscribed(purpose=purpose) if purpose in self.refused_purposes else None

    def refusal_of_direct_send(self, body: dict[str, Any]) -> Refusal | None:
        """Of a message without a template, which only some accounts may send, and only if it is no advertising."""
        if body["category"] in self.refused_purposes:
            return Unsubscribed(purpose=body["category"])
        if obstacle := DirectSendAccess.of(self.conversation.phone_number.waba_id).obstacle:
            return NoDirectSend(words=obstacle)
        problems = problems_of_direct_send(body)
        return NoDirectSend(words=WORDS[problems[0].kind], **problems[0].facts) if problems else None

    def refusal_of_content(self, raw: dict[str, Any], file_kind: str = "") -> Refusal | None:
        """Of a template that Meta would refuse: not there, not approved, or filled in differently than it was."""
        template = self.template_of(raw)
        if template is None or template.is_generated:
            return WrongTemplate(words=NO_TEMPLATE, name=str(raw.get("name"))[:60])
        definition = template.definition
        if definition.file_kind and file_kind and definition.file_kind != file_kind:
            return WrongTemplate(words=WRONG_FILE, name=template.title)
        if samples := samples_in(raw):
            if not TemplateSample.has_all(samples):
                return WrongTemplate(words=NO_SAMPLE, name=template.title)
            # Meta's ids of them are there once the message goes out.
            raw = with_samples(raw, {id: "0" for _kind, id in samples})
        problems = problems_of_sending(definition, raw, files_follow=bool(file_kind))
        return WrongTemplate(words=WORDS[problems[0].kind], **problems[0].facts) if problems else None

    def template_of(self, raw: dict[str, Any]) -> MessageTemplate | None:
        """The template that a message names, in the account of the conversation's number."""
        return self.lookups.template(self.conversation.phone_number.waba_id, raw)

    @property
    def refused_purposes(self) -> set[str]:
        """What the customer does not want to get: purposes of `Consent`, which are categories of templates."""
        consents = self.lookups.consents_of(self.conversation.contact_id)
        return {purpose for purpose, consent in consents.items() if not consent.is_granted}


# As a message keeps it that was to go later, or again.
AS_ERROR = {
    "window_closed": {
        "title": N_("The 24 hours to reply were over, and no template was chosen for that case."),
        "fix": N_("Send a message template, or wait until the customer writes again."),
    },
    "business_closed": {
        "title": N_("This business is closed, so nothing is sent any more."),
        "fix": N_("Questions about it go to the operator."),
    },
    "number_unavailable": {
        "title": N_("This number was not connected."),
        "fix": N_("Ask an owner to reconnect the number, then send it again."),
    },
    "group_read_only": {
        "title": N_("Groups can be read here, not written to."),
        "fix": N_("Write to the members one by one."),
    },
    "blocked": {
        "title": N_("You blocked this customer."),
        "fix": N_("Unblock the customer first."),
    },
    "spam": {
        "title": N_("The conversation was marked as spam."),
        "fix": N_("Move the conversation out of spam first."),
    },
    "unsubscribed": {
        "title": N_("The customer has opted out of these messages."),
        "fix": N_("Only the customer can opt in again."),
    },
    "wrong_template": {
        "title": N_("WhatsApp wouldn't take this template, or what it was filled in with."),
        "fix": N_("Choose the template again and check what is filled in."),
    },
    "no_direct_send": {
        "title": N_("This couldn't be sent without a template."),
        "fix": N_("Send a template instead."),
    },
    "with_person": {
        "title": N_("A person has this conversation, so nothing was sent automatically."),
        "fix": N_("Reply yourself, or let automation answer again in the conversation's menu."),
    },
    "with_other_app": {
        "title": N_("Meta's agent or another app answers this customer, so nothing was sent automatically."),
        "fix": N_("Take the conversation over to answer from here."),
    },
    "automation_paused": {
        "title": N_("Automation was stopped for this conversation or its number."),
        "fix": N_("Resume it in the conversation's menu or on the number's page."),
    },
    "not_funded": {
        "title": N_("It isn't paid for: the balance, the cap or the limit doesn't cover it."),
        "fix": N_("Costs says what is used up. An owner can add money there."),
    },
    "too_late": {
        "title": N_("This was due more than a day ago."),
        "fix": N_("Check whether it is still true, then send it again."),
    },
}
EXPIRED = ("window_closed", "too_late")
# What waits for a business that is closed does not fail: it is no longer wanted.
SILENCED = ("business_closed", "with_person", "with_other_app", "automation_paused")


def error_of(refusal: Refusal) -> dict[str, Any]:
    return {"kind": "final", "refusal": refusal.kind, **AS_ERROR[refusal.kind], **refusal.facts}


def state_after(refusal: Refusal) -> str:
    if refusal.kind in SILENCED:
        return "cancelled"
    return "expired" if refusal.kind in EXPIRED else "failed"
