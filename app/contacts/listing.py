"""The table of contacts: which of them, in which order, and how many."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, literal, or_, select, tuple_
from sqlalchemy.orm import aliased, selectinload

from app.folding import fold
from app.tenancy import db, is_uuid

from . import search
from .consents import Consent
from .fields import ContactField, ContactFieldValue
from .models import Contact
from .tags import ContactTag, Tag

PAGE = 50
MOST_COUNTED = 1_000
SORTS = ("name", "last_seen", "created")
CONSENTS = ("yes", "no", "none")


@dataclass(slots=True)
class ContactListing:
    """What an address asks for. `arguments` make the same address again."""

    query: str = ""
    tag: Tag | None = None
    of_field: ContactField | None = None
    value: str = ""
    consent: str = ""
    sort: str = "last_seen"
    after: str = ""
    contacts: list[Contact] = dataclasses.field(default_factory=list)
    next_after: str = ""

    @classmethod
    def read(cls, arguments: Mapping[str, Any]) -> ContactListing:
        """What makes no sense is passed over."""
        sort, consent = str(arguments.get("sort") or ""), str(arguments.get("consent") or "")
        return cls(
            query=cleaned(arguments.get("q")),
            tag=Tag.find(arguments.get("tag")),
            of_field=ContactField.find(arguments.get("field")),
            value=cleaned(arguments.get("value")),
            consent=consent if consent in CONSENTS else "",
            sort=sort if sort in SORTS else "last_seen",
            after=str(arguments.get("after") or "")[:200].replace("\x00", ""),
        )

    @property
    def arguments(self) -> dict[str, str]:
        arguments = {
            "q": self.query,
            "tag": self.tag and str(self.tag.id),
            "field": self.of_field and str(self.of_field.id),
            "value": self.of_field and self.value,
            "consent": self.consent,
            "sort": self.sort if self.sort != "last_seen" else "",
        }
        return {name: value for name, value in arguments.items() if value}

    @property
    def is_filtered(self) -> bool:
        return bool(self.tag or self.of_field or self.consent)

    @property
    def is_narrowed(self) -> bool:
        return self.is_filtered or bool(self.query)

    def load(self) -> ContactListing:
        """A page of contacts, and where the next one begins."""
        rows = self.matches() if self.query else self.sorted()
        self.contacts = rows[:PAGE]
        return self

    def sorted(self) -> list[Contact]:
        order, position = ORDERS[self.sort]
        query = select(Contact).where(*LISTED, *self.conditions(Contact.id))
        if place := read_place(self.after, self.sort):
            query = query.where(position(place))
        rows = list(db.session.scalars(with_details(query).order_by(*order).limit(PAGE + 1)))
        self.next_after = place_of(rows[PAGE - 1], self.sort) if len(rows) > PAGE else ""
        return rows

    def matches(self) -> list[Contact]:
        only = and_(*self.conditions(search.ContactTerm.contact_id)) if self.is_filtered else None
        places = search.find(self.query, PAGE + 1, search.Place.read(self.after), only=only)
        self.next_after = str(places[PAGE - 1]) if len(places) > PAGE else ""
        ids = [place.id for place in places[:PAGE]]
        rows = {each.id: each for each in db.session.scalars(with_details(select(Contact).where(Contact.id.in_(ids))))}
        return [rows[id] for id in ids if id in rows]

    def ids(self, limit: int) -> list[uuid.UUID]:
        """Everybody who matches, up to a limit."""
        if self.query:
            only = and_(*self.conditions(search.ContactTerm.contact_id)) if self.is_filtered else None
            return [place.id for place in search.find(self.query, limit, only=only)]
        order, _position = ORDERS[self.sort]
        query = select(Contact.id).where(*LISTED, *self.conditions(Contact.id)).order_by(*order)
        return list(db.session.scalars(query.limit(limit)))

    def count(self) -> tuple[int, bool]:
        """How many match, counted up to a bound, and whether there are more."""
        if self.query:
            number = len(self.ids(MOST_COUNTED + 1))
            return min(number, MOST_COUNTED), number > MOST_COUNTED
        some = select(Contact.id).where(*LISTED, *self.conditions(Contact.id)).limit(MOST_COUNTED + 1).subquery()
        number = db.session.scalars(select(func.count()).select_from(some)).one()
        return min(number, MOST_COUNTED), number > MOST_COUNTED

    def conditions(self, contact_id: Any) -> list[ColumnElement[bool]]:
        conditions: list[ColumnElement[bool]] = []
        if self.tag:
            conditions.append(contact_id.in_(select(ContactTag.contact_id).where(ContactTag.tag_id == self.tag.id)))
        if self.of_field:
            conditions.append(contact_id.in_(having(self.of_field, self.value)))
        if self.consent:
            conditions.append(consented(contact_id, self.consent))
        return conditions

    @property
    def matching_tags(self) -> list[Tag]:
        """Tags whose name begins with the query."""
        if not self.query or self.tag:
            return []
        words = fold(self.query)
        return [tag for tag in db.session.scalars(Tag.in_order()) if fold(tag.name).startswith(words)][:3]


LISTED = (Contact.merged_into_id.is_(None), Contact.erased_at.is_(None))
ORDERS: dict[str, Any] = {
    "name": (
        (Contact.sort_name, Contact.id),
        lambda place: tuple_(Contact.sort_name, Contact.id) > tuple_(literal(place[0]), literal(place[1])),
    ),
    "last_seen": (
        (Contact.last_seen_at.desc(), Contact.id.desc()),
        lambda place: tuple_(Contact.last_seen_at, Contact.id) < tuple_(literal(place[0]), literal(place[1])),
    ),
    "created": ((Contact.id.desc(),), lambda place: Contact.id < place[1]),
}


def cleaned(value: object) -> str:
    return str(value or "").replace("\x00", "").strip()[:100]


def place_of(contact: Contact, sort: str) -> str:
    values = {"name": contact.sort_name, "last_seen": contact.last_seen_at.isoformat(), "created": ""}
    return f"{values[sort]}|{contact.id}"


def read_place(after: str, sort: str) -> tuple[Any, uuid.UUID] | None:
    """Where the page before ended; None for the first page, and for what isn't a place."""
    value, _, id = after.rpartition("|")
    if not is_uuid(id):
        return None
    if sort != "last_seen":
        return value, uuid.UUID(id)
    try:
        moment = dt.datetime.fromisoformat(value)
    except ValueError:
        return None
    return (moment, uuid.UUID(id)) if moment.tzinfo else None


