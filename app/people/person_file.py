"""Exports everything about one person, as a file to give to them (GDPR, article 15)."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Iterator
from typing import Any

from flask import Flask
from flask_babel import gettext as _
from sqlalchemy import select, tuple_

from app.appointments.models import Appointment
from app.contacts.consents import Consent
from app.contacts.models import Contact
from app.contacts.person import Person
from app.contacts.records import ContactLink, ContactNote
from app.entry_points.models import EntryTouch
from app.inbox.conversations import Conversation, Cursor, Message
from app.listings.alerts import ListingAlert
from app.listings.inquiries import Inquiry
from app.listings.models import Listing
from app.listings.saved_searches import SavedSearch
from app.payments.models import Payment
from app.records.models import of_contact
from app.subscriptions.models import Subscription
from app.tenancy import TenantModel, db, tenant_scope
from app.whatsapp_flows.responses import FlowResponse
from app.whatsapp_flows.slots import FlowBooking

AT_ONCE = 200


def person_file(app: Flask, tenant_id: uuid.UUID, contact: Contact, zone: dt.tzinfo) -> Iterator[str]:
    """JSON in pieces: the contact with all its data, then its conversations, a page of messages at a time.

    Each page is read in a scope of its own: while the browser takes one, nothing is held.
    """
    about = data_of(contact)
    conversations = all_of(Conversation, contact)
    numbers = {each.id: each.phone_number.display_number for each in conversations}
    return pieces(app, tenant_id, about, numbers, zone)


def pieces(
    app: Flask, tenant_id: uuid.UUID, about: dict[str, Any], numbers: dict[uuid.UUID, str], zone: dt.tzinfo
) -> Iterator[str]:
    def as_json(value: Any) -> str:
        return json.dumps(value, ensure_ascii=False, indent=1, default=lambda each: as_text(each, zone))

    yield as_json(about).removesuffix("\n}") + ',\n "conversations": ['
    for place, (conversation_id, number) in enumerate(numbers.items()):
        yield f'{"," if place else ""}\n{{"with": {as_json(number)}, "messages": ['
        last: Cursor | None = None
        while True:
            with app.app_context(), tenant_scope(tenant_id):
                page = page_after(conversation_id, last)
                written = [as_json(message_file(message)) for message in page]
            if not page:
                break
            yield ("," if last else "") + "\n" + ",\n".join(written)
            last = page[-1].cursor
        yield "]}"
    yield "]\n}\n"


def data_of(contact: Contact) -> dict[str, Any]:
    """Values are rows' own: times, ids, JSON."""
    person = Person(contact)
    return {
        "about": str(_("The data this business stores about one person.")),
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
        "forms": [columns_of(each, "answers", "at") for each in all_of(FlowResponse, contact)],
        "payments": [
            columns_of(each, "title", "reference", "amount_micros", "currency", "paid_at", "status")
            for each in all_of(Payment, contact)
        ],
        "subscriptions": [
            columns_of(each, "title", "ends_on", "price_micros", "currency", "status")
            for each in all_of(Subscription, contact)
        ],
        "came_by": [columns_of(each, "kind", "at", "subject", "utm", "referral") for each in touches_of(contact)],
        "saved_searches": [
            columns_of(each, "name", "criteria", "state", "created_at") for each in all_of(SavedSearch, contact)
        ],
        "alerts": [columns_of(each, "day", "listing_count", "state") for each in all_of(ListingAlert, contact)],
        "inquiries": [
            {"listing": each.listing.title, **columns_of(each, "text", "source", "state", "created_at")}
            for each in all_of(Inquiry, contact)
        ],
        "listings": [columns_of(each, "external_id", "title", "status") for each in all_of(Listing, contact)],
        "bookings": [columns_of(each, "starts_at", "minutes", "created_at") for each in all_of(FlowBooking, contact)],
        "records": [
            columns_of(each, "source", "type", "external_id", "title", "url", "stage", "attributes", "created_at")
            for each in db.session.scalars(of_contact(contact.id))
        ],
        "appointments": [
            columns_of(each, "title", "starts_at", "time_zone", "minutes", "place", "state", "notes", "created_at")
            for each in all_of(Appointment, contact)
        ],
    }


def touches_of(contact: Contact) -> list[EntryTouch]:
    theirs = select(Conversation.id).where(Conversation.contact_id == contact.id)
    query = select(EntryTouch).where(EntryTouch.conversation_id.in_(theirs))
    return list(db.session.scalars(query.order_by(EntryTouch.at, EntryTouch.id)))


def all_of(model: Any, contact: Contact) -> list[Any]:
    return list(db.session.scalars(select(model).where(model.contact_id == contact.id).order_by(model.id)))


def page_after(conversation_id: uuid.UUID, last: Cursor | None) -> list[Message]:
    """The next messages of a conversation, in the order in which they were written."""
    query = select(Message).where(Message.conversation_id == conversation_id).options(*Message.with_all_around_it())
    if last:
        query = query.where(tuple_(Message.occurred_at, Message.id) > last.values)
    return list(db.session.scalars(query.order_by(Message.occurred_at, Message.id).limit(AT_ONCE)))


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


def as_text(value: Any, zone: dt.tzinfo) -> str:
    if isinstance(value, dt.datetime):
        value = value.astimezone(zone)
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
