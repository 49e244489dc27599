"""Contacts for programs: list, get, create, upsert by an identity, update."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from flask import request
from pydantic import AfterValidator, Field
from sqlalchemy import Select, select
from werkzeug.exceptions import NotFound

from app.api import Fault, Page, PageQuery, Place, Problem, Shape, check_match, current_key, endpoint, problem, scope
from app.api.declaring import AddressTime
from app.api.pages import after
from app.contacts import search
from app.contacts.api.shapes import ContactShape
from app.contacts.api.tags import READ, TAG, TOO_MANY_TAGS, TagName, make_tag, visible
from app.contacts.fields import LONGEST_NAME as LONGEST_FIELD_NAME
from app.contacts.fields import LONGEST_VALUE, MOST_FIELDS, ContactField, Wrong
from app.contacts.listing import LISTED
from app.contacts.models import Contact, ContactIdentity, NumberTaken, lock_contacts
from app.contacts.names import LONGEST_NAME, plain
from app.contacts.tags import ContactTag
from app.inbox.api import reach
from app.inbox.api.reach import OUT_OF_REACH
from app.meta import written_numbers
from app.meta.spellings import other_spellings
from app.meta.written_numbers import NotRead
from app.tenancy import db, first_id
from app.words import N_

WRITE = scope("contacts:write", N_("Create and change contacts, their tags, fields and notes; merge them"))
EXISTS = problem(
    "contact_exists",
    409,
    "Another contact has this identity",
    N_("Use the contact in “contact_id”, or upsert it with PUT /contacts/by/phone/…."),
)
ERASED = problem("contact_erased", 409, "This person was erased", N_("Nothing more can be stored about them."))
NO_NEW = problem(
    "no_such_username",
    404,
    "No contact has this username",
    N_("A username can pass to another person, so no contact is made for it. Use a phone number or a BSUID."),
)
# A BSUID: a country, perhaps ENT, and up to 128 letters and digits (Meta: business-scoped user IDs).
BSUID = re.compile(r"[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}")
LONGEST_EXTERNAL = 200
# A contact's ids in other systems, all of which are read with it.
MOST_EXTERNAL = 50
# An id is made at most this long before its contact is stored.
SLACK = dt.timedelta(days=1)
Sort = Literal["name", "-last_seen_at", "-created_at"]
Kind = Literal["phone", "wa_id", "bsuid", "username", "external_id"]


class ContactsQuery(PageQuery):
    tag_id: uuid.UUID | None = Field(None, alias="filter[tag_id]")
    phone: Annotated[str, Field(max_length=40)] | None = Field(
        None, alias="filter[phone]", description="A number with its country code, however it is written."
    )
    search: Annotated[str, Field(min_length=1, max_length=100)] | None = Field(
        None,
        alias="filter[search]",
        description="Part of a name, a number, a username or a field. The answer is in the order of what matched.",
    )
    created_after: AddressTime | None = None
    seen_after: AddressTime | None = Field(None, description="Only those who wrote after this time.")
    sort: Sort = Field("-created_at", description="Not with `filter[search]`.")


@endpoint("GET", "/contacts", scope=READ, query=ContactsQuery, gives=Page[ContactShape], tag=TAG)
def list_contacts(query: ContactsQuery) -> Page[ContactShape]:
    """List contacts.

    The newest first, unless `sort` says otherwise. Merged and erased contacts are not in the list.
    """
    rows = select(Contact).where(*LISTED, reach.contact_reached(Contact.id))
    if query.tag_id:
        rows = rows.where(Contact.id.in_(select(ContactTag.contact_id).where(ContactTag.tag_id == query.tag_id)))
    if query.phone is not None:
        rows = rows.where(Contact.id.in_(having_number(query.phone)))
    if query.created_after:
        rows = rows.where(Contact.created_at > query.created_after, Contact.id > first_id(query.created_after - SLACK))
    if query.seen_after:
        rows = rows.where(Contact.last_seen_at > query.seen_after)
    if query.search is not None:
        return page_of_matches(rows, query, query.search)
    columns: dict[str, Any] = {"name": Contact.sort_name, "-last_seen_at": Contact.last_seen_at, "-created_at": None}
    column = columns[query.sort]
    rows = after(rows, query.after, Contact.id, column, ascending=query.sort == "name")
    read = list(db.session.scalars(rows.limit(query.limit + 1)))
    value = None if column is None else column.key
    return page(read, query.limit, lambda one: Place(one.id, value and getattr(one, value)))


def page_of_matches(rows: Select[Contact], query: ContactsQuery, words: str) -> Page[ContactShape]:
    """What the search of the inbox finds, of these rows."""
    if "sort" in query.model_fields_set:
        fault = Fault("not_with_search", "What is searched for has its own order.", parameter="sort")
        raise Problem("invalid_request", errors=[fault])
    place = Place.read(query.after, str)
    begins = search.Place(str(place.value)[: search.LONGEST_TERM], place.id) if place else None
    only = search.ContactTerm.contact_id.in_(rows.with_only_columns(Contact.id))
    places = search.find(words.replace("\x00", ""), query.limit + 1, begins, only=only)
    terms = {each.id: each.term for each in places}
    matching = {each.id: each for each in db.session.scalars(select(Contact).where(Contact.id.in_(terms)))}
    read = [matching[id] for id in terms if id in matching]
    return page(read, query.limit, lambda one: Place(one.id, terms[one.id]))


def page(read: list[Contact], limit: int, place: Any) -> Page[ContactShape]:
    shown = read[:limit]
    return Page(data=ContactShape.of_all(shown), next=str(place(shown[-1])) if len(read) > limit else None)


def having_number(written: str) -> Select[uuid.UUID]:
    try:
        wa_id = written_numbers.read(written)
    except NotRead as error:
        fault = Fault("invalid_phone_number", error.explain(), parameter="filter[phone]")
        raise Problem("invalid_request", errors=[fault]) from None
    numbers = ContactIdentity.kind == "wa_id", ContactIdentity.value.in_([wa_id, *other_spellings(wa_id)])
    return select(ContactIdentity.contact_id).where(*numbers)


@endpoint("GET", "/contacts/<uuid:contact_id>", scope=READ, gives=ContactShape, tag=TAG)
def get_contact(contact_id: uuid.UUID) -> ContactShape:
    """Get a contact.

    The id of a contact that was merged leads to the one that it was merged into.
    """
    return ContactShape.of(reach.find_contact(contact_id))


Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME), AfterValidator(visible)]
ExternalId = Annotated[str, Field(min_length=1, max_length=LONGEST_EXTERNAL), AfterValidator(visible)]
FieldName = Annotated[str, Field(min_length=1, max_length=LONGEST_FIELD_NAME)]
Value = (
    Annotated[str, Field(max_length=LONGEST_VALUE)]
    | bool
    | Annotated[int, Field(ge=-(10**15), le=10**15)]
    | Annotated[float, Field(ge=-1e15, le=1e15)]
    | None
)


class ContactChange(Shape):
    """A member that is left out stays as it is."""

    name: Name | None = None
    fields: dict[FieldName, Value] = Field(
        default_factory=dict,
        max_length=MOST_FIELDS,
        description="By the name or the id of a field. Null removes a value; a field that is left out keeps its own.",
    )


class ContactUpsert(ContactChange):
    phone: Annotated[str, Field(max_length=40, examples=["+4915112345678"])] | None = Field(
        None, description="For a contact that has no phone number yet."
    )
    external_id: ExternalId | None = Field(None, description="Your own id of them: of your shop, your CRM …")
    tags: list[TagName] = Field(
        default_factory=list, max_length=50, description="Added by name, beside those that the contact has."
    )


class NewContact(ContactUpsert):
    phone: Annotated[str, Field(max_length=40, examples=["+4915112345678"])] = Field(
        description="A phone number with its country code, however it is written."
    )


@endpoint(
    "POST",
    "/contacts",
    scope=WRITE,
    body=NewContact,
    gives=ContactShape,
    status=201,
    tag=TAG,
    problems=(EXISTS, OUT_OF_REACH, TOO_MANY_TAGS),
)
def create_contact(body: NewContact) -> ContactShape:
    """Create a contact.

    Where another contact has the number already, `contact_id` in the problem says which.
    """
    first, *others = identities_in(body)
    values = read_values(body)
    try:
        contact = Contact.create(body.name or "", first.value, by=current_key().actor)
    except NumberTaken as taken:
        raise exists(taken.contact) from None
    give(contact, others)
    save(contact, ContactChange(), values, body.tags)
    return ContactShape.of(contact)


def exists(contact: Contact) -> Problem:
    """That another contact has an identity; which one is said to whom it concerns."""
    if not reach.is_reached(contact):
        return Problem(OUT_OF_REACH)
    return Problem(EXISTS, more={"contact_id": str(contact.id)})


@dataclass(frozen=True, slots=True)
class Identity:
    """By what an address names a contact. `kind` is as it is stored."""

    kind: str
    value: str

    @classmethod
    def read(cls, kind: str, written: str) -> Identity:
        """Raises `NotFound` for a kind that there is not, and a `Problem` for what isn't one of its kind."""
        match kind:
            case "phone":
                return cls("wa_id", read_phone(written))
            case "wa_id" if written.isascii() and written.isdecimal():
                return cls("wa_id", read_phone(f"+{written}"))
            case "bsuid" if BSUID.fullmatch(written):
                return cls("parent_bsuid" if ".ENT." in written else "bsuid", written)
            case "external_id" if len(written) <= LONGEST_EXTERNAL and plain(written):
                return cls("external_id", plain(written))
            case "username" if 0 < len(written.lstrip("@")) <= 100 and written.isprintable():
                return cls("username", written.lstrip("@"))
            case "wa_id" | "bsuid" | "username" | "external_id":
                raise Problem(
                    "invalid_request", errors=[Fault(f"invalid_{kind}", "It can't be this.", parameter="value")]
                )
        raise NotFound

    def find(self) -> Contact | None:
        return Contact.with_identity(self.kind, self.value)


