"""Meta's monthly invoice to the partner, and its report by account: as a file, because no API has its lines.

Differences can be planted, so that whoever compares has something to find.
"""

import csv
import io
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from simulator import tiers
from simulator.context import Context
from simulator.credit_line import MILLION, CreditLine
from simulator.foreign_lines import credit_of
from simulator.messages import Message
from simulator.wabas import Waba
from simulator.zones import bounds_of, zone_of

COLUMNS = ("waba_id", "country", "category", "messages", "amount", "currency")


@dataclass
class Line:
    """What is charged for the messages of one account, country and category. `amount` is in millionths."""

    waba: Waba
    country: str
    category: str
    messages: int = 0
    amount: int = 0

    def as_row(self) -> tuple[Any, ...]:
        """As the report has it."""
        amount = f"{self.amount / MILLION:.6f}"
        return self.waba.id, self.country, self.category.upper(), self.messages, amount, self.waba.currency


def lines(world: Context, month: str) -> list[Line]:
    """The lines of a month, of all accounts that the partner's line pays for."""
    result: list[Line] = []
    for waba in Waba.where(world, "true order by created_at, id"):
        if credit_of(waba) is None:
            continue
        sums: dict[tuple[str, str], Line] = {}
        for id, place in tiers.places(waba, month).items():
            message = Message.where(world, "id = ?", id)[0]
            if message.number.waba_id == waba.id and is_in(message, waba, month):
                line = _line(sums, waba, message.customer.country, message.category)
                line.messages, line.amount = line.messages + 1, line.amount + place.price
        planted = "select * from invoice_differences where waba_id = ? and month = ?"
        for row in world.store.rows(planted, waba.id, month):
            line = _line(sums, waba, row["country"], row["category"])
            line.messages, line.amount = line.messages + row["volume"], line.amount + row["amount"]
        result += [sums[key] for key in sorted(sums)]
    return result


def is_in(message: Message, waba: Waba, month: str) -> bool:
    """True if it arrived in the account's month."""
    start, end = bounds_of(month, zone_of(waba.timezone_id))
    return start <= tiers.arrived_of(message) < end


def plant(waba: Waba, month: str, about: dict[str, str], volume: int, amount: float) -> None:
    """Makes Meta invoice so many messages more, or fewer, and so much more or less."""
    figures = {"volume": volume, "amount": round(amount * MILLION)}
    waba.world.store.insert("invoice_differences", replace=True, waba_id=waba.id, month=month, **about, **figures)


def report(world: Context, month: str) -> str:
    """The file of the Billing hub, as CSV."""
    out = io.StringIO()
    sheet = csv.writer(out)
    sheet.writerow(COLUMNS)
    sheet.writerows(line.as_row() for line in lines(world, month))
    return out.getvalue()


def invoices(world: Context, month: str) -> list[dict[str, Any]]:
    """One for each currency in which something was charged."""
    sums: dict[str, int] = defaultdict(int)
    for line in lines(world, month):
        sums[line.waba.currency] += line.amount
    compact = month.replace("-", "")
    return [
        {
            "id": f"{CreditLine.of(world).id}{compact}{place}",
            "invoice_id": f"FBADS-{compact}-{place}",
            "invoice_date": f"{month}-28",
            "billing_period": month,
            "amount": f"{amount / MILLION:.2f}",
            "amount_due": {"amount": f"{amount / MILLION:.2f}", "currency": currency},
            "currency": currency,
            "payment_status": "UNPAID",
            "type": "INV",
        }
        for place, (currency, amount) in enumerate(sorted(sums.items()), 1)
    ]


def _line(sums: dict[tuple[str, str], Line], waba: Waba, country: str, category: str) -> Line:
    return sums.setdefault((country, category), Line(waba, country, category))
