"""Message templates: what one is made of, what it still needs, how it looks filled in, and what is sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from app.meta.outgoing.kinds import Outgoing, Refused

from .graph import GraphClient
from .payload import bounded, identifier, mapping, sequence, text
from .template_problems import WORDS, Problem, too_long
from .template_variables import (
    FEWEST_MILLISECONDS,
    LOCATION,
    LONGEST_BODY,
    LONGEST_CARD_BODY,
    LONGEST_CODE,
    LONGEST_FILENAME,
    LONGEST_HEADER,
    LONGEST_OFFER_BODY,
    LONGEST_PAYLOAD,
    LONGEST_URL,
    PRODUCT,
    VARIABLE,
    Variable,
    Words,
    coordinate,
    encoded,
    example_of_button,
    examples_of,
    is_one_time_code,
    json_in,
    milliseconds,
    mistake_in,
    number_of,
    problem_of_sections,
)

__all__ = ["LONGEST_BODY", "LONGEST_CODE", "SENDABLE", "Placeholder", "Template", "Variable", "read", "templates_of"]

FIELDS = "id,name,language,status,category,parameter_format,components"
SENDABLE = ("APPROVED", "REINSTATED", "FLAGGED")
MEDIA = ("IMAGE", "VIDEO", "DOCUMENT")
BUTTONS = (
    *("QUICK_REPLY", "URL", "PHONE_NUMBER", "COPY_CODE", "OTP"),
    *("FLOW", "CATALOG", "MPM", "SPM", "VOICE_CALL", "REQUEST_CONTACT_INFO"),
)
# What a button is called when it is sent, where it takes anything.
SUB_TYPES = {
    "QUICK_REPLY": "quick_reply",
    "URL": "url",
    "OTP": "url",
    "COPY_CODE": "copy_code",
    "FLOW": "flow",
    "CATALOG": "catalog",
    "MPM": "mpm",
    "VOICE_CALL": "voice_call",
}
PARTS = ("HEADER", "BODY", "FOOTER", "BUTTONS", "LIMITED_TIME_OFFER", "CAROUSEL", "CALL_PERMISSION_REQUEST")
HEADERS = ("TEXT", *MEDIA, "LOCATION", "PRODUCT")
# More than the largest that Meta allows: a carousel of ten cards with two long links each.
MOST_CHARACTERS = 200_000
MOST_MINUTES = 43_200
# What Meta writes into authentication templates in English.
CODE_BODY = "*{{1}}* is your verification code."
CODE_ADVICE = "For your security, do not share this code."
CODE_FOOTER = "This code expires in {minutes} minutes."
_PAGE = 100


@dataclass(frozen=True, slots=True)
class Placeholder:
    """An empty place for a file in what is sent; `card` counts the cards of a carousel."""

    kind: str
    card: int | None = None


@dataclass(frozen=True, slots=True)
class Button:
    """A button as it is sent and shown. `sub_type` is empty where it takes nothing; `base` ends before its variable."""

    kind: str
    sub_type: str
    is_code: bool
    is_needed: bool
    title: str
    url: str
    base: str
    key: str


@dataclass(frozen=True)
class Template:
    """A template in one language, as Meta describes it. `ttl` is in seconds; a card of a carousel is one too."""

    name: str
    language: str
    category: str
    status: str
    is_named: bool
    components: list[dict[str, Any]]
    ttl: int | None = None
    card: int | None = None

    @cached_property
    def parts(self) -> dict[str, dict[str, Any]]:
        return {str(part.get("type")).upper(): part for part in map(mapping, self.components)}

    def part(self, name: str) -> dict[str, Any]:
        return self.parts.get(name, {})

    @cached_property
    def is_code(self) -> bool:
        """Whether it carries a code to sign in, in words of Meta's."""
        return self.category.upper() == "AUTHENTICATION"

    @cached_property
    def body(self) -> str:
        words = text(self.part("BODY").get("text"))
        if words or not self.is_code or "BODY" not in self.parts:
            return words or ""
        is_advised = self.part("BODY").get("add_security_recommendation") is True
        return f"{CODE_BODY} {CODE_ADVICE}" if is_advised else CODE_BODY

    @cached_property
    def header(self) -> str:
        return text(self.part("HEADER").get("text")) or ""

    @cached_property
    def footer(self) -> str:
        part = self.part("FOOTER")
        minutes = part.get("code_expiration_minutes")
        return text(part.get("text")) or (CODE_FOOTER.format(minutes=minutes) if minutes else "")

    @property
    def wording(self) -> list[str]:
        """Its text and footer and those of its cards, by which Meta tells whether two templates are the same."""
        return [self.body, self.footer, *(words for card in self.cards for words in card.wording)]

    @cached_property
    def header_format(self) -> str:
        """TEXT, IMAGE, VIDEO, DOCUMENT, LOCATION or PRODUCT; empty where there is no header."""
        return str(self.part("HEADER").get("format", "TEXT")).upper() if "HEADER" in self.parts else ""

    @property
    def file_kind(self) -> str | None:
        """The kind of file its header is, if it is one."""
        return self.header_format.lower() if self.header_format in MEDIA else None

    @cached_property
    def files(self) -> list[Placeholder]:
        """The files that it is sent with, in the order of their places."""
        own = [Placeholder(self.file_kind, self.card)] if self.file_kind else []
        return own + [file for card in self.cards for file in card.files]

    @cached_property
    def buttons(self) -> list[dict[str, Any]]:
        return list(map(mapping, sequence(self.part("BUTTONS").get("buttons"))))

    @cached_property
    def button_kinds(self) -> list[str]:
        return [str(button.get("type")).upper() for button in self.buttons]

    @cached_property
    def header_words(self) -> Words:
        return Words(self.header, is_named=self.is_named)

    @cached_property
    def body_words(self) -> Words:
        return Words(self.body, is_named=self.is_named)

    @property
    def quick_replies(self) -> list[int]:
        """Where they are among its buttons."""
        return [index for index, kind in enumerate(self.button_kinds) if kind == "QUICK_REPLY"]

    @cached_property
    def offer(self) -> dict[str, Any]:
        """The limited-time offer: `text` and `has_expiration`."""
        return mapping(self.part("LIMITED_TIME_OFFER").get("limited_time_offer"))

    @cached_property
    def cards(self) -> list[Template]:
        """The cards of its carousel."""
        cards = sequence(self.part("CAROUSEL").get("cards"))
        return [self._card(index, mapping(card)) for index, card in enumerate(cards)]

    def _card(self, index: int, card: dict[str, Any]) -> Template:
        parts = map(mapping, sequence(card.get("components")))
        # A card holds no cards.
        components = [part for part in parts if str(part.get("type")).upper() != "CAROUSEL"]
        return replace(self, components=components, card=index)

    @property
    def longest_body(self) -> int:
        if self.card is not None:
            return LONGEST_CARD_BODY
        return LONGEST_OFFER_BODY if "LIMITED_TIME_OFFER" in self.parts else LONGEST_BODY

    @property
    def can_be_filled(self) -> bool:
        """Whether a line for each variable and its files are all that it needs."""
        return self.can_be_sent and "MPM" not in self.button_kinds

    @cached_property
    def can_be_sent(self) -> bool:
        """Whether `filled` knows all that it is made of."""
        return (
            all(name in PARTS for name in self.parts)
            and self.header_format in ("", *HEADERS)
            and all(kind in BUTTONS for kind in self.button_kinds)
            and all(card.can_be_sent for card in self.cards)
        )

    @cached_property
    def variables(self) -> list[Variable]:
        """All that must be filled in."""
        own = [
            *self._in_header(),
            *self._in_text("BODY", self.body_words),
            *([Variable("expiration", "expiration", "", 0, self.card)] if self.offer.get("has_expiration") else ()),
            *self._in_buttons(),
        ]
        return own + [one for card in self.cards for one in card.variables]

    @cached_property
    def optional_variables(self) -> list[Variable]:
        """What may be filled in, but need not be."""
        own = [Variable("filename", "filename", "", 0, self.card)] if self.header_format == "DOCUMENT" else []
        names = {
            "FLOW": ("flow_token", "flow_data"),
            "CATALOG": ("thumbnail",),
            "MPM": ("thumbnail",),
            "VOICE_CALL": ("ttl_minutes",),
        }
        for index, kind in enumerate(self.button_kinds):
            own += [Variable(name, name, "", index, self.card) for name in names.get(kind, ())]
        return own + [one for card in self.cards for one in card.optional_variables]

    @property
    def needs_document(self) -> bool:
        """Whether a file has to be chosen for each customer; a picture or video is the same for all."""
        return any(file.kind == "document" for file in self.files)

    @property
    def goes_as_it_is(self) -> bool:
        """Whether there is nothing to fill in."""
        return self.can_be_filled and not self.variables and not self.needs_document

    def _in_header(self) -> Iterator[Variable]:
        if self.header_format == "LOCATION":
            yield from (Variable("location", name, "", 0, self.card) for name in LOCATION)
        elif self.header_format == "PRODUCT":
            yield from (Variable("product", name, "", 0, self.card) for name in PRODUCT)
        else:
            yield from self._in_text("HEADER", self.header_words)

    def _in_text(self, part: str, words: Words) -> Iterator[Variable]:
        examples = examples_of(self.part(part), part.lower())
        for place, name in enumerate(words.names):
            counted = place if self.is_named else number_of(name) - 1
            example = examples.get(name if self.is_named else "") or examples.get(counted, "")
            yield Variable(part.lower(), name, example, 0, self.card)

    def _in_buttons(self) -> Iterator[Variable]:
        for index, (kind, button) in enumerate(zip(self.button_kinds, self.buttons, strict=True)):
            example = example_of_button(button)
            if kind == "COPY_CODE":
                yield Variable("code", "code", example, index, self.card)
            elif kind == "MPM":
                yield Variable("sections", "sections", "", index, self.card)
            elif kind == "URL" and "{{" in str(button.get("url")) and not is_one_time_code(button):
                base = str(button.get("url")).partition("{{")[0]
                yield Variable("url", "1", example.removeprefix(base), index, self.card)

    def filled(self, values: Mapping[str, str], payloads: Sequence[str] = (), files: Sequence[str] = ()) -> Outgoing:
        """The message to send. Raises `Refused` where something is missing or too long.

        `payloads` come back when a quick reply is tapped, each in its place (those of cards after the others);
        without them its label does. `files` are ids of files of ours, in the order of `Template.files`; a place
        without one stays empty.
        """
        if self.status and self.status not in SENDABLE:
            raise Refused(WORDS["not_sendable"])
        if not self.can_be_sent:
            raise Refused(WORDS["part_not_sendable"])
        needed, optional = self._keys
        given = {key: _value(self, one, values.get(key, "")) for key, one in needed}
        for key, one in optional:
            if written := values.get(key, "").strip():
                given[key] = _value(self, one, written)
        shown = self.shown(given, files)
        components = list(self._components(given, iter(payloads), iter(files)))
        raw = {"name": self.name, "language": {"code": self.language}, "components": components}
        return Outgoing("template", shown["body"], raw, shown, is_code=self.is_code)

    def shown(self, given: Mapping[str, Any], files: Sequence[str] = ()) -> dict[str, Any]:
        """What the customer sees; a variable that is not filled in stays one. `files`: as `filled` takes them."""
        places = dict(zip((file.card for file in self.files), files, strict=False))
        shown: dict[str, Any] = {
            "header": self._with_values("header", self.header_words, given),
            "body": self._with_values("body", self.body_words, given),
            "footer": self.footer,
            "buttons": [_button(one, given) for one in self.slots],
            "name": self.name,
        }
        if file := places.get(self.card):
            shown |= {"file": file, "kind": self.file_kind}
        if self.header_format == "LOCATION":
            shown["location"] = {one.name: str(given.get(one.key, "")) for one in self._in_header()}
        if self.offer:
            expires = milliseconds(str(given.get(self._key("expiration", "expiration"), "")))
            shown["offer"] = {"text": text(self.offer.get("text"), 100) or "", "expires": expires}
        if self.cards:
            shown["cards"] = [
                card.shown(given, [places.get(n, "")]) | {"kind": card.header_format.lower()}
                for n, card in enumerate(self.cards)
            ]
        return shown

    @cached_property
    def _keys(self) -> tuple[list[tuple[str, Variable]], list[tuple[str, Variable]]]:
        """What must be filled in and what may be, each with its key."""
        return [(one.key, one) for one in self.variables], [(one.key, one) for one in self.optional_variables]

    @cached_property
    def _text_keys(self) -> dict[str, dict[str, str]]:
        """The keys of the variables in its own header and body, by place and name."""
        keys: dict[str, dict[str, str]] = {"header": {}, "body": {}}
        for key, one in self._keys[0]:
            if one.card == self.card and one.place in keys:
                keys[one.place][one.name] = key
        return keys

    def _key(self, place: str, name: str, index: int = 0) -> str:
        return Variable(place, name, "", index, self.card).key

    @cached_property
    def slots(self) -> list[Button]:
        """Its buttons, read once for many messages."""
        return [self._slot(*one) for one in enumerate(zip(self.button_kinds, self.buttons, strict=True))]

    def _slot(self, index: int, one: tuple[str, dict[str, Any]]) -> Button:
        kind, button = one
        is_code = is_one_time_code(button)
        url = "" if is_code else text(button.get("url")) or ""
        has_variable = kind == "URL" and "{{" in url
        place = {"URL": ("url", "1"), "COPY_CODE": ("code", "code")}.get(kind, ("", ""))
        return Button(
            kind=kind,
            sub_type="url" if is_code else SUB_TYPES.get(kind, ""),
            is_code=is_code,
            is_needed=is_code or has_variable or kind in ("COPY_CODE", "MPM"),
            title=text(button.get("text"), 100) or "",
            url=url,
            base=url.partition("{{")[0],
            key=self._key(*place, index) if place[0] else "",
        )

    def _with_values(self, place: str, words: Words, given: Mapping[str, Any]) -> str:
        return words.filled({name: given.get(key) for name, key in self._text_keys[place].items()})

    def _components(
        self, given: Mapping[str, Any], payloads: Iterator[str], files: Iterator[str]
    ) -> Iterator[dict[str, Any]]:
        """Raises `Refused` where the whole gets too long."""
        yield from self._header_component(given, files)
        if parameters := self._text_parameters("body", self.body_words, self.longest_body, given):
            yield {"type": "body", "parameters": parameters}
        if self.offer.get("has_expiration"):
            at = {"expiration_time_ms": given[self._key("expiration", "expiration")]}
            parameter = {"type": "limited_time_offer", "limited_time_offer": at}
            yield {"type": "limited_time_offer", "parameters": [parameter]}
        for index, button in enumerate(self.slots):
            if button.sub_type and (parameters := self._button_parameters(index, button, given, payloads)):
                yield {"type": "button", "sub_type": button.sub_type, "index": str(index), "parameters": parameters}
        if self.cards:
            cards = [
                {"card_index": n, "components": list(card._components(given, payloads, files))}
                for n, card in enumerate(self.cards)
            ]
            yield {"type": "carousel", "cards": cards}

    def _header_component(self, given: Mapping[str, Any], files: Iterator[str]) -> Iterator[dict[str, Any]]:
        parameters: list[dict[str, Any]]
        if kind := self.file_kind:
            file = {"sample": next(files, ""), "filename": given.get(self._key("filename", "filename"))}
            parameters = [{"type": kind, kind: {name: value for name, value in file.items() if value}}]
        elif self.header_format in ("LOCATION", "PRODUCT"):
            kind = self.header_format.lower()
            parameters = [{"type": kind, kind: {one.name: given[one.key] for one in self._in_header()}}]
        else:
            parameters = self._text_parameters("header", self.header_words, LONGEST_HEADER, given)
        if parameters:
            yield {"type": "header", "parameters": parameters}

    def _text_parameters(self, place: str, words: Words, most: int, given: Mapping[str, Any]) -> list[dict[str, Any]]:
        if not words.names:
            return []
        values = {name: given[key] for name, key in self._text_keys[place].items()}
        if (over := words.over(values, most)) > 0:
            raise Refused(WORDS[f"{place}_too_long"], over=over, most=most)
        if self.is_named:
            return [{"type": "text", "text": value, "parameter_name": name} for name, value in values.items()]
        return [{"type": "text", "text": value} for value in values.values()]

    def _button_parameters(
        self, index: int, button: Button, given: Mapping[str, Any], payloads: Iterator[str]
    ) -> list[dict[str, Any]]:
        if button.kind == "QUICK_REPLY":
            payload = next(payloads, "")
            if (over := len(payload) - LONGEST_PAYLOAD) > 0:
                raise Refused(WORDS["payload_too_long"], over=over)
            return [{"type": "payload", "payload": payload}] if payload.strip() else []
        if button.is_code:
            code = next((given[key] for key in self._text_keys["body"].values()), "")
            return [{"type": "text", "text": code}]
        if button.kind == "URL":
            return [{"type": "text", "text": given[button.key]}] if button.is_needed else []
        if button.kind == "COPY_CODE":
            return [{"type": "coupon_code", "coupon_code": given[button.key]}]
        if button.kind == "VOICE_CALL":
            minutes = given.get(self._key("ttl_minutes", "ttl_minutes", index))
            return [{"type": "ttl_minutes", "ttl_minutes": minutes}] if minutes else []
        members = {member: given.get(self._key(name, name, index)) for name, member in _MEMBERS.items()}
        action = {name: member for name, member in members.items() if member}
        # A form always has an action: its token is added when the message goes out.
        return [{"type": "action", "action": action}] if action or button.kind == "FLOW" else []


