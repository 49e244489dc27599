"""Contacts as a table for a spreadsheet, in which nothing a customer chose can calculate."""

from __future__ import annotations

import csv
import io
import uuid
from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from app import zones
from app.tenancy import db

from .consents import Consent
from .fields import ContactField, ContactFieldValue
from .imports import GUARDED
from .models import Contact

AT_ONCE = 1_000
COLUMNS = ("name", "phone", "username", "tags", "marketing", "created_at")


def safe(cell: str) -> str:
    """A cell that a spreadsheet takes for text (OWASP: CSV injection)."""
    return f"'{cell}" if cell.lstrip(" ").startswith(GUARDED) else cell


def table() -> Iterator[str]:
    """The rows as CSV, in pieces. Numbers stand there in digits: a plus sign would begin a formula."""
    fields = ContactField.all()
    yield "\ufeff" + written([[*COLUMNS, *(each.name for each in fields)]])
    last = uuid.UUID(int=0)
    while contacts := page_after(last):
        last = contacts[-1].id
        ids = [each.id for each in contacts]
        values, consents = values_of(ids), consents_of(ids)
        yield written([row(each, fields, values, consents) for each in contacts])
        db.session.expunge_all()


def page_after(last: uuid.UUID) -> list[Contact]:
    query = select(Contact).where(Contact.id > last, Contact.merged_into_id.is_(None), Contact.erased_at.is_(None))
    query = query.options(selectinload(Contact.identities), selectinload(Contact.tags))
    return list(db.session.scalars(query.order_by(Contact.id).limit(AT_ONCE)))


def values_of(ids: list[uuid.UUID]) -> dict[tuple[uuid.UUID, uuid.UUID], str]:
    columns = ContactFieldValue.contact_id, ContactFieldValue.field_id, ContactFieldValue.value
    found = db.session.execute(select(*columns).where(ContactFieldValue.contact_id.in_(ids)))
    return {(contact, field): value for contact, field, value in found}


def consents_of(ids: list[uuid.UUID]) -> dict[uuid.UUID, bool]:
    columns = Consent.contact_id, Consent.is_granted
    mine = Consent.contact_id.in_(ids), Consent.purpose == "marketing"
    found = db.session.execute(select(*columns).where(*mine).order_by(Consent.occurred_at, Consent.id))
    return dict(found.all())


def row(
    contact: Contact,
    fields: list[ContactField],
    values: dict[tuple[uuid.UUID, uuid.UUID], str],
    consents: dict[uuid.UUID, bool],
) -> list[str]:
    agreed = consents.get(contact.id)
    return [
        contact.name,
        contact.identity("wa_id") or "",
        contact.username or "",
        "; ".join(tag.name for tag in contact.tags),
        "" if agreed is None else "yes" if agreed else "no",
        zones.local(contact.created_at).isoformat(timespec="seconds"),
        *(values.get((contact.id, field.id), "") for field in fields),
    ]


def written(rows: list[list[str]]) -> str:
    out = io.StringIO(newline="")
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows([safe(cell) for cell in row] for row in rows)
    return out.getvalue()
