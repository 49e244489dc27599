"""What a contact has, for programs: tags, notes, consents."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator
from sqlalchemy import select
from werkzeug.exceptions import NotFound

from app.api import Fault, Page, PageQuery, Place, Problem, Shape, current_key, endpoint, scope
from app.api.declaring import GivenTime, Time
from app.api.pages import after, page_of
from app.contacts.api.shapes import ContactShape
from app.contacts.api.tags import READ, TAG, TOO_MANY_TAGS, TagName, make_tag
from app.contacts.consents import Consent
from app.contacts.forms import LONGEST_NOTE
from app.contacts.models import Contact
from app.contacts.records import ContactNote
from app.contacts.tags import LONGEST_TAG, Tag
from app.inbox.api import reach
from app.inbox.api.shapes import ActorShape
from app.tenancy import db, now
from app.words import N_

from .contacts import ERASED, WRITE, refuse_erased

CONSENTS = scope("consents:write", N_("Record what contacts consent to"))
# How far another clock may be ahead of ours.
SLACK = dt.timedelta(minutes=10)
Purpose = Literal["marketing", "utility"]


def changeable(contact_id: uuid.UUID) -> Contact:
    contact = reach.find_contact(contact_id)
    refuse_erased(contact)
    return contact


class TagToAdd(Shape):
    """A tag by its id, or by a name, which becomes a tag where there is none. Exactly one of the two."""

    id: uuid.UUID | None = None
    name: TagName | None = None

    @model_validator(mode="after")
    def check_one(self) -> TagToAdd:
        if (self.id is None) == (self.name is None):
            raise ValueError("Give exactly one of id and name.")
        return self


@endpoint(
    "POST",
    "/contacts/<uuid:contact_id>/tags",
    scope=WRITE,
    body=TagToAdd,
    gives=ContactShape,
    tag=TAG,
    problems=(ERASED, TOO_MANY_TAGS),
)
def add_contact_tag(contact_id: uuid.UUID, body: TagToAdd) -> ContactShape:
    """Add a tag to a contact."""
    contact = changeable(contact_id)
    tag = make_tag(body.name) if body.name is not None else Tag.find(body.id)
    if tag is None:
        raise Problem("invalid_request", errors=[Fault("not_found", "There is no such tag.", pointer="/id")])
    tag.put_on(contact.id, by=current_key().actor)
    return ContactShape.of(contact)


class TagQuery(Shape):
    name: Annotated[str, Field(min_length=1, max_length=LONGEST_TAG)]


@endpoint("DELETE", "/contacts/<uuid:contact_id>/tags", scope=WRITE, query=TagQuery, gives=ContactShape, tag=TAG)
def remove_contact_tag_by_name(contact_id: uuid.UUID, query: TagQuery) -> ContactShape:
    """Remove a tag from a contact, by the tag's name."""
    return without(reach.find_contact(contact_id), Tag.named(query.name))


@endpoint("DELETE", "/contacts/<uuid:contact_id>/tags/<uuid:tag_id>", scope=WRITE, gives=ContactShape, tag=TAG)
def remove_contact_tag(contact_id: uuid.UUID, tag_id: uuid.UUID) -> ContactShape:
    """Remove a tag from a contact."""
    return without(reach.find_contact(contact_id), Tag.get_or_404(tag_id))


def without(contact: Contact, tag: Tag | None) -> ContactShape:
    if tag is not None:
        tag.take_off(contact.id)
    return ContactShape.of(contact)


class ContactNoteShape(Shape):
    """A note on a contact, which only the team sees."""

    id: uuid.UUID
    contact_id: uuid.UUID
    body: str
    by: ActorShape | None
    created_at: Time

    @classmethod
    def of(cls, note: ContactNote) -> Self:
        by = ActorShape.of(note.written_by)
        return cls(id=note.id, contact_id=note.contact_id, body=note.body, by=by, created_at=note.created_at)


class NewContactNote(Shape):
    body: Annotated[str, Field(min_length=1, max_length=LONGEST_NOTE)]


@endpoint(
    "GET",
    "/contacts/<uuid:contact_id>/notes",
    scope=READ,
    query=PageQuery,
    gives=Page[ContactNoteShape],
    tag=TAG,
)
def list_contact_notes(contact_id: uuid.UUID, query: PageQuery) -> Page[ContactNoteShape]:
    """List the notes on a contact.

    Newest first.
    """
    contact = reach.find_contact(contact_id)
    rows = after(select(ContactNote).where(ContactNote.contact_id == contact.id), query.after, ContactNote.id)
    results = db.session.scalars(rows.limit(query.limit + 1))
    return page_of(results, query.limit, ContactNoteShape.of, lambda note: Place(note.id))