def identities_in(body: ContactUpsert) -> list[Identity]:
    """What a body says that they are known by, the phone number first. Raises a `Problem`."""
    identities = []
    if body.phone is not None:
        try:
            identities.append(Identity("wa_id", written_numbers.read(body.phone)))
        except NotRead as error:
            fault = Fault("invalid_phone_number", error.explain(), pointer="/phone")
            raise Problem("invalid_request", errors=[fault]) from None
    if body.external_id is not None:
        identities.append(Identity("external_id", body.external_id))
    return identities


def give(contact: Contact, identities: list[Identity]) -> None:
    """Adds what they are not known by yet; called with `lock_contacts`. Raises a `Problem`."""
    for each in identities:
        has_other = each.kind == "wa_id" and contact.identity("wa_id") and each.find() != contact
        if has_other:
            words = "This contact has another phone number. WhatsApp says when that changes; else merge the contacts."
            raise Problem("invalid_request", errors=[Fault("has_phone", words, pointer="/phone")])
        own = sum(one.kind == "external_id" for one in contact.identities)
        if each.kind == "external_id" and own >= MOST_EXTERNAL and each.find() is None:
            words = f"A contact can have {MOST_EXTERNAL} ids of yours. Use one that stays the same."
            raise Problem("invalid_request", errors=[Fault("too_many_external_ids", words)])
        try:
            contact.identify(each.kind, each.value)
        except NumberTaken as taken:
            raise exists(taken.contact) from None


