"""Contacts, tags and fields as the API shows them. Outgoing webhooks carry the same."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Self

from pydantic import Field
from sqlalchemy import Row, func, select

from app.api import Shape
from app.api.declaring import Time
from app.contacts.fields import ContactField, ContactFieldValue
from app.contacts.models import Contact, ContactIdentity
from app.contacts.tags import ContactTag, Tag
from app.tenancy import db

# Of one contact, however many there are.
MOST_TAGS, MOST_IDENTITIES = 100, 50


class TagReference(Shape):
    id: uuid.UUID
    name: str


class TagShape(Shape):
    """A tag that contacts can have."""

    id: uuid.UUID
    name: str
    color: str
    created_at: Time

    @classmethod
    def of(cls, tag: Tag) -> Self:
        return cls(id=tag.id, name=tag.name, color=tag.color, created_at=tag.created_at)


class FieldShape(Shape):
    """A field that contacts can have."""

    id: uuid.UUID
    name: str
    kind: str = Field(description="text, number, date, yes_no, choice or link.")
    choices: list[str] = Field(description="Of a `choice`: its possible values.")

    @classmethod
    def of(cls, field: ContactField) -> Self:
        return cls(id=field.id, name=field.name, kind=field.kind, choices=field.choices)


class ContactShape(Shape):
    """A person who writes to you, or whom you write to; or a group of several."""

    id: uuid.UUID
    name: str
    phone: str | None = Field(description="In international form; null where WhatsApp hides it.")
    phones: list[str] = Field(description="Every number they have had, the present one first.")
    bsuid: str | None = Field(description="WhatsApp's id for them in your business portfolio.")
    username: str | None
    external_id: str | None = Field(description="Your own id of them, the latest that you gave.", examples=["crm-1042"])
    is_group: bool
    is_erased: bool
    tags: list[TagReference] = Field(description=f"The first {MOST_TAGS}.")
    fields: dict[str, str] = Field(description="The values by the names of your fields; only those that have one.")
    created_at: Time
    last_seen_at: Time | None = Field(description="When they last wrote; null where they never did.")

    @classmethod
    def of(cls, contact: Contact) -> Self:
        return cls.of_all([contact])[0]

    @classmethod
    def of_all(cls, contacts: Sequence[Contact]) -> list[Self]:
        """With three queries for all of them."""
        ids = [contact.id for contact in contacts]
        identities, tags, values = identities_of(ids), tags_of(ids), values_of(ids)
        return [cls.made_of(each, identities[each.id], tags[each.id], values[each.id]) for each in contacts]

    @classmethod
    def made_of(
        cls, contact: Contact, identities: list[Row[Any]], tags: list[Row[Any]], values: list[Row[Any]]
    ) -> Self:
        newest: dict[str, str] = {}
        for identity in identities:
            newest.setdefault(identity.kind, identity.value)
        phones = [f"+{identity.value}" for identity in identities if identity.kind == "wa_id"]
        return cls(
            id=contact.id,
            name=contact.name,
            phone=phones[0] if phones else None,
            phones=phones,
            bsuid=newest.get("bsuid"),
            username=newest.get("username"),
            external_id=newest.get("external_id"),
            is_group="group" in newest,
            is_erased=contact.is_erased,
            tags=[TagReference(id=tag.id, name=tag.name) for tag in tags],
            fields={value.name: value.value for value in values},
            created_at=contact.created_at,
            last_seen_at=contact.seen_at,
        )


Rows = dict[uuid.UUID, list[Row[Any]]]


def identities_of(contact_ids: list[uuid.UUID]) -> Rows:
    """Newest first, so many of each kind: a contact with many of one is still known by the others."""
    place = func.row_number().over(
        partition_by=(ContactIdentity.contact_id, ContactIdentity.kind),
        order_by=(ContactIdentity.created_at.desc(), ContactIdentity.id.desc()),
    )
    mine = select(ContactIdentity.contact_id, ContactIdentity.kind, ContactIdentity.value, place.label("place"))
    few = mine.where(ContactIdentity.contact_id.in_(contact_ids)).subquery()
    return by_contact(select(few).where(few.c.place <= MOST_IDENTITIES).order_by(few.c.place))


def tags_of(contact_ids: list[uuid.UUID]) -> Rows:
    """In the order of the business's list of tags."""
    place = func.row_number().over(
        partition_by=ContactTag.contact_id, order_by=(Tag.position, func.lower(Tag.name), Tag.id)
    )
    same = (Tag.tenant_id == ContactTag.tenant_id) & (Tag.id == ContactTag.tag_id)
    mine = select(ContactTag.contact_id, Tag.id, Tag.name, place.label("place")).join(Tag, same)
    few = mine.where(ContactTag.contact_id.in_(contact_ids)).subquery()
    return by_contact(select(few).where(few.c.place <= MOST_TAGS).order_by(few.c.place))


def values_of(contact_ids: list[uuid.UUID]) -> Rows:
    """As many as there are fields at most."""
    same = (ContactField.tenant_id == ContactFieldValue.tenant_id) & (ContactField.id == ContactFieldValue.field_id)
    mine = select(ContactFieldValue.contact_id, ContactField.name, ContactFieldValue.value).join(ContactField, same)
    return by_contact(
        mine.where(ContactFieldValue.contact_id.in_(contact_ids)).order_by(ContactField.position, ContactField.id)
    )


def by_contact(query: Any) -> Rows:
    rows: Rows = defaultdict(list)
    for row in db.session.execute(query):
        rows[row.contact_id].append(row)
    return rows
