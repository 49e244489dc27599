"""What Meta invoices our own business: whole invoices. Their lines by account are in a file of the Billing hub only."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from .graph import GraphClient
from .payload import identifier, mapping, text

_FIELDS = "id,invoice_id,invoice_date,amount,billing_period,currency,payment_status,type"
_MONTH = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])", re.ASCII)


@dataclass(frozen=True, slots=True)
class BusinessInvoice:
    """`type` is INV, CM (credit memo), DM (debit memo) or PRO_FORMA. `month` is the first day of what it is for."""

    id: str
    number: str
    type: str
    month: dt.date
    currency: str
    amount: Decimal
    payment_status: str


def fetch(graph: GraphClient, token: str, business_id: str, since: dt.date, until: dt.date) -> list[BusinessInvoice]:
    """Those issued between two days (Meta: Business, `business_invoices`). Raises MetaError."""
    params = {"issue_start_date": since.isoformat(), "issue_end_date": until.isoformat(), "fields": _FIELDS}
    items = graph.pages(f"{business_id}/business_invoices", token=token, params=params)
    return [invoice for item in items if (invoice := read(mapping(item)))]


def read(item: dict[str, Any]) -> BusinessInvoice | None:
    """None for one without an id, a month or an amount."""
    id, amount = identifier(item.get("id")), amount_of(item.get("amount"))
    month = month_of(text(item.get("billing_period"), 60)) or month_before(text(item.get("invoice_date"), 40))
    currency = text(item.get("currency"), 3) or text(mapping(item.get("amount")).get("currency"), 3) or ""
    if id is None or amount is None or month is None:
        return None
    number, status = text(item.get("invoice_id"), 60) or id, text(item.get("payment_status"), 40) or ""
    return BusinessInvoice(id, number, text(item.get("type"), 20) or "", month, currency.upper(), amount, status)


def amount_of(value: object) -> Decimal | None:
    """Written as a text, or as Meta's amounts are."""
    written = mapping(value).get("amount") if isinstance(value, dict) else value
    try:
        amount = Decimal(str(written).replace(",", ""))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and abs(amount) < 10**12 else None


def month_of(written: str | None) -> dt.date | None:
    match = _MONTH.search(written or "")
    return dt.date(int(match[1]), int(match[2]), 1) if match else None


def month_before(written: str | None) -> dt.date | None:
    """An invoice is issued after the month that it is for."""
    issued = month_of(written)
    return (issued - dt.timedelta(days=1)).replace(day=1) if issued else None