def read_phone(written: str) -> str:
    try:
        return written_numbers.read(written)
    except NotRead as error:
        fault = Fault("invalid_phone_number", error.explain(), parameter="value")
        raise Problem("invalid_request", errors=[fault]) from None


@endpoint(
    "GET",
    "/contacts/by/<kind>/<external:value>",
    scope=READ,
    gives=ContactShape,
    tag=TAG,
)
def get_contact_by(kind: str, value: str) -> ContactShape:
    """Get a contact by an identity.

    `kind` is `phone`, `wa_id`, `bsuid`, `username` or `external_id`, your own id of them.
    """
    contact = Identity.read(kind, value).find()
    if contact is None or not reach.is_reached(contact):
        raise NotFound
    return ContactShape.of(contact)


@endpoint(
    "PUT",
    "/contacts/by/<kind>/<external:value>",
    scope=WRITE,
    body=ContactUpsert,
    gives=ContactShape,
    tag=TAG,
    problems=(ERASED, EXISTS, NO_NEW, OUT_OF_REACH, TOO_MANY_TAGS),
)
def upsert_contact(kind: str, value: str, body: ContactUpsert) -> ContactShape:
    """Create or update a contact by an identity.

    `kind` is `phone`, `wa_id`, `bsuid`, `username` or `external_id`, your own id of them. Whoever has the identity is
    changed, else who has the `phone` or the `external_id` of the body, and is known by all of them from then on; where
    no one has one, a contact is made. Only for a username none is made, since it can pass to another person.
    """
    identity, others = Identity.read(kind, value), identities_in(body)
    contact = identity.find()
    if contact is None or others:
        lock_contacts()
        contact = identity.find()
    if contact is None and identity.kind == "external_id":
        contact = next((same for each in others if (same := each.find())), None)
    if contact is None:
        return ContactShape.of(make(identity, others, body))
    if not reach.is_reached(contact):
        raise Problem(OUT_OF_REACH)
    return change(contact, body, body.tags, [identity, *others] if others else [])