def with_details(query: Select[Contact]) -> Select[Contact]:
    return query.options(selectinload(Contact.identities), selectinload(Contact.tags))


def having(field: ContactField, value: str) -> Select[uuid.UUID]:
    """Contacts with this value of a field; with any, where none is asked for. Of texts a part is enough."""
    query = select(ContactFieldValue.contact_id).where(ContactFieldValue.field_id == field.id)
    if not value:
        return query
    if field.kind in ("text", "link"):
        return query.where(func.strpos(func.search_fold(ContactFieldValue.value), fold(value)) > 0)
    try:
        return query.where(ContactFieldValue.value == field.read(value))
    except ValueError:
        return query.where(literal(value=False))


def consented(contact_id: Any, answer: str) -> ColumnElement[bool]:
    """Contacts whose latest marketing consent has this value."""
    later = aliased(Consent)
    about = Consent.contact_id == contact_id, Consent.purpose == "marketing"
    if answer == "none":
        return ~exists().where(*about)
    is_later = or_(
        later.occurred_at > Consent.occurred_at,
        and_(later.occurred_at == Consent.occurred_at, later.id > Consent.id),
    )
    same = later.contact_id == Consent.contact_id, later.purpose == Consent.purpose, is_later
    return exists().where(*about, Consent.is_granted == (answer == "yes"), ~exists().where(*same).correlate(Consent))


def marketing_of(contacts: list[Contact]) -> dict[uuid.UUID, bool]:
    """The last answer about marketing of each contact that gave one."""
    mine = Consent.contact_id.in_([each.id for each in contacts]), Consent.purpose == "marketing"
    query = select(Consent.contact_id, Consent.is_granted).where(*mine).order_by(Consent.occurred_at, Consent.id)
    return dict(db.session.execute(query).all())


def values_of(contacts: list[Contact], fields: list[ContactField]) -> dict[tuple[uuid.UUID, uuid.UUID], str]:
    mine = (
        ContactFieldValue.contact_id.in_([each.id for each in contacts]),
        ContactFieldValue.field_id.in_([each.id for each in fields]),
    )
    columns = ContactFieldValue.contact_id, ContactFieldValue.field_id, ContactFieldValue.value
    return {(contact, field): value for contact, field, value in db.session.execute(select(*columns).where(*mine))}
