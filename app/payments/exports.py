"""Payments as CSV for a spreadsheet, in which nothing that a customer wrote is calculated."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from sqlalchemy import tuple_
from sqlalchemy.orm import selectinload

from app.contacts.models import Contact
from app.spreadsheets import as_csv
from app.tenancy import Download, db

from .forms import PaymentFilter
from .models import Payment

AT_ONCE = 200
COLUMNS = ("paid_at", "id", "contact", "phone", "title", "reference", "amount", "currency", "status")


def rows_as_csv(download: Download, wanted: PaymentFilter, zone: dt.tzinfo) -> Iterator[str]:
    """The rows in pieces, each read in a scope of its own: while the browser takes one, nothing is held."""
    yield as_csv([[*COLUMNS]])
    last: Payment | None = None
    while True:
        with download.scope():
            payments = page_after(wanted, last)
            rows = [row_of(one, zone) for one in payments]
        if not payments:
            return
        last = payments[-1]
        yield as_csv(rows)


def page_after(wanted: PaymentFilter, last: Payment | None) -> list[Payment]:
    query = wanted.query().options(selectinload(Payment.contact).selectinload(Contact.identities))
    if last:
        query = query.where(tuple_(Payment.paid_at, Payment.id) < (last.paid_at, last.id))
    return list(db.session.scalars(query.limit(AT_ONCE)))


def row_of(payment: Payment, zone: dt.tzinfo) -> list[str]:
    contact = payment.contact
    return [
        payment.paid_at.astimezone(zone).isoformat(timespec="seconds"),
        payment.external_id,
        contact.name if contact else "",
        (contact.identity("wa_id") or "") if contact else "",
        payment.title,
        payment.reference,
        f"{payment.amount.normalize():f}",
        payment.currency,
        payment.status,
    ]
