"""What a message holds beside its words, read so that a page can show it whatever Meta or a customer put there."""

from __future__ import annotations

import contextlib
import itertools
import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlsplit

from .flow_json import Question
from .payload import loads, mapping, sequence, text
from .written_numbers import formatted

MANY = 100
SHOWN_FACTS, LOOKED_AT = 20, 500


@dataclass(frozen=True, slots=True)
class Place:
    latitude: float
    longitude: float
    name: str
    address: str

    @property
    def map_url(self) -> str:
        here = f"{self.latitude:.6f}/{self.longitude:.6f}"
        marker = f"mlat={self.latitude:.6f}&mlon={self.longitude:.6f}"
        return f"https://www.openstreetmap.org/?{marker}#map=17/{here}"


@dataclass(frozen=True, slots=True)
class Card:
    """A person in an address book."""

    name: str
    organisation: str
    department: str
    title: str
    phones: tuple[str, ...]
    emails: tuple[str, ...]
    urls: tuple[str, ...]
    addresses: tuple[str, ...]
    birthday: str

    @property
    def is_empty(self) -> bool:
        return not any(getattr(self, field.name) for field in fields(self))

    @property
    def work(self) -> str:
        """What they do, and where."""
        return ", ".join(filter(None, (self.title, self.department, self.organisation)))


@dataclass(frozen=True, slots=True)
class Choice:
    """A button that was tapped, or a row of a list."""

    title: str
    description: str


@dataclass(frozen=True, slots=True)
class Answers:
    """A form that was filled in, question by question; `words` where it came as plain text instead.

    `title` is the form's name, where it is one that we have.
    """

    rows: tuple[tuple[str, str], ...]
    words: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a kind of message that has no page of its own holds: its inner kind, and each value with its name."""

    kind: str
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A phone call over WhatsApp. `outcome` is `ringing`, `answered` or `missed`; `seconds` how long they spoke."""

    outcome: str
    is_ours: bool
    seconds: int

    @property
    def duration(self) -> str:
        """1:05, or nothing."""
        minutes, seconds = divmod(self.seconds, 60)
        return f"{minutes}:{seconds:02}" if self.seconds else ""


@dataclass(frozen=True, slots=True)
class Product:
    """A product of a catalogue that a message asks about."""

    id: str
    catalogue: str


@dataclass(frozen=True, slots=True)
class Item:
    name: str
    quantity: int
    price: Decimal | None
    currency: str

    @property
    def total(self) -> Decimal | None:
        return None if self.price is None else self.price * self.quantity


@dataclass(frozen=True, slots=True)
class Order:
    items: tuple[Item, ...]

    @property
    def totals(self) -> dict[str, Decimal]:
        """What it comes to, by currency. An order mixes none, but nothing says so."""
        sums: dict[str, Decimal] = {}
        for item in self.items:
            if item.total is not None:
                sums[item.currency] = sums.get(item.currency, Decimal()) + item.total
        return sums


@dataclass(frozen=True, slots=True)
class Referral:
    """The advertisement or post from which a customer came."""

    kind: str
    headline: str
    body: str
    url: str


@dataclass(frozen=True, slots=True)
class Renaming:
    """A person's new phone number, in digits, where WhatsApp reports it."""

    wa_id: str

    @property
    def number(self) -> str:
        return formatted(self.wa_id)


@dataclass(frozen=True, slots=True)
class Button:
    """What a button says, and where it leads if it is a link."""

    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Offer:
    """The buttons or list of one of our messages, with its header and footer. `menu` opens the rows of a list.

    Of a template also its picture or video, by our id of it, and the cards of its carousel.
    """

    header: str
    footer: str
    buttons: tuple[Button, ...]
    menu: str
    rows: tuple[Choice, ...]
    # What the customer is asked to share: a `place`, their `number`, or nothing.
    asks_for: str
    words: str = ""
    kind: str = ""
    file: str = ""
    cards: tuple[Offer, ...] = ()