# Of the action of buttons for flows and products, by the variable's name.
_MEMBERS = {
    "flow_token": "flow_token",
    "flow_data": "flow_action_data",
    "thumbnail": "thumbnail_product_retailer_id",
    "sections": "sections",
}


def _button(button: Button, given: Mapping[str, Any]) -> dict[str, str]:
    url = button.url
    if "{{" in url:
        value = str(given.get(button.key, ""))
        url = VARIABLE.sub(lambda _: value, url)
    return {"title": button.title, "url": url}


_MISSING = {"location": "location_missing", "expiration": "expiration_missing"}


def _called(variable: Variable) -> str:
    """A text's variable as it is written there."""
    return f"{{{{{variable.name}}}}}" if variable.place in ("header", "body", "url") else variable.name


def _value(template: Template, variable: Variable, written: str) -> Any:
    """The value as Meta takes it. Raises `Refused`."""
    value = written.strip()
    if not value:
        raise Refused(WORDS[_MISSING.get(variable.place, "value_missing")], name=_called(variable), key=variable.key)
    checked = _READ[variable.place](template, variable, value)
    if isinstance(checked, Problem):
        raise Refused(WORDS[checked.kind], **checked.facts, key=variable.key)
    return checked


def _words(template: Template, variable: Variable, value: str) -> str | Problem:
    if template.is_code and (over := len(value) - LONGEST_CODE) > 0:
        return Problem(variable.path, "code_too_long", {"over": over})
    kind = mistake_in(value)
    return Problem(variable.path, kind, {"name": variable.name}) if kind else value


