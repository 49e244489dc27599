"""Exports contacts as CSV for a spreadsheet, in which nothing that a customer chose is calculated."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from typing import Self

from sqlalchemy import Index, Select, func, select, text
from sqlalchemy.orm import Mapped, mapped_column, relationship, selectinload

from app.spreadsheets import as_csv
from app.tenancy import Download, TenantModel, User, db, now, of_tenant

from .consents import Consent
from .fields import ContactField, ContactFieldValue
from .models import Contact

AT_ONCE = 200
COLUMNS = ("name", "phone", "username", "tags", "marketing", "created_at")


class ContactExport(TenantModel):
    """Who exported all contacts, and when. The app's role may add to it and never change it."""

    __table_args__ = (of_tenant(), Index("ix_contact_exports_newest", "tenant_id", text("id desc")))

    by_id: Mapped[uuid.UUID]
    contact_count: Mapped[int]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    by: Mapped[User | None] = relationship(
        viewonly=True, primaryjoin="foreign(ContactExport.by_id) == User.id", lazy="joined"
    )

    @classmethod
    def record(cls, *, by: User) -> Self:
        listed = Contact.merged_into_id.is_(None), Contact.erased_at.is_(None)
        count = db.session.scalars(select(func.count()).select_from(Contact).where(*listed)).one()
        made = cls(by_id=by.id, contact_count=count)
        db.session.add(made)
        return made

    @classmethod
    def newest(cls, limit: int = 20) -> Select[Self]:
        return select(cls).order_by(cls.id.desc()).limit(limit)


def rows_as_csv(download: Download, zone: dt.tzinfo) -> Iterator[str]:
    """The rows in pieces, each read in a scope of its own: while the browser takes one, nothing is held.

    Phone numbers are digits with their country code: a plus would begin a formula.
    """
    with download.scope():
        fields = ContactField.all()
    yield as_csv([[*COLUMNS, *(each.name for each in fields)]])
    last: uuid.UUID | None = uuid.UUID(int=0)
    while last:
        with download.scope():
            contacts = page_after(last)
            ids = [each.id for each in contacts]
            values, consents = values_of(ids), consents_of(ids)
            rows = [row_of(each, fields, values, consents, zone) for each in contacts]
        last = ids[-1] if ids else None
        yield as_csv(rows)


def page_after(last: uuid.UUID) -> list[Contact]:
    query = select(Contact).where(Contact.id > last, Contact.merged_into_id.is_(None), Contact.erased_at.is_(None))
    query = query.options(selectinload(Contact.identities), selectinload(Contact.tags))
    return list(db.session.scalars(query.order_by(Contact.id).limit(AT_ONCE)))


def values_of(ids: list[uuid.UUID]) -> dict[tuple[uuid.UUID, uuid.UUID], str]:
    columns = ContactFieldValue.contact_id, ContactFieldValue.field_id, ContactFieldValue.value
    rows = db.session.execute(select(*columns).where(ContactFieldValue.contact_id.in_(ids)))
    return {(contact, field): value for contact, field, value in rows}


def consents_of(ids: list[uuid.UUID]) -> dict[uuid.UUID, bool]:
    """The latest answer about marketing of each contact that has one."""
    columns = Consent.contact_id, Consent.is_granted
    mine = Consent.contact_id.in_(ids), Consent.purpose == "marketing"
    rows = db.session.execute(select(*columns).where(*mine).order_by(Consent.occurred_at, Consent.id))
    return dict(rows.all())


def row_of(
    contact: Contact,
    fields: list[ContactField],
    values: dict[tuple[uuid.UUID, uuid.UUID], str],
    consents: dict[uuid.UUID, bool],
    zone: dt.tzinfo,
) -> list[str]:
    agreed = consents.get(contact.id)
    return [
        contact.name,
        contact.identity("wa_id") or "",
        contact.username or "",
        "; ".join(tag.name for tag in contact.tags),
        "" if agreed is None else "yes" if agreed else "no",
        contact.created_at.astimezone(zone).isoformat(timespec="seconds"),
        *(values.get((contact.id, field.id), "") for field in fields),
    ]
