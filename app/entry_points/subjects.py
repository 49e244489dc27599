"""What a conversation is about: the property, page, order, campaign or ad that it came from."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Self
from urllib.parse import urlsplit

from babel import Locale
from babel.numbers import format_currency, is_currency
from flask_babel import get_locale

from app.billing.money import MICROS
from app.contacts.names import plain
from app.meta.contents import web_address
from app.words import N_

LONGEST_ID, LONGEST_TITLE, LONGEST_URL = 200, 200, 1_000
TYPE = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)
PRICE = re.compile(r"\d{1,12}(?:\.\d{1,6})?", re.ASCII)
# Types with words of their own; another is shown as it was given.
TYPES = {
    "property": N_("Property"),
    "product": N_("Product"),
    "order": N_("Order"),
    "page": N_("Page"),
    "campaign": N_("Campaign"),
    "ad": N_("Ad"),
    "entry_point": N_("Link or button"),
}
# How features say where a subject of theirs is; each returns "" for others.
PLACES: list[Callable[[Subject], str]] = []
UTM = ("source", "medium", "campaign", "term", "content")
LONGEST_UTM = 100
RIGHT_TO_LEFT = re.compile(r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")


@dataclass(frozen=True, slots=True)
class Subject:
    """`is_claimed`: the page said so in an address that anybody could write; no one signed it."""

    type: str
    external_id: str = ""
    title: str = ""
    price_micros: int | None = None
    currency: str = ""
    url: str = ""
    is_claimed: bool = False

    @classmethod
    def claimed(cls, given: Mapping[str, str]) -> Self | None:
        """Of the parameters of a short link, cut to sane lengths. None where they name nothing."""
        kind = given.get("type", "")
        made = cls(
            kind if TYPE.fullmatch(kind) else "page",
            plain(given.get("id", ""))[:LONGEST_ID],
            plain(given.get("title", ""))[:LONGEST_TITLE],
            *price_of(given.get("price", ""), given.get("currency", "")),
            web_address(given.get("url", "")[:LONGEST_URL]),
            is_claimed=True,
        )
        return made if made.external_id or made.title or made.url else None

    @classmethod
    def of_campaign(cls, name: str) -> Self:
        return cls("campaign", name, name, is_claimed=True)

    @classmethod
    def of_ad(cls, referral: Mapping[str, Any]) -> Self:
        """Of the `referral` of a message."""
        id, title = (plain(str(referral.get(name) or "")) for name in ("source_id", "headline"))
        return cls(
            "ad", id[:LONGEST_ID], title[:LONGEST_TITLE], url=web_address(referral.get("source_url"))[:LONGEST_URL]
        )

    @classmethod
    def read(cls, stored: Mapping[str, Any] | None) -> Self | None:
        return cls(**stored) if stored else None

    def as_json(self) -> dict[str, Any]:
        """Without what is empty."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return {name: value for name, value in values.items() if value not in ("", None, False)}

    def signed(self) -> Self:
        return replace(self, is_claimed=False)

    @property
    def place(self) -> str:
        """Where it can be visited, as far as that is known here."""
        return next(filter(None, (find(self) for find in PLACES)), "")

    @property
    def words(self) -> str:
        """“Villa in Dakar · 500,000 XOF”, the price in the reader's language."""
        name = self.title or self.host or self.external_id
        if not (price := self.price):
            return name
        # Amount and currency stay together beside a name that runs from right to left.
        return f"{name} · \u2066{price}\u2069" if RIGHT_TO_LEFT.search(name) else f"{name} · {price}"

    @property
    def price(self) -> str:
        """As the reader's language writes it."""
        return self.price_in(get_locale() or Locale("en"))

    def price_in(self, locale: Locale) -> str:
        """With its code behind it, and the decimals that the currency has: “500,000 XOF”."""
        if self.price_micros is None:
            return ""
        amount = Decimal(self.price_micros).scaleb(-6)
        return str(format_currency(amount, self.currency, "#,##0.00\xa0¤¤", locale=locale))

    @property
    def written_price(self) -> str:
        """As `price_of` reads it."""
        if self.price_micros is None:
            return ""
        return f"{Decimal(self.price_micros).scaleb(-6).normalize():f} {self.currency}"

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def title_of_type(self) -> str:
        """A key of gettext."""
        return TYPES.get(self.type, self.type.replace("_", " ").capitalize())


def finds_places(find: Callable[[Subject], str]) -> Callable[[Subject], str]:
    """Registers a function that says where a subject is."""
    PLACES.append(find)
    return find


def price_of(price: str, currency: str) -> tuple[int | None, str]:
    """`500000` and `XOF`, or `500000 XOF` in one, as micro-units; nothing where it is no such amount."""
    amount, _, code = price.strip().partition(" ")
    code = (currency or code).strip().upper()
    if not PRICE.fullmatch(amount) or not (len(code) == 3 and code.isascii() and is_currency(code)):
        return None, ""
    return int(Decimal(amount) * MICROS), code


def campaign_words(utm: Mapping[str, str]) -> str:
    return " / ".join(utm[name] for name in UTM if utm.get(name))


def utm_of(given: Mapping[str, str]) -> dict[str, str] | None:
    """The campaign parameters of an address, without their prefix."""
    values = {name: plain(given.get(f"utm_{name}", ""))[:LONGEST_UTM] for name in UTM}
    return {name: value for name, value in values.items() if value} or None