def make(identity: Identity, others: list[Identity], body: ContactUpsert) -> Contact:
    if identity.kind == "username":
        raise Problem(NO_NEW)
    if request.headers.get("If-Match") is not None:
        raise Problem("changed_meanwhile")
    values = read_values(body)
    contact = Contact.create(body.name or "", identity.value, kind=identity.kind, by=current_key().actor)
    give(contact, others)
    save(contact, ContactChange(), values, body.tags)
    return contact


@endpoint(
    "PATCH",
    "/contacts/<uuid:contact_id>",
    scope=WRITE,
    body=ContactChange,
    gives=ContactShape,
    tag=TAG,
    problems=(ERASED,),
)
def update_contact(contact_id: uuid.UUID, body: ContactChange) -> ContactShape:
    """Update a contact.

    A name that is given stays, also when the customer changes theirs in WhatsApp.
    """
    return change(reach.find_contact(contact_id), body)


def change(
    contact: Contact, body: ContactChange, tags: list[str] | None = None, identities: Sequence[Identity] = ()
) -> ContactShape:
    contact.refresh_locked()
    refuse_erased(contact)
    check_match(ContactShape.of(contact))
    give(contact, list(identities))
    save(contact, body, read_values(body), tags or [])
    return ContactShape.of(contact)


def refuse_erased(contact: Contact) -> None:
    if contact.is_erased:
        raise Problem(ERASED)


def read_values(body: ContactChange) -> dict[ContactField, str]:
    """The values as they are stored. Raises a `Problem` that names every one that is wrong."""
    if not body.fields:
        return {}
    listed = ContactField.all()
    by_key = {field.name.lower(): field for field in listed} | {str(field.id): field for field in listed}
    values: dict[ContactField, str] = {}
    faults: list[Fault] = []
    for key, value in body.fields.items():
        pointer = "/fields/" + key.replace("~", "~0").replace("/", "~1")
        field = by_key.get(key.lower())
        if field is None:
            faults.append(Fault("unknown_field", "There is no such field. They are made in Settings.", pointer))
            continue
        try:
            values[field] = field.read(written(value))
        except Wrong as wrong:
            faults.append(Fault("invalid_value", wrong.explain(), pointer))
    if faults:
        raise Problem("invalid_request", errors=faults)
    return values


def written(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def save(contact: Contact, body: ContactChange, values: dict[ContactField, str], tags: list[str]) -> None:
    by = current_key().actor
    if body.name is not None:
        contact.rename(body.name, by=by)
    for name in tags:
        make_tag(name).put_on(contact.id, by=by)
    for field, value in values.items():
        field.put_on(contact.id, value, by=by)
    if values:
        search.index([contact.id])
