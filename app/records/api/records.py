"""Records for programs: upsert by their own ids, list, move, delete; their links."""

from __future__ import annotations

import re
import uuid
from typing import Annotated, Any

from flask import request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator
from sqlalchemy import Select, select
from werkzeug.exceptions import NotFound

from app.api import (
    Created,
    Fault,
    Page,
    PageQuery,
    Place,
    Problem,
    Shape,
    check_match,
    current_key,
    endpoint,
    problem,
    scope,
)
from app.api.pages import after, page_of
from app.contacts.api.tags import visible
from app.inbox.api import reach
from app.records.attributes import (
    CURRENCY,
    LONGEST_NAME,
    LONGEST_URL,
    LONGEST_VALUE,
    MOST_ATTRIBUTES,
    MOST_MICROS,
    WrongLink,
    read_link,
    stored,
)
from app.records.models import (
    HERE,
    LONGEST_ID,
    LONGEST_OWNER,
    LONGEST_SOURCE,
    LONGEST_TITLE,
    MOST_LINKS,
    Record,
    RecordLink,
    TooManyLinks,
    Values,
)
from app.records.search import LONGEST_QUERY, matching
from app.records.stages import LONGEST_STAGE, TYPES, key_of
from app.tenancy import db
from app.words import N_

from .shapes import RecordLinkShape, RecordShape

READ = scope("records:read", N_("Read records of other systems and their links"))
WRITE = scope("records:write", N_("Create, change and delete records; link them to contacts"))
TAG = "Records"
MIRRORED = problem(
    "record_is_mirrored",
    409,
    "A CRM connection copies this record",
    N_("Change it in its own system, or disconnect the CRM in Settings."),
)
TOO_MANY = problem(
    "too_many_links",
    409,
    "There are too many links",
    N_("A record, and a contact, can have {most} links. Remove one first."),
)
SOURCE = re.compile(r"[a-z0-9][a-z0-9_.\-]*", re.ASCII)
ADDRESS = "/records/<source>/<type>/<external:external_id>"


def checked_link(written: str) -> str:
    try:
        return read_link(written)
    except WrongLink:
        raise ValueError("Use a whole address that begins with https://, without a user name.") from None


def checked_currency(written: str) -> str:
    if not CURRENCY.fullmatch(written):
        raise ValueError("Use the three capital letters of ISO 4217, such as XOF.")
    return written


Currency = Annotated[str, Field(max_length=3, examples=["XOF"]), AfterValidator(checked_currency)]
Micros = Annotated[int, Field(ge=-MOST_MICROS, le=MOST_MICROS)]


class MoneyValue(BaseModel):
    """An amount among the attributes."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    amount_micros: Micros
    currency: Currency


Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME), AfterValidator(visible)]
Value = (
    bool
    | Annotated[int, Field(ge=-(10**15), le=10**15)]
    | Annotated[float, Field(ge=-1e15, le=1e15)]
    | Annotated[str, Field(max_length=LONGEST_VALUE)]
    | MoneyValue
)
Stage = Annotated[str, StringConstraints(strip_whitespace=True, max_length=LONGEST_STAGE)]


class GivenRecord(Shape):
    """Replaces what was there: a member that is left out is emptied."""

    title: Annotated[str, Field(min_length=1, max_length=LONGEST_TITLE), AfterValidator(visible)]
    url: Annotated[str, Field(max_length=LONGEST_URL), AfterValidator(checked_link)] | None = Field(
        None, description="https only.", examples=["https://agency.example/villa-17"]
    )
    attributes: dict[Name, Value] = Field(
        default_factory=dict,
        max_length=MOST_ATTRIBUTES,
        description="Shown as a list. A date (2027-01-31), a time with its zone, an https address and an amount of"
        " money are shown as such.",
    )
    stage: Stage = Field("", description="As you call it. The pipeline shows it also where it is not defined there.")
    amount_micros: Micros | None = Field(None, description="In millionths: 500 000 XOF is 500000000000.")
    currency: Currency | None = None
    owner_name: Annotated[str, Field(max_length=LONGEST_OWNER)] | None = None

    @model_validator(mode="after")
    def check_money(self) -> GivenRecord:
        if self.amount_micros is not None and self.currency is None:
            raise ValueError("An amount needs a currency.")
        return self

    @property
    def values(self) -> Values:
        attributes = {
            name: value.model_dump() if isinstance(value, MoneyValue) else value
            for name, value in self.attributes.items()
        }
        return Values(
            title=self.title,
            url=self.url or "",
            attributes=stored(attributes),
            stage=self.stage,
            amount_micros=self.amount_micros,
            currency=(self.currency or "") if self.amount_micros is not None else "",
            owner_name=self.owner_name or "",
        )


class RecordsQuery(PageQuery):
    type: Annotated[str, Field(max_length=20)] | None = Field(None, alias="filter[type]")
    source: Annotated[str, Field(max_length=LONGEST_SOURCE)] | None = Field(None, alias="filter[source]")
    stage: Annotated[str, Field(max_length=LONGEST_STAGE)] | None = Field(
        None, alias="filter[stage]", description="Capitals and accents make no difference."
    )
    contact_id: uuid.UUID | None = Field(None, alias="filter[contact_id]")
    conversation_id: uuid.UUID | None = Field(None, alias="filter[conversation_id]")
    search: Annotated[str, Field(min_length=1, max_length=LONGEST_QUERY)] | None = Field(
        None, alias="filter[search]", description="Beginnings of words of the title, or of the id in its own system."
    )


def records() -> Select[Record]:
    """Those that the key reaches: a team's key, those about contacts that it reaches, and those about no one."""
    rows = select(Record)
    if current_key().kind != "team":
        return rows
    present = RecordLink.removed_at.is_(None)
    linked = select(RecordLink.record_id).where(present)
    within = linked.where(reach.contact_reached(RecordLink.contact_id))
    return rows.where(Record.id.in_(within) | Record.id.not_in(linked))


