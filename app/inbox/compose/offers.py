"""Which template to offer when only templates may be sent: filled in with what is known, the one last used first."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from app.contacts.fields import ContactField, ContactFieldValue
from app.inbox.conversations import Conversation, Message
from app.message_templates.models import MessageTemplate
from app.meta.message_templates import Template, Variable
from app.tenancy import Actor, Tenant, db

from .canned_replies import known_values

NEVER = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
# A gap without a name of its own is the customer's name where a greeting stands before it.
GREETING = re.compile(
    r"(?:^|\n|[.!] )\W*(hi|hello|hey|dear|hola|olá|ola|bonjour|salut|hallo|ciao|merhaba|namaste)[ ,]+$"
)


@dataclass(frozen=True)
class Offer:
    template: MessageTemplate
    values: dict[str, str]

    @classmethod
    def of(cls, template: MessageTemplate, known: dict[str, str]) -> Offer:
        definition = template.definition
        found = {one.key: value for one in definition.variables if (value := value_of(one, definition, known))}
        return cls(template, found)

    @property
    def is_whole(self) -> bool:
        """Whether it can go as it is."""
        definition = self.template.definition
        return not definition.file_kind and all(one.key in self.values for one in definition.variables)

    @property
    def shown(self) -> dict[str, Any]:
        return self.template.definition.shown(self.values)

    @property
    def rank(self) -> tuple[bool, float, bool, str]:
        used_at = self.template.used_at or NEVER
        return (not self.is_whole, -used_at.timestamp(), self.template.category != "UTILITY", self.template.name)


def best_offer(conversation: Conversation, *, by: Actor, tenant: Tenant) -> Offer | None:
    """The template to propose, or none. What the gate would refuse is not proposed."""
    sendable = MessageTemplate.sendable(conversation.phone_number.waba_id)
    unwanted = {"authentication", *conversation.gate.refused_purposes}
    fit = [one for one in sendable if one.definition.can_be_filled and one.category.lower() not in unwanted]
    known = known_of(conversation, by=by, tenant=tenant)
    return min((Offer.of(one, known) for one in fit), key=lambda offer: offer.rank, default=None)


def value_of(variable: Variable, definition: Template, known: dict[str, str]) -> str:
    if variable.place not in ("header", "body"):
        return ""
    if definition.is_named:
        name = variable.name.lower()
        return known.get(name) or known.get(name.removeprefix("customer_").removeprefix("contact_")) or ""
    before = (definition.header if variable.place == "header" else definition.body).partition(
        f"{{{{{variable.name}}}}}"
    )
    return known.get("first_name", "") if GREETING.search(before[0].lower()) else ""


def known_of(conversation: Conversation, *, by: Actor, tenant: Tenant) -> dict[str, str]:
    """By the names that people give to gaps: what is known of the customer, and their fields."""
    own = select(ContactField.name, ContactFieldValue.value).join(
        ContactFieldValue, ContactFieldValue.field_id == ContactField.id
    )
    own = own.where(ContactFieldValue.contact_id == conversation.contact_id)
    fields = {re.sub(r"\W+", "_", row[0].lower()).strip("_"): row[1] for row in db.session.execute(own)}
    return fields | {name: value for name, value in known_values(conversation, by=by, tenant=tenant).items() if value}


def sent_since_closed(conversation: Conversation) -> Message | None:
    """The template that has gone out since the customer last wrote, and that waits for their answer."""
    query = select(Message).where(Message.conversation_id == conversation.id, Message.is_shown)
    last = db.session.scalar(query.order_by(Message.occurred_at.desc(), Message.id.desc()).limit(1))
    if last is None or not last.is_outbound or last.type != "template":
        return None
    return None if last.state in ("failed", "cancelled", "expired", "scheduled") else last
