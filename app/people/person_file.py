"""Everything that is known about one person, as a file that can be given to them."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select

from app.contacts.consents import Consent
from app.contacts.models import Contact
from app.contacts.person import Person
from app.contacts.records import ContactLink, ContactNote
from app.inbox.conversations import Conversation, Message
from app.tenancy import TenantModel, db


def person_file(contact: Contact) -> dict[str, Any]:
    person = Person(contact)
    return {
        "about": _("What this business keeps about one person."),
        "contact": told(contact, "id", "name", "created_at"),
        "identities": [told(each, "kind", "value", "created_at") for each in contact.identities],
        "tags": [tag.name for tag in contact.tags],
        "fields": {field.name: value for field, value in person.fields if value},
        "notes": [told(each, "body", "created_at") for each in all_of(ContactNote, contact)],
        "links": [told(each, "kind", "title", "url", "created_at") for each in all_of(ContactLink, contact)],
        "consents": [
            told(each, "purpose", "is_granted", "source", "evidence", "occurred_at")
            for each in all_of(Consent, contact)
        ],
        "conversations": [conversation_file(each) for each in all_of(Conversation, contact)],
    }


def all_of(model: Any, contact: Contact) -> list[Any]:
    return list(db.session.scalars(select(model).where(model.contact_id == contact.id).order_by(model.id)))


def conversation_file(conversation: Conversation) -> dict[str, Any]:
    query = select(Message).where(Message.conversation_id == conversation.id).options(*Message.with_all_around_it())
    messages = db.session.scalars(query.order_by(Message.occurred_at, Message.id))
    return {
        "with": conversation.phone_number.display_number,
        "messages": [message_file(message) for message in messages],
    }


def message_file(message: Message) -> dict[str, Any]:
    file = told(message, "direction", "type", "body", "content", "state", "occurred_at")
    if message.media:
        file["file"] = told(message.media, "kind", "filename", "content_type", "size", "sha256")
    if message.changes:
        file["changes"] = [told(each, "kind", "body", "occurred_at") for each in message.changes]
    if message.reactions:
        file["reactions"] = [told(each, "direction", "emoji", "occurred_at") for each in message.reactions]
    return file


def told(row: TenantModel, *names: str) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}
