"""What somebody looks for: the same criteria filter a page, answer a form, and are stored as a saved search."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from app.contacts.refusals import Refusal
from app.folding import fold
from app.templating import listed
from app.tenancy import db
from app.words import N_

from .amounts import checked_price, number_words, price_words, rooms_words
from .kinds import KINDS, TYPES, read_kind, read_type
from .models import LONGEST_PLACE, Listing, keys_of, search_key

MOST_TYPES, MOST_PLACES, MOST_WORDS, LONGEST_WORD = 10, 10, 8, 60
MOST_NUMBER = 1_000_000
# A search that more listings match than this says too little for alerts.
MOST_MATCHES = 2_000
# Counting stops there; what is above is said as “more than”.
MOST_COUNTED = 100_000


class TooWide(Refusal):
    """The search matches too much to send alerts about."""


@dataclass(frozen=True, slots=True)
class Criteria:
    """An empty part means any. Prices are in micro-units of `currency`; places are cities or districts."""

    kind: str = ""
    types: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    price_from: int | None = None
    price_to: int | None = None
    currency: str = ""
    rooms_from: float | None = None
    rooms_to: float | None = None
    area_from: float | None = None
    area_to: float | None = None
    words: str = ""

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """From the values of a form, an API or the database, cleaned. Raises `Refusal` for what makes no sense."""
        values = {name: given[name] for name in NAMES if given.get(name) not in (None, "", [], ())}
        for name in ("types", "places"):
            listed = values.get(name, ())
            cleaned = (" ".join(str(one).split())[:LONGEST_PLACE] for one in listed)
            values[name] = tuple(dict.fromkeys(filter(None, cleaned)))
        values["words"] = " ".join(str(values.get("words", "")).split())
        made = cls(**values)
        made.check()
        return made

    def check(self) -> None:
        if self.kind and self.kind not in KINDS:
            raise Refusal(N_("Choose “for sale” or “for rent”, or leave it open."), field="kind")
        for name, chosen, limit in (("types", self.types, MOST_TYPES), ("places", self.places, MOST_PLACES)):
            if len(chosen) > limit:
                raise Refusal(N_("Choose at most {count} types and places."), count=limit, field=name)
        if self.has_price and not self.currency:
            raise Refusal(N_("Choose the currency of the price."), field=self.first_price)
        for price in filter(lambda one: one is not None, (self.price_from, self.price_to)):
            checked_price(price or 0, str((price or 0) // 10**6))
        for name in ("rooms_from", "rooms_to", "area_from", "area_to"):
            number = getattr(self, name)
            if number is not None and not 0 <= number <= MOST_NUMBER:
                words = N_("Rooms and area can't be below zero or above {count}.")
                raise Refusal(words, count=MOST_NUMBER, field=name)
        for name, (least, most) in zip(("price_to", "rooms_to", "area_to"), self.ranges, strict=True):
            if least is not None and most is not None and least > most:
                raise Refusal(N_("“From” can't be more than “to”."), field=name)

    @property
    def ranges(self) -> tuple[tuple[float | None, float | None], ...]:
        prices = (self.price_from, self.price_to)
        return prices, (self.rooms_from, self.rooms_to), (self.area_from, self.area_to)

    @property
    def first_price(self) -> str:
        """The name of the price that is given, the lower one first."""
        return "price_from" if self.price_from is not None else "price_to"

    @property
    def has_price(self) -> bool:
        return self.price_from is not None or self.price_to is not None

    @property
    def is_empty(self) -> bool:
        return self == Criteria(currency=self.currency)

    @property
    def wanted_words(self) -> list[str]:
        return [word[:LONGEST_WORD] for word in fold(self.words[:500]).split()[:MOST_WORDS]]

    @property
    def type_keys(self) -> list[str]:
        return [read_type(one) for one in self.types]

    @property
    def place_keys(self) -> list[str]:
        return [fold(one) for one in self.places]

    @property
    def keys(self) -> list[str]:
        """One of these is also a listing's, where it may match (`Listing.keys`)."""
        return [search_key(*key) for key in keys_of([self.kind], self.type_keys or [""], self.place_keys or [""])]

    def conditions(self) -> list[ColumnElement[bool]]:
        """The listings that match, whatever their status."""
        held: list[ColumnElement[bool]] = []
        if self.kind:
            held.append(Listing.kind == self.kind)
        if self.types:
            held.append(Listing.type_key.in_(self.type_keys))
        if self.places:
            held.append(or_(Listing.city_key.in_(self.place_keys), Listing.district_key.in_(self.place_keys)))
        if self.has_price:
            held.append(Listing.currency == self.currency)
        columns = Listing.price_micros, Listing.rooms, Listing.area
        for column, (least, most) in zip(columns, self.ranges, strict=True):
            held += [column >= least] if least is not None else []
            held += [column <= most] if most is not None else []
        held += [Listing.words.contains(word, autoescape=True) for word in self.wanted_words]
        return held

    def offered(self) -> Select[Listing]:
        """The matching listings that are on offer, newest first."""
        return Listing.newest_first().where(Listing.status == "available", *self.conditions())

    def refuse_if_too_wide(self) -> None:
        """Raises `TooWide`."""
        if self.is_empty:
            words = N_("Choose at least one criterion. A search without any would match every listing.")
            raise TooWide(words, field="kind")
        matching = select(Listing.id).where(Listing.status == "available", and_(True, *self.conditions()))
        count = db.session.scalar(select(func.count()).select_from(matching.limit(MOST_COUNTED).subquery())) or 0
        if count > MOST_MATCHES:
            words = N_("This search matches {count} listings. Narrow it.")
            raise TooWide(words, count=f"{count:,}", field=self.narrowed_by)

    @property
    def narrowed_by(self) -> str:
        """Where to narrow it first: what was left open, else the words."""
        return next((name for name in ("kind", "types", "places", "price_to") if not getattr(self, name)), "words")

    def as_json(self) -> dict[str, Any]:
        values = {name: getattr(self, name) for name in NAMES}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items() if value}

    def sentence(self, language: str = "") -> str:
        """`For sale · Villa, Flat · Dakar · up to 500,000 XOF`, in the reader's language."""
        types = [
            str(_(TYPES[key])) if key in TYPES else name for name, key in zip(self.types, self.type_keys, strict=True)
        ]
        parts = [str(_(KINDS[self.kind])) if self.kind else "", listed(types), listed(self.places)]
        low, high = (price_words(one, self.currency, language) for one in (self.price_from, self.price_to))
        parts.append(span(low, high))
        rooms = span(*(number_words(one, language) for one in (self.rooms_from, self.rooms_to)))
        area = span(*(number_words(one, language) for one in (self.area_from, self.area_to)))
        last = self.rooms_to or self.rooms_from or 0
        parts += [
            rooms_words(rooms, last) if rooms else "",
            _("%(number)s m²", number=area) if area else "",
            self.words,
        ]
        return " · ".join(str(one) for one in parts if one) or str(_("Everything"))


NAMES = tuple(field.name for field in fields(Criteria))


def span(low: str, high: str) -> str:
    if low and high:
        return f"{low} – {high}"
    if low:
        return str(_("from %(value)s", value=low))
    return str(_("up to %(value)s", value=high)) if high else ""


def kind_of(written: str) -> str:
    """What a customer's words or a program's mean; empty where they mean neither."""
    return read_kind(written) or ""
