"""Checks what is sent with a template against its approved definition, so that Meta has nothing to refuse."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .message_templates import MOST_MINUTES, SENDABLE, Button, Template
from .payload import mapping, sequence, text
from .template_problems import Problem
from .template_rules import FEWEST_CARDS, MOST_CARDS
from .template_variables import (
    FEWEST_MILLISECONDS,
    LOCATION,
    LONGEST_CODE,
    LONGEST_FILENAME,
    LONGEST_HEADER,
    LONGEST_PAYLOAD,
    LONGEST_URL,
    PRODUCT,
    Words,
    coordinate,
    is_encoded,
    mistake_in,
    problem_of_sections,
)

PARTS = ("header", "body", "button", "limited_time_offer", "carousel", "tap_target_configuration")
MOST_COMPONENTS = 40
_FOLLOWS = ("currency", "date_time")


def problems_of_sending(template: Template, raw: Mapping[str, Any], *, files_follow: bool = False) -> list[Problem]:
    """What Meta would refuse in a message's `template` object; `files_follow`: an empty header gets its file later."""
    return [*_envelope(template, raw), *_Sending(template, raw.get("components"), files_follow, "").problems()]


def samples_in(raw: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The files of our own that a message names where Meta wants its id of one: each with its kind."""
    return [
        (str(one.get("type")), str(id))
        for part in _headers(sequence(raw.get("components")))
        for one in map(mapping, sequence(part.get("parameters")))
        if (id := mapping(one.get(str(one.get("type")))).get("sample")) is not None
    ]


def with_samples(raw: Mapping[str, Any], ids: Mapping[str, str]) -> dict[str, Any]:
    """The same message with Meta's ids in the place of our files."""
    return {**raw, "components": [_with_sample(mapping(part), ids) for part in sequence(raw.get("components"))]}


def _headers(components: Sequence[Any]) -> Iterator[dict[str, Any]]:
    for part in map(mapping, components):
        if str(part.get("type")).lower() == "header":
            yield part
        for card in map(mapping, sequence(part.get("cards"))):
            yield from _headers(sequence(card.get("components")))


def _with_sample(part: dict[str, Any], ids: Mapping[str, str]) -> dict[str, Any]:
    if cards := sequence(part.get("cards")):
        filled = [
            {**card, "components": [_with_sample(mapping(one), ids) for one in sequence(card.get("components"))]}
            for card in map(mapping, cards)
        ]
        return {**part, "cards": filled}
    if str(part.get("type")).lower() != "header":
        return part
    return {**part, "parameters": [_filled(mapping(one), ids) for one in sequence(part.get("parameters"))]}


def _filled(parameter: dict[str, Any], ids: Mapping[str, str]) -> dict[str, Any]:
    kind = str(parameter.get("type"))
    file = mapping(parameter.get(kind))
    if (id := ids.get(str(file.get("sample")))) is None:
        return parameter
    return {**parameter, kind: {"id": id} | {name: value for name, value in file.items() if name != "sample"}}


def _envelope(template: Template, raw: Mapping[str, Any]) -> Iterator[Problem]:
    if template.status and template.status not in SENDABLE:
        yield Problem("name", "not_sendable")
    if raw.get("name") != template.name:
        yield Problem("name", "name_differs", {"name": (text(raw.get("name")) or "")[:60]})
    code = mapping(raw.get("language")).get("code")
    if code != template.language:
        yield Problem(
            "language", "language_differs", {"expected": template.language, "language": (text(code) or "")[:40]}
        )


class _Sending:
    """The components of one message, or of one card of it."""

    def __init__(self, template: Template, components: Any, files_follow: bool, prefix: str) -> None:
        self.template, self.files_follow, self.prefix = template, files_follow, prefix
        self.components = components
        self.parts: dict[str, dict[str, Any]] = {}
        self.buttons: dict[int, tuple[str, list[dict[str, Any]]]] = {}

    def problems(self) -> Iterator[Problem]:
        yield from self._sorted()
        yield from self._header()
        yield from self._text("body", self.template.body_words, self.template.longest_body)
        yield from self._offer()
        yield from self._buttons()
        yield from self._carousel()

    def _sorted(self) -> Iterator[Problem]:
        """Sorts the components, and refuses those that have no place."""
        components = self.components
        if components is not None and not isinstance(components, list):
            yield Problem(f"{self.prefix}body", "payload_form")
            return
        for part in components[:MOST_COMPONENTS] if components else ():
            kind = str(part.get("type")).lower() if isinstance(part, dict) else ""
            if kind == "button":
                yield from self._sorted_button(part)
            elif kind not in PARTS:
                yield Problem(f"{self.prefix}body", "payload_form")
            elif kind in self.parts:
                yield Problem(f"{self.prefix}{kind}", "part_twice")
            else:
                self.parts[kind] = part

    def _sorted_button(self, part: dict[str, Any]) -> Iterator[Problem]:
        written = str(part.get("index", ""))
        index = int(written) if written.isdecimal() and len(written) <= 2 else -1
        path = f"{self.prefix}buttons.{index}" if index >= 0 else f"{self.prefix}buttons"
        if not 0 <= index < len(self.template.buttons):
            yield Problem(path, "button_index", {"index": written[:10]})
        elif index in self.buttons:
            yield Problem(path, "button_twice", {"index": index})
        else:
            self.buttons[index] = str(part.get("sub_type")).lower(), self._parameters(part)

    def _parameters(self, part: dict[str, Any]) -> list[dict[str, Any]]:
        return [mapping(one) for one in sequence(part.get("parameters"))]

    def _header(self) -> Iterator[Problem]:
        format, path = self.template.header_format, f"{self.prefix}header"
        if format in ("", "TEXT"):
            yield from self._text("header", self.template.header_words, LONGEST_HEADER)
            return
        expected = format.lower()
        parameters = self._parameters(self.parts.get("header", {}))
        if not parameters:
            yield Problem(path, "header_missing")
        elif len(parameters) > 1 or parameters[0].get("type") != expected:
            given = str(parameters[0].get("type"))[:40]
            yield Problem(path, "header_type", {"expected": expected, "given": given})
        else:
            yield from self._header_value(path, expected, mapping(parameters[0].get(expected)))

    def _header_value(self, path: str, kind: str, value: dict[str, Any]) -> Iterator[Problem]:
        if kind == "location":
            yield from self._location(path, value)
        elif kind == "product":
            for name in PRODUCT:
                if not (text(value.get(name)) or "").strip():
                    yield Problem(path, "value_missing", {"name": name})
        else:
            yield from self._file(path, value)

    def _location(self, path: str, value: dict[str, Any]) -> Iterator[Problem]:
        for name in LOCATION:
            given = value.get(name)
            if given is None or not str(given).strip():
                yield Problem(f"{path}.{name}", "location_missing", {"name": name})
            elif name in ("latitude", "longitude") and coordinate(given, 90 if name == "latitude" else 180) is None:
                yield Problem(f"{path}.{name}", name)

    def _file(self, path: str, value: dict[str, Any]) -> Iterator[Problem]:
        id, link = value.get("id"), value.get("link")
        if not id and not link:
            if not self.files_follow:
                yield Problem(path, "file_missing")
        elif (id and link) or not isinstance(id or link, str) or (link and not str(link).startswith("https://")):
            yield Problem(path, "file_form")
        filename = value.get("filename")
        if filename is not None and not (isinstance(filename, str) and len(filename) <= LONGEST_FILENAME):
            yield Problem(path, "file_form")

    def _text(self, place: str, words: Words, most: int) -> Iterator[Problem]:
        path, names = f"{self.prefix}{place}", words.names
        parameters = self._parameters(self.parts[place]) if place in self.parts else []
        if place == "header" and not names and parameters:
            yield Problem(path, "header_surplus")
        elif len(parameters) != len(names):
            yield Problem(path, "value_count", {"expected": len(names), "count": len(parameters)})
        elif names:
            values: dict[str, str] = {}
            for name, parameter in zip(names, parameters, strict=True):
                given = self._name(name, parameter)
                if problem := self._value(path, place, given, names, parameter, values):
                    yield problem
            if len(values) == len(names) and (over := words.over(values, most)) > 0:
                yield Problem(path, f"{place}_too_long", {"over": over, "most": most})

    def _name(self, name: str, parameter: dict[str, Any]) -> str:
        return str(parameter.get("parameter_name") or "")[:60] if self.template.is_named else name

    def _value(
        self,
        path: str,
        place: str,
        name: str,
        names: list[str],
        parameter: dict[str, Any],
        values: dict[str, str],
    ) -> Problem | None:
        """What is wrong with the value of one variable; what is right is noted in `values`."""
        if not name:
            return Problem(path, "value_unnamed")
        if name not in names:
            return Problem(path, "value_name", {"name": name})
        if name in values:
            return Problem(path, "value_twice", {"name": name})
        kind = str(parameter.get("type"))
        is_followed = kind in _FOLLOWS and place == "body"
        value = mapping(parameter.get(kind)).get("fallback_value") if is_followed else parameter.get("text")
        if not isinstance(value, str) or not (kind == "text" or is_followed):
            return Problem(path, "value_type", {"name": name})
        values[name] = value
        if self.template.is_code and (over := len(value) - LONGEST_CODE) > 0:
            return Problem(path, "code_too_long", {"over": over})
        mistake = mistake_in(value)
        return Problem(path, mistake, {"name": name}) if mistake else None

    def _offer(self) -> Iterator[Problem]:
        path, part = f"{self.prefix}limited_time_offer", self.parts.get("limited_time_offer")
        if not self.template.offer.get("has_expiration"):
            if part and part.get("parameters"):
                yield Problem(path, "payload_form")
            return
        parameters = self._parameters(part or {})
        moment = mapping(parameters[0].get("limited_time_offer")).get("expiration_time_ms") if parameters else None
        if moment is None:
            yield Problem(path, "expiration_missing")
        elif len(parameters) > 1 or not isinstance(moment, int) or moment < FEWEST_MILLISECONDS:
            yield Problem(path, "expiration_form")

    def _buttons(self) -> Iterator[Problem]:
        for index, button in enumerate(self.template.slots):
            given = self.buttons.get(index)
            if given is None and not button.is_needed:
                continue
            path = f"{self.prefix}buttons.{index}"
            if given is None or (not given[1] and button.is_needed):
                yield Problem(path, "button_missing", {"index": index})
            elif not button.sub_type:
                yield Problem(path, "button_surplus", {"index": index})
            elif given[0] != button.sub_type:
                facts = {"index": index, "expected": button.sub_type, "given": given[0][:40]}
                yield Problem(path, "button_type", facts)
            elif given[1]:
                yield from self._button(path, index, button, given[1])

    def _button(self, path: str, index: int, button: Button, parameters: list[dict[str, Any]]) -> Iterator[Problem]:
        if button.kind == "VOICE_CALL":
            yield from self._call(path, index, parameters)
        elif len(parameters) > 1 or (button.kind == "URL" and not button.is_needed):
            yield Problem(path, "button_surplus", {"index": index})
        elif button.kind == "QUICK_REPLY":
            yield from _payload(path, index, parameters[0])
        elif button.kind == "COPY_CODE":
            yield from _code(path, index, parameters[0], "coupon_code")
        elif button.is_code:
            yield from self._one_time_code(path, index, parameters[0])
        elif button.kind == "URL":
            yield from _link(path, index, button, parameters[0])
        else:
            yield from _action(path, index, button.kind, parameters[0])

    def _one_time_code(self, path: str, index: int, parameter: dict[str, Any]) -> Iterator[Problem]:
        yield from _code(path, index, parameter, "text")
        body = self._parameters(self.parts.get("body", {}))
        if body and body[0].get("text") != parameter.get("text"):
            yield Problem(path, "codes_differ")

    def _call(self, path: str, index: int, parameters: list[dict[str, Any]]) -> Iterator[Problem]:
        for parameter in parameters[:3]:
            minutes = parameter.get("ttl_minutes")
            if parameter.get("type") == "payload":
                yield from _payload(path, index, parameter)
            elif parameter.get("type") != "ttl_minutes":
                yield Problem(path, "payload_form")
            elif not isinstance(minutes, int) or not 1 <= minutes <= MOST_MINUTES:
                yield Problem(path, "minutes_form")

    def _carousel(self) -> Iterator[Problem]:
        path, defined = f"{self.prefix}cards", self.template.cards
        given = sequence(mapping(self.parts.get("carousel")).get("cards"))
        if not defined:
            if "carousel" in self.parts:
                yield Problem(path, "part_not_here")
            return
        are_products = defined[0].header_format == "PRODUCT"
        is_count_right = FEWEST_CARDS <= len(given) <= MOST_CARDS if are_products else len(given) == len(defined)
        if not is_count_right:
            yield Problem(path, "cards_differ", {"expected": len(defined), "count": len(given)})
            return
        cards = [mapping(card) for card in given]
        indexes = [card.get("card_index") for card in cards]
        if sorted(map(str, indexes)) != sorted(map(str, range(len(cards)))):
            yield Problem(path, "card_index")
            return
        for card in cards:
            index = int(card["card_index"])
            like = defined[0] if are_products else defined[index]
            yield from _Sending(like, card.get("components"), False, f"cards.{index}.").problems()


def _payload(path: str, index: int, parameter: dict[str, Any]) -> Iterator[Problem]:
    payload = parameter.get("payload")
    if parameter.get("type") != "payload" or not isinstance(payload, str):
        facts = {"index": index, "expected": "payload", "given": str(parameter.get("type"))[:40]}
        yield Problem(path, "button_type", facts)
    elif not payload.strip():
        yield Problem(path, "button_missing", {"index": index})
    elif (over := len(payload) - LONGEST_PAYLOAD) > 0:
        yield Problem(path, "payload_too_long", {"over": over})


def _code(path: str, index: int, parameter: dict[str, Any], kind: str) -> Iterator[Problem]:
    code = parameter.get(kind)
    if parameter.get("type") != kind or not isinstance(code, str):
        facts = {"index": index, "expected": kind, "given": str(parameter.get("type"))[:40]}
        yield Problem(path, "button_type", facts)
    elif not code.strip():
        yield Problem(path, "button_missing", {"index": index})
    elif (over := len(code) - LONGEST_CODE) > 0:
        yield Problem(path, "code_too_long", {"over": over})


def _link(path: str, index: int, button: Button, parameter: dict[str, Any]) -> Iterator[Problem]:
    suffix = parameter.get("text")
    if parameter.get("type") != "text" or not isinstance(suffix, str):
        facts = {"index": index, "expected": "text", "given": str(parameter.get("type"))[:40]}
        yield Problem(path, "button_type", facts)
    elif not suffix.strip():
        yield Problem(path, "button_missing", {"index": index})
    elif (over := len(button.base) + len(suffix) - LONGEST_URL) > 0:
        yield Problem(f"{path}.url", "link_too_long", {"over": over, "most": LONGEST_URL})
    elif not is_encoded(suffix):
        yield Problem(f"{path}.url", "link_not_encoded")


def _action(path: str, index: int, kind: str, parameter: dict[str, Any]) -> Iterator[Problem]:
    """Of buttons for flows and products."""
    action = parameter.get("action")
    if parameter.get("type") != "action" or not isinstance(action, dict):
        facts = {"index": index, "expected": "action", "given": str(parameter.get("type"))[:40]}
        yield Problem(path, "button_type", facts)
    elif kind == "FLOW" and not isinstance(action.get("flow_action_data", {}), dict):
        yield Problem(path, "json_form")
    elif kind == "MPM" and (problem := problem_of_sections(path, action.get("sections"))):
        yield problem
    texts = [mapping(action).get(name) for name in ("flow_token", "thumbnail_product_retailer_id")]
    if any(one is not None and not (isinstance(one, str) and one) for one in texts):
        yield Problem(path, "payload_form")
