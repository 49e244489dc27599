"""What a key may see of the inbox: everything, or what is on the numbers of its team."""

from __future__ import annotations

import uuid
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, select, true
from werkzeug.exceptions import NotFound

from app.api import current_key
from app.contacts.models import Contact
from app.inbox.conversations import Conversation, Message
from app.inbox.conversations.number_desks import NumberDesk
from app.tenancy import db, exists
from app.wabas.models import PhoneNumber

Row = TypeVar("Row", PhoneNumber, Conversation, Message)


def numbers() -> Select[PhoneNumber]:
    """The numbers that the key reaches."""
    return select(PhoneNumber).where(reached(PhoneNumber.id))


def reached(phone_number_id: Any) -> ColumnElement[bool]:
    """Whether a row is of a number that the key reaches."""
    key = current_key()
    if key.kind != "team":
        return true()
    return phone_number_id.in_(select(NumberDesk.id).where(NumberDesk.team_id == key.team_id))  # type: ignore[no-any-return]


def known(contact_id: Any) -> ColumnElement[bool]:
    """Whether a contact is one that the key reaches: a team's key, those with a conversation on its numbers."""
    if current_key().kind != "team":
        return true()
    return contact_id.in_(select(Conversation.contact_id).where(reached(Conversation.phone_number_id)))  # type: ignore[no-any-return]


def within_reach(row: Row | None) -> Row:
    """The row, if the key reaches its number. Else there is none: 404."""
    if row is None:
        raise NotFound
    number_id = row.id if isinstance(row, PhoneNumber) else row.phone_number_id
    if current_key().kind == "team" and not exists(numbers().where(PhoneNumber.id == number_id)):
        raise NotFound
    return row


def find_conversation(id: uuid.UUID) -> Conversation:
    return within_reach(Conversation.find(id))


def find_message(id: uuid.UUID) -> Message:
    return within_reach(Message.find(id))


def find_contact(id: uuid.UUID) -> Contact:
    contact = Contact.find(id)
    if contact is None or not db.session.scalar(select(known(Contact.id)).where(Contact.id == contact.id)):
        raise NotFound
    return contact