def longest_list(content: Content) -> int:
    """How many entries the longest list in it has: cards, their numbers, rows, products, buttons."""
    parts = content if isinstance(content, tuple) else (content,)
    lists = [getattr(part, field.name) for part in parts if part is not None for field in fields(part)]
    return max((len(each) for each in (content, *lists) if isinstance(each, tuple)), default=0)


Content = Place | tuple[Card, ...] | Choice | Answers | Order | Renaming | Offer | Call | Facts | None


def read_referral(raw: Any) -> Referral | None:
    referral = mapping(raw)
    if not referral:
        return None
    return Referral(
        kind=text(referral.get("source_type"), 40) or "",
        headline=text(referral.get("headline"), 500) or "",
        body=text(referral.get("body"), 2_000) or "",
        url=web_address(referral.get("source_url")),
    )


def read_product(raw: Any) -> Product | None:
    """The product of `context.referred_product`."""
    product = mapping(raw)
    id, catalogue = text(product.get("product_retailer_id"), 300), text(product.get("catalog_id"), 100)
    return Product(id or "", catalogue or "") if id or catalogue else None


def web_address(raw: Any) -> str:
    """An http or https address, or nothing."""
    address = text(raw, 2_000) or ""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    return address if parts.scheme in ("http", "https") and parts.netloc else ""


def place(raw: dict[str, Any]) -> Place | None:
    latitude, longitude = degrees(raw.get("latitude"), 90), degrees(raw.get("longitude"), 180)
    if latitude is None or longitude is None:
        return None
    return Place(latitude, longitude, text(raw.get("name"), 300) or "", text(raw.get("address"), 1_000) or "")


def degrees(raw: Any, most: float) -> float | None:
    try:
        number = float(raw)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and abs(number) <= most else None


def cards(raw: dict[str, Any]) -> tuple[Card, ...]:
    read = (_card(mapping(card)) for card in sequence(raw.get("contacts"))[:MANY])
    return tuple(card for card in read if not card.is_empty)


def name_of(card: dict[str, Any]) -> str:
    name = mapping(card.get("name"))
    parts = filter(None, (text(name.get(f"{part}_name"), 200) for part in ("first", "middle", "last")))
    return text(name.get("formatted_name"), 300) or " ".join(parts)


def _card(raw: dict[str, Any]) -> Card:
    organisation = mapping(raw.get("org"))
    return Card(
        name=name_of(raw),
        organisation=text(organisation.get("company"), 300) or "",
        department=text(organisation.get("department"), 300) or "",
        title=text(organisation.get("title"), 300) or "",
        phones=tuple(_each(raw.get("phones"), "phone", "wa_id")),
        emails=tuple(_each(raw.get("emails"), "email")),
        urls=tuple(filter(None, map(web_address, _each(raw.get("urls"), "url")))),
        addresses=tuple(filter(None, map(_address, map(mapping, sequence(raw.get("addresses"))[:MANY])))),
        birthday=text(raw.get("birthday"), 40) or "",
    )


def _address(raw: dict[str, Any]) -> str:
    """On one line. Meta gives the country by name and by code: the name says more."""
    city = " ".join(filter(None, (text(raw.get("zip"), 40), text(raw.get("city"), 200))))
    parts = (text(raw.get("street"), 300), city, text(raw.get("state"), 200))
    country = text(raw.get("country"), 200) or text(raw.get("country_code"), 40)
    return ", ".join(filter(None, (*parts, country)))


def _each(raw: Any, *names: str) -> Iterator[str]:
    for entry in map(mapping, sequence(raw)[:MANY]):
        if value := next(filter(None, (text(entry.get(name), 300) for name in names)), None):
            yield value


def button(raw: dict[str, Any]) -> Choice | None:
    title = text(raw.get("text"), 300)
    return Choice(title, "") if title else None


def interactive(raw: dict[str, Any]) -> Choice | Answers | Offer | Facts | None:
    if "filled" in raw:
        return _filled(mapping(raw.get("filled")))
    if "nfm_reply" in raw:
        return _answers(mapping(raw.get("nfm_reply")))
    if "action" in raw:
        return _offer(raw)
    kind = interactive_kind(raw)
    reply = mapping(raw.get(kind))
    if title := text(reply.get("title"), 300):
        return Choice(title, text(reply.get("description"), 300) or "")
    return facts(kind, raw.get(kind, {key: value for key, value in raw.items() if key != "type"}))


