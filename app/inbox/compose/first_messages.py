"""Writing to somebody first: who it is, from which of our numbers, and the conversation that the message opens."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

from sqlalchemy import select

from app.billing.balances import Balance
from app.billing.terms import Terms
from app.contacts.consents import Consent
from app.contacts.models import Contact, NumberTaken
from app.inbox.conversations import Conversation, Message, Ways
from app.inbox.conversations.assignment import Taken
from app.inbox.inbound.placing import Pair, conversations_of
from app.meta import written_numbers
from app.meta.outgoing import Refused
from app.meta.written_numbers import formatted
from app.tenancy import Actor, User, db
from app.wabas.models import PhoneNumber
from app.words import N_

ERASED = N_("This person was erased, so they can't be written to.")
GROUP = N_("This is a WhatsApp group. You can't write to a group from here.")
NO_NUMBER = N_("This contact has no phone number. Merge it with a contact that has one, or add a new contact.")
HIDDEN = N_(
    "WhatsApp hides this customer's phone number, and only the account they wrote to can reach them. "
    "They have to write to this number first."
)
UNAVAILABLE = N_("This number is not connected to WhatsApp.")


@dataclass(frozen=True)
class Recipient:
    """Somebody to write to: a contact, or a phone number that no contact has yet (`number`)."""

    contact: Contact | None
    number: str = ""
    # On which of our numbers they have a conversation.
    conversations: dict[uuid.UUID, Conversation] = field(default_factory=dict)

    @classmethod
    def of_contact(cls, contact: Contact) -> Self:
        mine = Conversation.contact_id == contact.id, Conversation.merged_into_id.is_(None)
        conversations = db.session.scalars(select(Conversation).where(*mine))
        return cls(contact, conversations={each.phone_number_id: each for each in conversations})

    @classmethod
    def of_number(cls, written: str, country: str = "") -> Self:
        """Whoever has this number, in whatever spelling. Raises `NotRead`."""
        wa_id = written_numbers.read(written, country)
        contact = Contact.with_number(wa_id)
        return cls.of_contact(contact) if contact else cls(None, wa_id)

    @cached_property
    def wa_id(self) -> str:
        """Their phone number; "" where WhatsApp hides it. Looked up where it matters: not for a conversation's."""
        return (self.contact.identity("wa_id") or "") if self.contact else self.number

    @property
    def name(self) -> str:
        return self.contact.name if self.contact else formatted(self.wa_id)

    @property
    def phone(self) -> str | None:
        return formatted(self.wa_id) if self.wa_id else None

    @property
    def address(self) -> dict[str, Any]:
        """What an address needs to name them."""
        return {"contact": str(self.contact.id)} if self.contact else {"to": f"+{self.wa_id}"}

    @property
    def person(self) -> Contact:
        """The contact, or an empty one for what a template says of them."""
        return self.contact or Contact(name="")

    @property
    def obstacle(self) -> str:
        """Why they can't be written to from any number; "" where they can."""
        if self.contact and self.contact.is_erased:
            return ERASED
        if self.contact and self.contact.identity("group"):
            return GROUP
        return NO_NUMBER if self.lacks_number else ""

    @property
    def lacks_number(self) -> bool:
        """Whether nothing is stored that WhatsApp could reach them by."""
        return not (self.wa_id or (self.contact and self.contact.identity("bsuid")))

    def obstacle_on(self, number: PhoneNumber) -> str:
        """Why they can't be written to from this number; "" where they can."""
        if self.obstacle:
            return self.obstacle
        if not number.takes_messages:
            return UNAVAILABLE
        return "" if self.wa_id or self.has_ids_for(number) else HIDDEN

    def has_ids_for(self, number: PhoneNumber) -> bool:
        """Whether the ids that WhatsApp gave of them are valid there: they belong to one business portfolio."""
        portfolio = number.waba.owner_business_id
        return any(
            number.waba_id == their.waba_id or (portfolio and portfolio == their.waba.owner_business_id)
            for their in (conversation.phone_number for conversation in self.conversations.values())
        )

    def terms(self, number: PhoneNumber) -> Terms:
        """What it costs to write to them from this number, while they have not written to it."""
        if conversation := self.conversations.get(number.id):
            return conversation.terms
        waba = number.waba
        return Terms(waba.currency, self.wa_id or None, plan=Balance.plan_now(), zone=waba.zone)

    @property
    def refused_purposes(self) -> set[str]:
        """What they don't want to get, as `Gate` has it."""
        latest = Consent.latest(self.contact.id) if self.contact else {}
        return {purpose for purpose, consent in latest.items() if not consent.is_granted}

    def ways_to_write(self, number: PhoneNumber) -> Ways:
        """How they can be written to first, from this number."""
        return Ways.find(number.waba_id, self.refused_purposes, is_open=False)

    def write(
        self,
        number: PhoneNumber,
        send: Callable[[Conversation], Message],
        *,
        by: Actor,
        assignee: User | None = None,
        name: str = "",
    ) -> Message:
        """Opens the conversation and has `send` put a message into it; where that is refused, nothing is opened.

        A number without a contact becomes one of this name. Raises `Refused` and what `send` raises.
        """
        if obstacle := self.obstacle_on(number):
            raise Refused(obstacle)
        with db.session.begin_nested():
            conversation = self.open(number, by=by, name=name)
            if assignee:
                self.assign(conversation, assignee)
            return send(conversation)

    def open(self, number: PhoneNumber, *, by: Actor, name: str = "") -> Conversation:
        """Their one conversation with this number, made where there is none."""
        contact = self.contact or save_contact(name, self.wa_id, by=by)
        pair = Pair(str(number.id), str(contact.id))
        return Conversation.get_or_404(conversations_of({pair}, set(), by=by)[pair])

    def assign(self, conversation: Conversation, writer: User) -> None:
        """To whoever wrote, unless it is assigned: of two who write at once, to the faster one."""
        try:
            conversation.give(writer, by=Actor.agent(writer), expected=None)
        except Taken:
            return


def save_contact(name: str, wa_id: str, *, by: Actor) -> Contact:
    """The contact with this number, made where there is none."""
    try:
        return Contact.create(name, wa_id, by=by)
    except NumberTaken as taken:
        return taken.contact