@endpoint("GET", "/records", scope=READ, query=RecordsQuery, gives=Page[RecordShape], tag=TAG)
def list_records(query: RecordsQuery) -> Page[RecordShape]:
    """List records.

    The newest first.
    """
    rows = records()
    if query.type is not None:
        rows = rows.where(Record.type == query.type)
    if query.source is not None:
        rows = rows.where(Record.source == query.source)
    if query.stage is not None:
        rows = rows.where(Record.stage_key == key_of(query.stage))
    present = select(RecordLink.record_id).where(RecordLink.removed_at.is_(None))
    if query.contact_id:
        rows = rows.where(Record.id.in_(present.where(RecordLink.contact_id == query.contact_id)))
    if query.conversation_id:
        talk = reach.find_conversation(query.conversation_id)
        here = RecordLink.conversation_id.is_(None) | (RecordLink.conversation_id == talk.id)
        rows = rows.where(Record.id.in_(present.where(RecordLink.contact_id == talk.contact_id, here)))
    if query.search is not None and (ids := matching(query.search)) is not None:
        rows = rows.where(Record.id.in_(ids))
    rows = after(rows, query.after, Record.id).limit(query.limit + 1)
    return page_of(db.session.scalars(rows), query.limit, RecordShape.of, lambda one: Place(one.id))


@endpoint("GET", "/records/<uuid:record_id>", scope=READ, gives=RecordShape, tag=TAG)
def get_record(record_id: uuid.UUID) -> RecordShape:
    """Get a record."""
    return RecordShape.of(find(record_id))


@endpoint("GET", ADDRESS, scope=READ, gives=RecordShape, tag=TAG)
def get_record_by_external_id(source: str, type: str, external_id: str) -> RecordShape:
    """Get a record by its id in its own system.

    Percent-encode the id: a slash is `%2F`.
    """
    return RecordShape.of(find_external(source, type, external_id))


@endpoint(
    "PUT",
    ADDRESS,
    scope=WRITE,
    body=GivenRecord,
    gives=RecordShape,
    tag=TAG,
    creates=True,
    problems=(MIRRORED, reach.OUT_OF_REACH),
)
def put_record(source: str, type: str, external_id: str, body: GivenRecord) -> RecordShape | Created:
    """Create or replace a record.

    201 where it was made, 200 where there was one. The same content again changes nothing but `seen_at`, so a program
    may send everything it has whenever it likes. `source` is a short name of your system: small letters, digits, `_`,
    `.` and `-`.
    """
    check_address(source, type, external_id)
    record = Record.with_external_id(source, type, external_id)
    if record is None and request.headers.get("If-Match") is not None:
        raise Problem("changed_meanwhile")
    if record is not None:
        refuse_out_of_reach(record)
        check_match(RecordShape.of(record.refresh_locked()))
        if record.is_mirrored:
            raise Problem(MIRRORED)
    record, is_new = Record.upsert(source, type, external_id, body.values, by=current_key().actor)
    db.session.flush()
    shape = RecordShape.of(record)
    return Created(shape) if is_new else shape


@endpoint("DELETE", "/records/<uuid:record_id>", scope=WRITE, tag=TAG)
def delete_record(record_id: uuid.UUID) -> None:
    """Delete a record, its links and its history."""
    find(record_id).remove()