def interactive_kind(raw: dict[str, Any]) -> str:
    """Which kind of choice it is: as it says, or else the only thing in it."""
    named = text(raw.get("type"), 64)
    others = [key for key in raw if key != "type"]
    return named or (others[0][:64] if len(others) == 1 else "")


def facts(kind: str, raw: Any) -> Facts | None:
    """Each plain value in it with its name, whatever it is; of what is nested, the names lead there."""
    pairs = tuple(itertools.islice(_values(raw), SHOWN_FACTS))
    return Facts(kind, pairs) if pairs or kind else None


def _values(raw: Any) -> Iterator[tuple[str, str]]:
    """In order, looking at no more than LOOKED_AT values."""
    waiting = [("", raw)]
    for _ in range(LOOKED_AT):
        if not waiting:
            return
        name, value = waiting.pop()
        if isinstance(value, dict | list):
            parts = list(itertools.islice(value.items() if isinstance(value, dict) else enumerate(value, 1), MANY))
            waiting += [(f"{name} {str(key)[:60].replace('_', ' ')}".strip()[:200], part) for key, part in parts[::-1]]
        elif shown := _answer(value):
            yield name, shown[:300]


def _offer(raw: dict[str, Any]) -> Offer:
    action = mapping(raw.get("action"))
    replies = (mapping(mapping(button).get("reply")) for button in sequence(action.get("buttons"))[:MANY])
    parameters = mapping(action.get("parameters"))
    sections = map(mapping, sequence(action.get("sections"))[:MANY])
    rows = [mapping(row) for section in sections for row in sequence(section.get("rows"))[:MANY]]
    titles = [*(reply.get("title") for reply in replies), parameters.get("display_text"), parameters.get("flow_cta")]
    return Offer(
        header=text(mapping(raw.get("header")).get("text"), 300) or "",
        footer=text(mapping(raw.get("footer")).get("text"), 300) or "",
        buttons=tuple(
            Button(title, web_address(parameters.get("url")))
            for title in (text(title, 300) for title in titles)
            if title
        ),
        menu=text(action.get("button"), 300) or "",
        rows=tuple(Choice(text(row.get("title"), 300) or "", text(row.get("description"), 300) or "") for row in rows),
        asks_for=_ASKS_FOR.get(text(raw.get("type"), 64) or "", ""),
    )


_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ASKS_FOR = {"location_request_message": "place", "request_contact_info": "number"}


def call(raw: dict[str, Any]) -> Call:
    seconds = text(raw.get("duration"), 12) or ""
    spoken = min(int(seconds), 86_400) if seconds.isascii() and seconds.isdecimal() else 0
    has_ended = raw.get("event") == "terminate" or "status" in raw
    is_answered = bool(spoken) or str(raw.get("status")).upper() == "COMPLETED"
    outcome = ("answered" if is_answered else "missed") if has_ended else "ringing"
    return Call(outcome, raw.get("direction") == "BUSINESS_INITIATED", spoken)


def template(shown: dict[str, Any]) -> Offer:
    """A template as it was filled in, or one of its cards: its parts are words already."""
    file = text(shown.get("file"), 40) or ""
    buttons = (mapping(button) for button in sequence(shown.get("buttons"))[:MANY])
    return Offer(
        header=text(shown.get("header"), 300) or "",
        footer=text(shown.get("footer"), 300) or "",
        buttons=tuple(Button(text(one.get("title"), 300) or "", web_address(one.get("url"))) for one in buttons),
        menu="",
        rows=(),
        asks_for="",
        words=text(shown.get("body"), 2_000) or "",
        kind=text(shown.get("kind"), 40) or "",
        file=file if _ID.fullmatch(file) else "",
        cards=tuple(template(card | {"cards": []}) for card in map(mapping, sequence(shown.get("cards"))[:MANY])),
    )


