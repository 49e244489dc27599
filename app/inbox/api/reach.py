"""What a key may see of the inbox: everything, or what is on the numbers of its team."""

from __future__ import annotations

import uuid
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, false, or_, select, true
from werkzeug.exceptions import NotFound

from app.api import ApiKey, Problem, current_key, problem
from app.contacts.models import Contact
from app.contacts.records import ContactEvent
from app.entry_points.api.reach import finds_numbers
from app.inbox.conversations import Conversation, Message
from app.inbox.conversations.number_desks import NumberDesk
from app.inbox.files.uploaded_files import UploadedFile
from app.message_templates.api.reach import finds_accounts
from app.tenancy import db, exists
from app.wabas.models import PhoneNumber
from app.words import N_

OUT_OF_REACH = problem(
    "out_of_reach",
    403,
    "A team's key can't do this",
    N_("A key of a team reaches what happens on the numbers of its team. Use a key that reaches all numbers."),
)
Row = TypeVar("Row", PhoneNumber, Conversation, Message)


def numbers() -> Select[PhoneNumber]:
    """The numbers that the key reaches."""
    return select(PhoneNumber).where(reached(PhoneNumber.id))


def reached(phone_number_id: Any, key: ApiKey | None = None) -> ColumnElement[bool]:
    """Whether a row is of a number that the key reaches: the request's, or the one that a job works for."""
    key = key or current_key()
    if key.kind != "team":
        return true()
    if key.team_id is None:
        return false()
    return phone_number_id.in_(select(NumberDesk.id).where(NumberDesk.team_id == key.team_id))  # type: ignore[no-any-return]


@finds_numbers
def number_ids() -> Select[uuid.UUID]:
    """The ids of the numbers that the key reaches."""
    return select(PhoneNumber.id).where(reached(PhoneNumber.id))


@finds_accounts
def accounts() -> Select[uuid.UUID]:
    """The accounts of the numbers that the key reaches."""
    return select(PhoneNumber.waba_id).where(reached(PhoneNumber.id))


def contact_reached(contact_id: Any, key: ApiKey | None = None) -> ColumnElement[bool]:
    """Whether a contact is one that the key reaches.

    A team's key: those with a conversation on its numbers, and those that it made while they have none at all.
    """
    key = key or current_key()
    if key.kind != "team":
        return true()
    talking = select(Conversation.contact_id).where(reached(Conversation.phone_number_id, key))
    by_this_key = ContactEvent.kind == "created", ContactEvent.by_kind == "api", ContactEvent.by_id == key.id
    silent = ContactEvent.contact_id.not_in(select(Conversation.contact_id))
    made = select(ContactEvent.contact_id).where(*by_this_key, silent)
    return or_(contact_id.in_(talking), contact_id.in_(made))


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


def find_conversation_to_write_in(id: uuid.UUID, *, taken: bool) -> Conversation:
    return within_reach(Conversation.to_write_in(id, taken=taken))


def find_message(id: uuid.UUID) -> Message:
    return within_reach(Message.find(id))


def find_contact(id: uuid.UUID) -> Contact:
    contact = Contact.find(id)
    if contact is None or not is_reached(contact):
        raise NotFound
    return contact


def is_reached(contact: Contact) -> bool:
    if current_key().kind != "team":
        return True
    return bool(db.session.scalar(select(contact_reached(Contact.id)).where(Contact.id == contact.id)))


def find_whole_contact(id: uuid.UUID) -> Contact:
    """A contact of which the key reaches every conversation, for what concerns all of them. Raises a `Problem`."""
    contact = find_contact(id)
    if current_key().kind == "team":
        theirs = select(Conversation.id).where(Conversation.contact_id == contact.id)
        if exists(theirs.where(~reached(Conversation.phone_number_id))):
            raise Problem(OUT_OF_REACH)
    return contact


def files() -> Select[UploadedFile]:
    """The uploaded files that the key may use: a team's key, those that the team's keys uploaded."""
    key = current_key()
    if key.kind != "team":
        return UploadedFile.usable()
    return UploadedFile.usable().where(UploadedFile.team_id == key.team_id, UploadedFile.team_id.is_not(None))


def find_file(id: uuid.UUID) -> UploadedFile | None:
    return db.session.scalar(files().where(UploadedFile.id == id))