@endpoint(
    "POST",
    "/contacts/<uuid:contact_id>/notes",
    scope=WRITE,
    body=NewContactNote,
    gives=ContactNoteShape,
    status=201,
    tag=TAG,
    problems=(ERASED,),
)
def add_contact_note(contact_id: uuid.UUID, body: NewContactNote) -> ContactNoteShape:
    """Add a note to a contact."""
    return ContactNoteShape.of(ContactNote.write(changeable(contact_id).id, body.body, by=current_key().actor))


@endpoint("DELETE", "/contacts/<uuid:contact_id>/notes/<uuid:note_id>", scope=WRITE, tag=TAG)
def delete_contact_note(contact_id: uuid.UUID, note_id: uuid.UUID) -> None:
    """Delete a note on a contact."""
    contact, note = reach.find_contact(contact_id), ContactNote.find(note_id)
    if note is None or note.contact_id != contact.id:
        raise NotFound
    db.session.delete(note)


class ConsentShape(Shape):
    """A yes or no to messages of one purpose, and where it comes from."""

    id: uuid.UUID
    purpose: str
    is_granted: bool
    source: str = Field(description="message, phone, form, paper, import, whatsapp or other.")
    evidence: str
    by: ActorShape | None = Field(description="Who recorded it; null for what came from WhatsApp itself.")
    occurred_at: Time

    @classmethod
    def of(cls, consent: Consent) -> Self:
        return cls(
            id=consent.id,
            purpose=consent.purpose,
            is_granted=consent.is_granted,
            source=consent.source,
            evidence=consent.evidence,
            by=ActorShape.of(consent.by),
            occurred_at=consent.occurred_at,
        )


class ConsentsShape(Shape):
    """The latest answer for each purpose; null where there never was one."""

    marketing: ConsentShape | None
    utility: ConsentShape | None


@endpoint("GET", "/contacts/<uuid:contact_id>/consent", scope=READ, gives=ConsentsShape, tag=TAG)
def get_contact_consent(contact_id: uuid.UUID) -> ConsentsShape:
    """Get what a contact consents to."""
    latest = Consent.latest(reach.find_contact(contact_id).id)
    return ConsentsShape(
        **{name: ConsentShape.of(latest[name]) if name in latest else None for name in ConsentsShape.model_fields}
    )


@endpoint(
    "GET",
    "/contacts/<uuid:contact_id>/consents",
    scope=READ,
    query=PageQuery,
    gives=Page[ConsentShape],
    tag=TAG,
)
def list_contact_consents(contact_id: uuid.UUID, query: PageQuery) -> Page[ConsentShape]:
    """List every answer that a contact gave.

    Newest first.
    """
    mine = select(Consent).where(Consent.contact_id == reach.find_contact(contact_id).id)
    rows = after(mine, query.after, Consent.id, Consent.occurred_at).limit(query.limit + 1)
    return page_of(db.session.scalars(rows), query.limit, ConsentShape.of, lambda one: Place(one.id, one.occurred_at))


class NewConsent(Shape):
    purpose: Purpose
    is_granted: bool
    source: Literal["message", "phone", "form", "paper", "other"]
    evidence: Annotated[str, Field(min_length=1, max_length=1_000)] = Field(
        description="Their words, the form, the date of the call."
    )
    occurred_at: GivenTime | None = Field(None, description="When they said so; now where it is left out.")

    @field_validator("occurred_at")
    @classmethod
    def check_past(cls, occurred_at: dt.datetime | None) -> dt.datetime | None:
        if occurred_at and occurred_at > now() + SLACK:
            raise ValueError("This time is in the future.")
        return occurred_at


@endpoint(
    "POST",
    "/contacts/<uuid:contact_id>/consents",
    scope=CONSENTS,
    body=NewConsent,
    gives=ConsentShape,
    status=201,
    tag=TAG,
    problems=(ERASED,),
)
def record_contact_consent(contact_id: uuid.UUID, body: NewConsent) -> ConsentShape:
    """Record what a contact consents to.

    Nothing is overwritten: the latest answer for a purpose holds.
    """
    consent = Consent.record(
        changeable(contact_id).id,
        body.purpose,
        is_granted=body.is_granted,
        source=body.source,
        by=current_key().actor,
        evidence=body.evidence,
        at=body.occurred_at,
    )
    return ConsentShape.of(consent)