def _answers(raw: dict[str, Any]) -> Answers:
    given = answers_in(raw)
    if isinstance(given, dict):
        return Answers(tuple(rows_of(given)))
    # An answer that is no list of questions is shown as it came; Meta's own "Sent" says nothing.
    return Answers((), _answer(given)[:2_000] or text(raw.get("body"), 2_000) or "")


def _filled(raw: dict[str, Any]) -> Answers:
    """A form with the labels of its fields, as `app.whatsapp_flows` has written them beside the answers."""
    rows = (sequence(row) for row in sequence(raw.get("rows"))[:MANY])
    named = tuple((str(row[0])[:300], str(row[1])[:2_000]) for row in rows if len(row) == 2)
    return Answers(named, title=text(raw.get("title"), 300) or "")


def answers_in(reply: dict[str, Any]) -> Any:
    """What an `nfm_reply` holds: Meta sends JSON as a text. The text itself where it is none."""
    given = reply.get("response_json")
    with contextlib.suppress(ValueError, RecursionError):
        given = loads(given.encode("utf-8", "replace")) if isinstance(given, str) else given
    return given


def rows_of(given: dict[str, Any], questions: Sequence[Question] = ()) -> Iterator[tuple[str, str]]:
    """The answers to a form, each with its label: those of the questions in their order, then all others.

    What is nested becomes a row for each of its values.
    """
    by_name = {question.name: question for question in questions}
    ordered = [name for name in by_name if name in given] + [key for key in given if key not in by_name]
    yield from itertools.islice(_rows(given, ordered, by_name), MANY)


def _rows(given: dict[str, Any], names: list[str], by_name: dict[str, Question]) -> Iterator[tuple[str, str]]:
    for name in names:
        question, value = by_name.get(name), given[name]
        if name == "flow_token":
            continue
        if question:
            yield question.label, ", ".join(question.titles.get(one, one) for one in _each_answer(value))[:2_000]
        elif _is_nested(value):
            for inner, shown in itertools.islice(_values(value), SHOWN_FACTS):
                yield f"{_question(name)} {inner}".strip()[:300], shown
        else:
            yield _question(name), _answer(value)


def answer_words(value: Any) -> str:
    """An answer as one text."""
    return _answer(value)


def _each_answer(value: Any) -> list[str]:
    """The values of a question, which may have several."""
    return [_answer(one) for one in value[:MANY]] if isinstance(value, list) else [_answer(value)]


def _is_nested(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and any(isinstance(one, dict | list) for one in value))


def _question(key: str) -> str:
    """Forms name their fields `screen_0_First_name_1`."""
    words = [word for word in key[:300].replace("-", "_").split("_") if word]
    if words[:1] == ["screen"] and len(words) > 2:
        words = words[2:]
        words = words[:-1] if words[-1].isdecimal() and len(words) > 1 else words
    return " ".join(words)[:200] or key[:200]


def _answer(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_plain, value[:MANY]))[:2_000]
    return _plain(value)


def _plain(value: Any) -> str:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)[:1_000]
    if isinstance(value, bool):
        return "✓" if value else "✗"
    return "" if value is None else str(value)[:2_000]


def order(raw: dict[str, Any]) -> Order:
    return Order(tuple(map(_item, map(mapping, sequence(raw.get("product_items"))[:MANY]))))


def _item(raw: dict[str, Any]) -> Item:
    return Item(
        name=text(raw.get("product_retailer_id"), 300) or "",
        quantity=_quantity(raw.get("quantity")),
        price=_price(raw.get("item_price")),
        currency=(text(raw.get("currency"), 3) or "").upper(),
    )


def _quantity(raw: Any) -> int:
    try:
        return min(max(int(raw), 0), 1_000_000)
    except (TypeError, ValueError, OverflowError):
        return 1


def _price(raw: Any) -> Decimal | None:
    try:
        price = Decimal(str(raw))
    except InvalidOperation:
        return None
    return price if price.is_finite() and abs(price) < 10**12 else None


def renaming(raw: dict[str, Any]) -> Renaming | None:
    wa_id = text(raw.get("wa_id"), 40) or text(raw.get("new_wa_id"), 40)
    return Renaming(wa_id) if wa_id and wa_id.isdecimal() else None