class StageChange(Shape):
    stage: Stage = Field(description="Empty for none.")


@endpoint(
    "PUT",
    "/records/<uuid:record_id>/stage",
    scope=WRITE,
    body=StageChange,
    gives=RecordShape,
    tag=TAG,
    problems=(MIRRORED,),
)
def change_record_stage(record_id: uuid.UUID, body: StageChange) -> RecordShape:
    """Move a record to another stage."""
    record = find(record_id).refresh_locked()
    check_match(RecordShape.of(record))
    if record.is_mirrored:
        raise Problem(MIRRORED)
    record.move(body.stage, by=current_key().actor)
    return RecordShape.of(record)


class NewLink(Shape):
    """A contact, or a conversation: then it is shown in that one alone."""

    contact_id: uuid.UUID | None = None
    conversation_id: uuid.UUID | None = None

    @model_validator(mode="after")
    def check_one(self) -> NewLink:
        if (self.contact_id is None) == (self.conversation_id is None):
            raise ValueError("Give either contact_id or conversation_id.")
        return self


@endpoint("GET", "/records/<uuid:record_id>/links", scope=READ, query=PageQuery, gives=Page[RecordLinkShape], tag=TAG)
def list_record_links(record_id: uuid.UUID, query: PageQuery) -> Page[RecordLinkShape]:
    """List whom a record is about.

    Oldest first.
    """
    record = find(record_id)
    rows = select(RecordLink).where(*record.present_links(), reach.contact_reached(RecordLink.contact_id))
    rows = after(rows, query.after, RecordLink.id, ascending=True).limit(query.limit + 1)
    return page_of(db.session.scalars(rows), query.limit, RecordLinkShape.of, lambda one: Place(one.id))


@endpoint(
    "POST",
    "/records/<uuid:record_id>/links",
    scope=WRITE,
    body=NewLink,
    gives=RecordLinkShape,
    status=201,
    tag=TAG,
    problems=(TOO_MANY,),
)
def link_record(record_id: uuid.UUID, body: NewLink) -> RecordLinkShape:
    """Link a record to a contact or a conversation.

    A record is linked to a contact once: linking it again changes where it is shown.
    """
    record, contact_id = find(record_id), body.contact_id
    try:
        if body.conversation_id:
            contact_id = reach.find_conversation(body.conversation_id).contact_id
        contact_id = reach.find_contact(contact_id or uuid.UUID(int=0)).id
    except NotFound:
        name = "conversation_id" if body.conversation_id else "contact_id"
        fault = Fault("not_found", "There is none with this id.", f"/{name}")
        raise Problem("invalid_request", errors=[fault]) from None
    try:
        link = record.link(contact_id, by=current_key().actor, conversation_id=body.conversation_id)
    except TooManyLinks:
        raise Problem(TOO_MANY, most=MOST_LINKS) from None
    assert link
    return RecordLinkShape.of(link)


@endpoint("DELETE", "/records/<uuid:record_id>/links/<uuid:record_link_id>", scope=WRITE, tag=TAG)
def unlink_record(record_id: uuid.UUID, record_link_id: uuid.UUID) -> None:
    """Remove a link."""
    record, link = find(record_id), RecordLink.get_or_404(record_link_id)
    if link.record_id != record.id or link.removed_at:
        raise NotFound
    record.unlink(link, by=current_key().actor)


def find(id: uuid.UUID) -> Record:
    record = db.session.scalar(records().where(Record.id == id))
    if record is None:
        raise NotFound
    return record


def find_external(source: str, type: str, external_id: str) -> Record:
    same: Any = (Record.source == source, Record.type == type, Record.external_id == external_id)
    record = db.session.scalar(records().where(*same))
    if record is None:
        raise NotFound
    return record


def refuse_out_of_reach(record: Record) -> None:
    if db.session.scalar(records().where(Record.id == record.id)) is None:
        raise Problem(reach.OUT_OF_REACH)


def check_address(source: str, type: str, external_id: str) -> None:
    """Raises a `Problem` for what can't be a source or an id, `NotFound` for a type that there is not."""
    if type not in TYPES:
        raise NotFound
    if len(source) > LONGEST_SOURCE or not SOURCE.fullmatch(source) or source == HERE:
        advice = f"Use up to {LONGEST_SOURCE} small letters, digits, “_”, “.” and “-”; not “{HERE}”."
        raise Problem("invalid_request", errors=[Fault("invalid_source", advice, parameter="source")])
    if not external_id.strip() or len(external_id) > LONGEST_ID:
        advice = f"Use 1 to {LONGEST_ID} characters."
        raise Problem("invalid_request", errors=[Fault("invalid_external_id", advice, parameter="external_id")])
