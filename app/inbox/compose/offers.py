"""Chooses the template to offer when the reply window is closed, with its variables filled in where possible."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from app.contacts.fields import ContactField, ContactFieldValue
from app.contacts.models import Contact
from app.inbox.conversations import Conversation, Message
from app.inbox.conversations.filling import variable_values
from app.message_templates.models import MessageTemplate
from app.meta.message_templates import Template, Variable
from app.tenancy import Actor, Tenant, db
from app.wabas.models import PhoneNumber

NEVER = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
# A variable without a name is the customer's name where a greeting precedes it.
GREETING = re.compile(
    r"(?:^|\n|[.!] )\W*(hi|hello|hey|dear|hola|olá|ola|bonjour|salut|hallo|ciao|merhaba|namaste)[ ,]+$"
)


@dataclass(frozen=True)
class Offer:
    """A template, and the values of its variables as far as they are available."""

    template: MessageTemplate
    values: dict[str, str]

    @classmethod
    def fill(cls, template: MessageTemplate, available: dict[str, str]) -> Offer:
        """The template with what `available` (see `available_values`) has for its variables."""
        definition = template.definition
        values = {one.key: value for one in definition.variables if (value := value_of(one, definition, available))}
        return cls(template, values)

    @property
    def is_complete(self) -> bool:
        """Whether it can be sent without anything to fill in."""
        return all(self.template.files) and all(one.key in self.values for one in self.template.definition.variables)

    @property
    def shown(self) -> dict[str, Any]:
        return self.template.definition.shown(self.values, self.template.files)

    @property
    def rank(self) -> tuple[bool, float, bool, str]:
        used_at = self.template.used_at or NEVER
        return (not self.is_complete, -used_at.timestamp(), self.template.category != "UTILITY", self.template.name)


def best_offer(conversation: Conversation, *, by: Actor, tenant: Tenant) -> Offer | None:
    """The best template for this conversation that the gate lets out, or None: complete ones first, then last used."""
    sendable = MessageTemplate.sendable(conversation.phone_number.waba_id)
    refused = {"authentication", *conversation.gate.refused_purposes}
    fit = [one for one in sendable if one.definition.can_be_filled and one.category.lower() not in refused]
    available = available_values(conversation.contact, conversation.phone_number, by=by, tenant=tenant)
    return min((Offer.fill(one, available) for one in fit), key=lambda offer: offer.rank, default=None)


def value_of(variable: Variable, definition: Template, available: dict[str, str]) -> str:
    """By the variable's name, or by the greeting before it; "" where nothing fits."""
    if variable.place not in ("header", "body"):
        return ""
    if definition.is_named:
        name = variable.name.lower()
        return available.get(name) or available.get(name.removeprefix("customer_").removeprefix("contact_")) or ""
    before = (definition.header if variable.place == "header" else definition.body).partition(
        f"{{{{{variable.name}}}}}"
    )
    return available.get("first_name", "") if GREETING.search(before[0].lower()) else ""


def available_values(contact: Contact, phone_number: PhoneNumber, *, by: Actor, tenant: Tenant) -> dict[str, str]:
    """Values by the names that people give to variables: of the customer, the agent, and the customer's fields."""
    own = select(ContactField.name, ContactFieldValue.value).join(
        ContactFieldValue, ContactFieldValue.field_id == ContactField.id
    )
    own = own.where(ContactFieldValue.contact_id == contact.id)
    fields = {re.sub(r"\W+", "_", row[0].lower()).strip("_"): row[1] for row in db.session.execute(own)}
    return fields | {
        name: value
        for name, value in variable_values(contact, phone_number, agent=by.name, tenant=tenant).items()
        if value
    }


def sent_since_closed(conversation: Conversation) -> Message | None:
    """What was sent into the closed window, if it is the last message."""
    query = select(Message).where(Message.conversation_id == conversation.id, Message.is_shown)
    last = db.session.scalar(query.order_by(Message.occurred_at.desc(), Message.id.desc()).limit(1))
    if last is None or not last.is_outbound or last.needs_window:
        return None
    return None if last.state in ("failed", "cancelled", "expired", "scheduled") else last
