"""What conditions and steps look at: the conversation, the customer, the message, the time, each read once."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import phonenumbers
from sqlalchemy import select

from app.contacts.fields import ContactField, ContactFieldValue
from app.contacts.models import Contact
from app.contacts.tags import ContactTag, Tag
from app.hours.hours import OpeningHours
from app.hours.models import ServicePolicy
from app.inbox.conversations import CUSTOMER_SERVICE_WINDOW, Conversation, Message
from app.languages import is_surely
from app.tenancy import db, now
from app.variables import filled

from .models import Automation, AutomationRun
from .parts import Names

LONGEST_VALUE, MOST_VALUES = 1_000, 50
# What comes later than that after a message is no reply to it.
FRESH = dt.timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Wait:
    """For time to pass or for the customer's reply, until a moment (null: as long as it takes)."""

    what: str
    until: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a step did. `block` is where it goes on inside, `wait` what it waits for, `ends` why the run is over."""

    result: str = "done"
    block: str = ""
    wait: Wait | None = None
    ends: str = ""
    words: str = ""
    seen: dict[str, Any] = field(default_factory=dict)
    # A request to another program that has to be made without a transaction.
    call: Any = None


@dataclass
class Turn:
    """One happening in one conversation, as an automation sees it. `dry`: it is only tried, and nothing is saved."""

    conversation: Conversation
    message: Message | None = None
    happening: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)
    names: Names = field(default_factory=Names)
    automation: Automation | None = None
    run: AutomationRun | None = None
    dry: bool = False
    at: dt.datetime = field(default_factory=now)
    # What the customer wrote, where it is typed into a test instead of received.
    typed: str = ""
    # Whether what it writes is a greeting, which the out-of-office reply replaces.
    greets: bool = False

    @property
    def contact(self) -> Contact:
        return self.conversation.contact

    @property
    def body(self) -> str:
        return self.message.words if self.message else self.typed

    @cached_property
    def tags(self) -> dict[str, str]:
        query = select(Tag.id, Tag.name).join(ContactTag, ContactTag.tag_id == Tag.id)
        rows = db.session.execute(query.where(ContactTag.contact_id == self.contact.id).order_by(Tag.name))
        return {str(id): name for id, name in rows}

    @cached_property
    def field_values(self) -> dict[str, str]:
        mine = ContactFieldValue.contact_id == self.contact.id
        rows = db.session.execute(select(ContactFieldValue.field_id, ContactFieldValue.value).where(mine))
        return {str(id): value for id, value in rows}

    @cached_property
    def policy(self) -> ServicePolicy:
        return ServicePolicy.current()

    @property
    def hours(self) -> OpeningHours:
        return self.policy.hours

    @property
    def is_answered_out_of_office(self) -> bool:
        """Whether the out-of-office reply is what a customer gets who writes now, or wrote a while ago."""
        is_about_message = bool(self.message or self.typed) and self.at - self.moment < FRESH
        return is_about_message and self.policy.closed_until(self.at) is not None

    @property
    def local(self) -> dt.datetime:
        """Now, by the clock of the business hours."""
        return self.at.astimezone(self.hours.zone)

    @cached_property
    def language(self) -> str:
        """What the customer writes in; in a test, what was typed."""
        return is_surely(self.typed) or self.conversation.customer_language

    @cached_property
    def country(self) -> str:
        """Of the customer's number; "" where it is hidden."""
        try:
            number = phonenumbers.parse(self.contact.phone or "")
        except phonenumbers.NumberParseException:
            return ""
        return phonenumbers.region_code_for_number(number) or ""

    @cached_property
    def inbound_before(self) -> dt.datetime | None:
        """When the customer wrote last before this message, to any of the numbers."""
        theirs = select(Conversation.id).where(Conversation.contact_id == self.contact.id)
        query = select(Message.occurred_at).where(Message.conversation_id.in_(theirs), Message.direction == "inbound")
        if self.message:
            query = query.where(Message.id < self.message.id)
        return db.session.scalar(query.order_by(Message.occurred_at.desc()).limit(1))

    @property
    def is_first_message(self) -> bool:
        return self.inbound_before is None

    @property
    def opens_window(self) -> bool:
        before = self.inbound_before
        return before is None or self.moment - before > CUSTOMER_SERVICE_WINDOW

    @property
    def moment(self) -> dt.datetime:
        """When the customer wrote, or now."""
        return self.message.occurred_at if self.message else self.at

    def forget(self) -> None:
        """What was read of the customer is read again: a step has changed it."""
        for name in ("tags", "field_values"):
            self.__dict__.pop(name, None)

    def know(self, name: str, value: object) -> None:
        """Remembers a value for later steps."""
        if len(self.values) < MOST_VALUES or name in self.values:
            self.values = self.values | {name: str(value).replace("\x00", "")[:LONGEST_VALUE]}

    def fill(self, words: str) -> str:
        """Replaces variables: what is known of the customer, their fields, and the values of this run.

        One without a value is replaced by its fallback, or by nothing.
        """
        if "{{" not in words:
            return words
        known = self.conversation.subject_values(self.language) | self.conversation.variable_values
        named = {one.name.casefold(): str(one.id) for one in ContactField.all()}

        def value_of(name: str) -> str | None:
            field_id = named.get(name.casefold())
            return self.values.get(name) or known.get(name) or (self.field_values.get(field_id) if field_id else "")

        return filled(words, value_of)

    def client_id(self, step_id: uuid.UUID, attempt: int = 0) -> uuid.UUID:
        """Of what a step sends: the same whenever it is tried again."""
        run_id = self.run.id if self.run else uuid.UUID(int=0)
        return uuid.uuid5(run_id, f"{step_id} {attempt}")
