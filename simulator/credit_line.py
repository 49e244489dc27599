"""The partner's credit line: each priced message adds to what is owed; at the limit no message is sent."""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

from simulator.context import Context
from simulator.messages import Message
from simulator.record import Record

MILLION = 1_000_000
MOST = 10_000 * MILLION

_lines = (Path(__file__).parent / "rates.csv").read_text().splitlines()
RATES = {code: row for row in csv.DictReader(_lines) for code in row["calling_codes"].split(";")}
LONGEST_CODE = max(map(len, RATES))


@dataclass
class CreditLine(Record):
    """Amounts are millionths of the currency."""

    table: ClassVar[str] = "credit_line"

    currency: str
    owed: int
    most: int

    @classmethod
    def of(cls, world: Context) -> Self:
        id = world.settings.credit_line_id
        return cls.find(world, id) or cls.create(world, id=id, currency="USD", owed=0, most=MOST)

    @property
    def is_used_up(self) -> bool:
        return self.owed >= self.most

    def set(self, *, owed: object = None, most: object = None, currency: object = None) -> None:
        """Sets amounts in whole units; None leaves one unchanged."""
        changed: dict[str, Any] = {
            name: round(float(str(value)) * MILLION)
            for name, value in (("owed", owed), ("most", most))
            if value not in (None, "")
        }
        if currency:
            changed["currency"] = str(currency)
        if changed:
            self.update(**changed)

    def charge(self, message: Message) -> None:
        """Adds the message's price in SQL, because many messages are delivered at once."""
        sql = "update credit_line set owed = owed + ? where id = ?"
        self.world.store.write(sql, price_of(message), self.id)

    def amounts(self) -> dict[str, dict[str, str]]:
        """What is owed, the limit and what is left, in Meta's format for money."""
        left = max(0, self.most - self.owed)
        parts = {"balance": self.owed, "max_balance": self.most, "credit_available": left}
        return {name: _currency_amount(millionths, self.currency) for name, millionths in parts.items()}


def price_of(message: Message) -> int:
    """The rate of the longest calling code on the card that the customer's number starts with."""
    rates = _rates_of(message)
    return round(float(rates.get(message.category) or rates["marketing"]) * MILLION)


def market_of(message: Message) -> str:
    """Where the customer is, in the words of the card."""
    return str(_rates_of(message)["market"])


def _rates_of(message: Message) -> dict[str, Any]:
    digits = message.customer.wa_id
    prefixes = (digits[:length] for length in range(LONGEST_CODE, 0, -1))
    return RATES[next((prefix for prefix in prefixes if prefix in RATES), "*")]


def _currency_amount(millionths: int, currency: str) -> dict[str, str]:
    hundredths = str(millionths * 100 // MILLION)
    return {
        "amount": f"{millionths / MILLION:.2f}",
        "amount_in_hundredths": hundredths,
        "currency": currency,
        "offsetted_amount": hundredths,
    }
