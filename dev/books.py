"""What the demo's bakery owes: a closed month with its invoice, and differences to what Meta counted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from sqlalchemy import func, select

from app.billing.invoices import BillingDetails, Close
from app.billing.ledger import Journal, Ledger
from app.billing.plans import Plan
from app.billing.reconciliation import Reconciliation, VolumeComparison
from app.billing.subscriptions import subscribe
from app.tenancy import db
from app.wabas.models import Waba

BY = "Pat"
# What the bakery's till sent from the number last month, of each category: whom, and how many.
SENT = {"utility": (("4915798765432", 34), ("447911123456", 12)), "marketing": (("16505551234", 25),)}
# Messages that Meta counted and whose webhooks never arrived: days ago, country, category, how many; and why, if known.
MISSING = (
    (2, "DE", "utility", 3, ""),
    (3, "GB", "marketing", 2, "The till was tried out before its webhooks were set up."),
)


def last_month(today: dt.date) -> dt.date:
    return (today.replace(day=1) - dt.timedelta(days=1)).replace(day=1)


def statuses(month: dt.date) -> Iterator[dict[str, Any]]:
    """What Meta reported of each message: other software sent them, so no conversation has them."""
    for category, receivers in SENT.items():
        for wa_id, count in receivers:
            for number in range(count):
                at = dt.datetime(month.year, month.month, 2 + number % 17, 9, number % 60, tzinfo=dt.UTC)
                pricing = {"billable": True, "pricing_model": "PMP", "type": "regular", "category": category}
                yield {
                    "id": f"wamid.till-{month:%Y%m}-{category}-{wa_id}-{number}",
                    "status": "delivered",
                    "timestamp": str(int(at.timestamp())),
                    "recipient_id": wa_id,
                    "pricing": pricing,
                }


def has_begun() -> bool:
    return bool(Ledger().balance)


def begin() -> None:
    """A plan, paid for by invoice."""
    details = BillingDetails.current()
    details.company, details.address, details.country = "Bakery GmbH", "Market Street 12, 10115 Berlin", "DE"
    db.session.add(details)
    subscribe(plan("Starter"), mode="postpaid", limit_micros=500 * 10**6, by=BY)


def plan(name: str) -> Any:
    chosen = Plan.named(name)
    assert chosen
    return chosen.id


def count_posted() -> int:
    return db.session.scalar(select(func.count()).select_from(Journal).where(Journal.kind == "message")) or 0


def close(month: dt.date) -> None:
    """Issues the invoice of the month; from here on the bakery has the larger plan."""
    Close(Ledger()).run(month)
    subscribe(plan("Team"), mode="postpaid", limit_micros=500 * 10**6, by=BY)


def reconcile() -> None:
    """Compares with Meta's count, and explains what is known."""
    for waba_id in list(db.session.scalars(select(Waba.id))):
        Reconciliation(waba_id).run()
    reasons = {(country, category): words for _days, country, category, _count, words in MISSING if words}
    for difference in db.session.scalars(VolumeComparison.open()).all():
        if words := reasons.get((difference.country, difference.category.lower())):
            difference.explain(words, by=BY)
