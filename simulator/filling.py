"""Fills a template with the parameters of one send, and refuses what does not fit as Meta does."""

import re
from typing import Any

from simulator import options
from simulator.errors import GraphError
from simulator.message_templates import MessageTemplate
from simulator.options import VARIABLE

Json = dict[str, Any]
LONGEST_BODY = 1024
NEEDS_PARAMETER = {"COPY_CODE": "coupon_code", "OTP": "text"}


def fill(template: MessageTemplate, given: list[Json]) -> Json:
    """Returns header, body, footer, options and cards as the customer sees them."""
    return Filling(template.parts, given, template.has_named_parameters).preview()


class Filling:
    def __init__(self, definition: list[Json], given: list[Json], named: bool) -> None:
        self.definition = {part["type"].upper(): part for part in definition}
        self.given = given
        self.named = named

    def preview(self) -> Json:
        preview: Json = {"header": self._header(), "body": self._text("BODY", "body"), "options": self._buttons()}
        if len(preview["body"] or "") > LONGEST_BODY:
            raise GraphError(132005, "body: the text is too long once its parameters are filled in")
        preview["footer"] = self.definition.get("FOOTER", {}).get("text")
        if cards := self._cards():
            preview["cards"] = [{"header": card["header"], "body": card["body"]} for card in cards]
            preview["options"] += [option | {"card": at} for at, card in enumerate(cards) for option in card["options"]]
        return {name: part for name, part in preview.items() if part}

    def _header(self) -> Json | None:
        format = self.definition.get("HEADER", {}).get("format", "TEXT").upper()
        if format == "TEXT":
            text = self._text("HEADER", "header")
            return {"text": text} if text else None
        parameters = self._parameters("header")
        kind = format.lower()
        received = parameters[0].get("type") if len(parameters) == 1 else None
        if received != kind or not isinstance(parameters[0].get(kind), dict):
            preview = str(received or "UNKNOWN").upper()
            raise GraphError(132012, f"header: Format mismatch, expected {format}, received {preview}")
        return {"kind": kind, kind: parameters[0][kind]}

    def _text(self, name: str, place: str) -> str | None:
        text = self.definition.get(name, {}).get("text")
        values = self._values(place, variables_of(text or ""))
        return VARIABLE.sub(lambda match: values[match[1]], text) if text else None

    def _values(self, place: str, variables: list[str]) -> dict[str, str]:
        """The value of each variable: by its name, or the n-th parameter for {{n}}, wherever it is in the text."""
        parameters = self._parameters(place)
        if not self.named:
            expected = max(map(int, variables), default=0)
            if len(parameters) != expected:
                raise mismatch(place, len(parameters), expected)
            return {number: text_of(place, parameters[int(number) - 1]) for number in variables}
        if len(parameters) != len(variables):
            raise mismatch(place, len(parameters), len(variables))
        values = {self._name(place, parameter): text_of(place, parameter) for parameter in parameters}
        if set(values) != set(variables):
            raise GraphError(132000, f"{place}: the parameters are not named as in the template")
        return values

    def _name(self, place: str, parameter: Json) -> str:
        if not parameter.get("parameter_name"):
            raise GraphError(132012, f"{place}: Parameter name is missing or empty")
        return str(parameter["parameter_name"])

    def _buttons(self) -> list[options.Option]:
        defined = self.definition.get("BUTTONS", {}).get("buttons", [])
        given: dict[int, list[Json]] = {
            int(part["index"]): part.get("parameters", []) for part in self.given if part["type"] == "button"
        }
        if any(not 0 <= index < len(defined) for index in given):
            raise mismatch("buttons", len(given), len(defined))
        for index, button in enumerate(defined):
            _check_button(index, button, given.get(index, []))
        return [options.of_template_button(button, given.get(index, [])) for index, button in enumerate(defined)]

    def _cards(self) -> list[Json]:
        defined = self.definition.get("CAROUSEL", {}).get("cards", [])
        given: list[Json] = next((part.get("cards", []) for part in self.given if part["type"] == "carousel"), [])
        if len(given) != len(defined):
            raise mismatch("carousel", len(given), len(defined))
        cards = zip(defined, given, strict=True)
        return [Filling(one["components"], _with_lower_types(two), self.named)._card() for one, two in cards]

    def _card(self) -> Json:
        return {"header": self._header(), "body": self._text("BODY", "body"), "options": self._buttons()}

    def _parameters(self, place: str) -> list[Json]:
        return next((part.get("parameters") or [] for part in self.given if part["type"] == place), [])


def variables_of(text: str) -> list[str]:
    """The names or numbers in {{…}}, each once, in order of appearance."""
    return list(dict.fromkeys(VARIABLE.findall(text)))


def text_of(place: str, parameter: Json) -> str:
    """The text of a parameter, or Meta's error."""
    kind = parameter.get("type")
    if kind in ("currency", "date_time"):
        return str(parameter.get(kind, {}).get("fallback_value", ""))
    if kind != "text" or not isinstance(parameter.get("text"), str):
        raise GraphError(132012, f"{place}: Format mismatch, expected TEXT, received {str(kind).upper()}")
    if re.search(r"[\n\t]| {5}", parameter["text"]):
        raise GraphError(132018, "Param text cannot have new-line/tab characters or more than 4 consecutive spaces")
    return str(parameter["text"])


def mismatch(place: str, count: int, expected: int) -> GraphError:
    """Error 132000 about the number of parameters."""
    return GraphError(
        132000,
        f"{place}: number of localizable_params ({count}) does not match the expected number of params ({expected})",
    )


def _check_button(index: int, button: Json, parameters: list[Json]) -> None:
    needed = NEEDS_PARAMETER.get(button["type"])
    if button["type"] == "URL":
        variables = variables_of(button.get("url", ""))
        needed = "text" if variables else None
        if len(parameters) > len(variables):
            raise mismatch("buttons", len(parameters), len(variables))
    if needed and not parameters:
        kind = button["type"].capitalize()
        raise GraphError(131008, f"buttons: Button at index {index} of type {kind} requires a parameter")
    if needed and not parameters[0].get(needed):
        raise GraphError(132012, f"buttons: Button at index {index} expects a parameter of type {needed}")


def _with_lower_types(card: Json) -> list[Json]:
    return [part | {"type": str(part.get("type", "")).lower()} for part in card.get("components", [])]