def _code(template: Template, variable: Variable, value: str) -> str | Problem:
    over = len(value) - LONGEST_CODE
    return Problem(variable.path, "code_too_long", {"over": over}) if over > 0 else value


def _link(template: Template, variable: Variable, value: str) -> str | Problem:
    suffix = encoded(value)
    holder = template if variable.card is None else template.cards[variable.card]
    over = len(holder.slots[variable.index].base) + len(suffix) - LONGEST_URL
    return Problem(variable.path, "link_too_long", {"over": over, "most": LONGEST_URL}) if over > 0 else suffix


def _location(template: Template, variable: Variable, value: str) -> str | Problem:
    most = {"latitude": 90, "longitude": 180}.get(variable.name)
    if most is not None and coordinate(value, most) is None:
        return Problem(variable.path, variable.name)
    return value


def _expiration(template: Template, variable: Variable, value: str) -> int | Problem:
    moment = milliseconds(value)
    is_usable = moment is not None and moment >= FEWEST_MILLISECONDS
    return moment if moment is not None and is_usable else Problem(variable.path, "expiration_form")


def _sections(template: Template, variable: Variable, value: str) -> list[Any] | Problem:
    sections = sequence(json_in(value))
    return problem_of_sections(variable.path, sections) or sections


def _flow_data(template: Template, variable: Variable, value: str) -> dict[str, Any] | Problem:
    data = json_in(value)
    return data if isinstance(data, dict) else Problem(variable.path, "json_form")


