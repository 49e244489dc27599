"""Exports everything about one person, as a file to give to them (GDPR, article 15)."""

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
    """The contact with all its data and conversations. Values are rows' own: times, ids, JSON."""
    person = Person(contact)
    return {
        "about": _("The data this business stores about one person."),
        "contact": columns_of(contact, "id", "name", "created_at"),
        "identities": [columns_of(each, "kind", "value", "created_at") for each in contact.identities],
        "tags": [tag.name for tag in contact.tags],
        "fields": {field.name: value for field, value in person.fields if value},
        "notes": [columns_of(each, "body", "created_at") for each in all_of(ContactNote, contact)],
        "links": [columns_of(each, "kind", "title", "url", "created_at") for each in all_of(ContactLink, contact)],
        "consents": [
            columns_of(each, "purpose", "is_granted", "source", "evidence", "occurred_at")
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
    file = columns_of(message, "direction", "type", "body", "content", "state", "occurred_at")
    if message.media:
        file["file"] = columns_of(message.media, "kind", "filename", "content_type", "size", "sha256")
    if message.changes:
        file["changes"] = [columns_of(each, "kind", "body", "occurred_at") for each in message.changes]
    if message.reactions:
        file["reactions"] = [columns_of(each, "direction", "emoji", "occurred_at") for each in message.reactions]
    return file


def columns_of(row: TenantModel, *names: str) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}