def _minutes(template: Template, variable: Variable, value: str) -> int | Problem:
    minutes = number_of(value)
    return minutes if 1 <= minutes <= MOST_MINUTES else Problem(variable.path, "minutes_form")


def _filename(template: Template, variable: Variable, value: str) -> str | Problem:
    return next(iter(too_long(variable.path, value, LONGEST_FILENAME)), value)


def _as_written(template: Template, variable: Variable, value: str) -> str:
    return value


_READ = {
    "header": _words,
    "body": _words,
    "url": _link,
    "code": _code,
    "location": _location,
    "product": _as_written,
    "expiration": _expiration,
    "sections": _sections,
    "filename": _filename,
    "flow_token": _as_written,
    "flow_data": _flow_data,
    "thumbnail": _as_written,
    "ttl_minutes": _minutes,
}


def templates_of(graph: GraphClient, token: str, waba_id: str) -> list[tuple[str, Template]]:
    """All templates of a WABA, with their ids. Raises MetaError."""
    results = graph.pages(f"{waba_id}/message_templates", token=token, params={"fields": FIELDS, "limit": _PAGE})
    return [(id, read(raw)) for raw in results if (id := identifier(raw.get("id")))]


def read(raw: dict[str, Any]) -> Template:
    ttl = raw.get("message_send_ttl_seconds")
    return Template(
        name=text(raw.get("name"), 512) or "",
        language=text(raw.get("language"), 40) or "",
        category=text(raw.get("category"), 40) or "",
        status=text(raw.get("status"), 40) or "",
        is_named=raw.get("parameter_format") == "NAMED",
        components=list(map(mapping, bounded(sequence(raw.get("components")), MOST_CHARACTERS))),
        ttl=ttl if isinstance(ttl, int) else None,
    )
