"""Fills a template with the parameters of one send, and refuses what does not fit as Meta does."""

import re
from typing import Any

from simulator import options, template_library
from simulator.errors import GraphError
from simulator.filled_buttons import check_buttons, mismatch
from simulator.message_templates import MessageTemplate
from simulator.options import VARIABLE

Json = dict[str, Any]
LONGEST_HEADER, LONGEST_BODY, LONGEST_OFFER_BODY, LONGEST_OTP = 60, 1024, 600, 15
PLACE = ("latitude", "longitude", "name", "address")
PRODUCT = ("product_retailer_id", "catalog_id")
AMOUNT = ("fallback_value", "code", "amount_1000")
MOST_CARDS = 10


def fill(template: MessageTemplate, given: list[Json]) -> Json:
    """Returns header, body, footer, options and cards as the customer sees them."""
    filling = Filling(template.parts, given, template.has_named_parameters)
    preview = filling.preview(template.world.clock.now())
    if template.category == "AUTHENTICATION":
        filling.check_code()
    if template.library_template_name:
        _check_types(template.library_template_name, filling)
    return preview


class Filling:
    def __init__(self, definition: list[Json], given: list[Json], named: bool) -> None:
        self.definition = {part["type"].upper(): part for part in definition}
        self.given = given
        self.named = named

    def preview(self, now: float) -> Json:
        self._check_places()
        preview: Json = {"header": self._header(), "body": self._text("BODY", "body"), "options": self._buttons()}
        longest = LONGEST_OFFER_BODY if "LIMITED_TIME_OFFER" in self.definition else LONGEST_BODY
        if len(preview["body"] or "") > longest:
            raise GraphError(132005, "body: the text is too long once its parameters are filled in")
        preview["footer"] = self.definition.get("FOOTER", {}).get("text")
        if offer := self._offer(now):
            preview["offer"] = offer
        if cards := self._cards():
            preview["cards"] = [{"header": card["header"], "body": card["body"]} for card in cards]
            preview["options"] += [option | {"card": at} for at, card in enumerate(cards) for option in card["options"]]
        return {name: part for name, part in preview.items() if part}

    def check_code(self) -> None:
        """The code of an authentication template is the same in body and button, and short."""
        codes = [str(one.get("text", "")) for one in self._parameters("body")]
        button = next((part for part in self.given if part["type"] == "button"), {})
        if button:
            codes += [str(one.get("text", "")) for one in button.get("parameters") or []]
        if len(set(codes)) > 1:
            raise GraphError(132018, "The code in the body and the code in the button must be the same.")
        if any(len(code) > LONGEST_OTP for code in codes):
            raise GraphError(132018, f"The code can have at most {LONGEST_OTP} characters.")

    def body_values(self) -> list[str]:
        """The values of the body's variables, in the order of their numbers."""
        return [text_of("body", parameter) for parameter in self._parameters("body")]

    def _check_places(self) -> None:
        """Parameters for a part that the template does not have, or for one part twice."""
        places = [part["type"] for part in self.given if part["type"] != "button"]
        for place in places:
            if places.count(place) > 1:
                raise GraphError(131009, f"The component {place} is given more than once.")
            count = len(self._parameters(place))
            if place in ("header", "body", "footer") and place.upper() not in self.definition and count:
                raise mismatch(place, count, 0)
        if "CAROUSEL" not in self.definition and "carousel" in places:
            raise GraphError(132012, "carousel: the template has no cards")

    def _header(self) -> Json | None:
        format = self.definition.get("HEADER", {}).get("format", "TEXT").upper()
        if format == "TEXT":
            text = self._text("HEADER", "header")
            if len(text or "") > LONGEST_HEADER:
                raise GraphError(132005, "header: the text is too long once its parameters are filled in")
            return {"text": text} if text else None
        parameters = self._parameters("header")
        kind = format.lower()
        received = parameters[0].get("type") if len(parameters) == 1 else None
        if received != kind or not isinstance(parameters[0].get(kind), dict):
            preview = str(received or "UNKNOWN").upper()
            raise GraphError(132012, f"header: Format mismatch, expected {format}, received {preview}")
        _check_header_object(format, parameters[0][kind])
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
        given = check_buttons(defined, [part for part in self.given if part["type"] == "button"])
        return [options.of_template_button(button, given.get(index, [])) for index, button in enumerate(defined)]

    def _offer(self, now: float) -> Json | None:
        """The offer with its end, which must be to come."""
        about = self.definition.get("LIMITED_TIME_OFFER", {}).get("limited_time_offer")
        parameters = self._parameters("limited_time_offer")
        if not about:
            return None
        if not about.get("has_expiration"):
            return {"text": about["text"]}
        given = parameters[0].get("limited_time_offer") if len(parameters) == 1 else None
        ends = given.get("expiration_time_ms") if isinstance(given, dict) else None
        if ends is None:
            raise GraphError(131008, "limited_time_offer: expiration_time_ms is missing")
        if not str(ends).isdecimal() or int(ends) <= now * 1000:
            raise GraphError(131009, "limited_time_offer: expiration_time_ms must be a time to come, in milliseconds")
        return {"text": about["text"], "ends": int(ends) / 1000}

    def _cards(self) -> list[Json]:
        defined = self.definition.get("CAROUSEL", {}).get("cards", [])
        given: list[Json] = next((part.get("cards") or [] for part in self.given if part["type"] == "carousel"), [])
        if _has_products(defined) and 2 <= len(given) <= MOST_CARDS:
            defined = [defined[0]] * len(given)
        if len(given) != len(defined):
            raise mismatch("carousel", len(given), len(defined))
        if [str(card.get("card_index")) for card in given] != [str(at) for at in range(len(given))]:
            raise GraphError(132012, "carousel: the cards must have a card_index from 0 on, in order")
        cards = zip(defined, given, strict=True)
        return [Filling(one["components"], _with_lower_types(two), self.named)._card() for one, two in cards]

    def _card(self) -> Json:
        self._check_places()
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
        return _fallback(place, str(kind), parameter.get(str(kind)))
    if kind != "text" or not isinstance(parameter.get("text"), str):
        raise GraphError(132012, f"{place}: Format mismatch, expected TEXT, received {str(kind).upper()}")
    if not parameter["text"].strip():
        raise GraphError(131008, f"{place}: Parameter of type text is missing text value")
    if re.search(r"[\n\t]| {5}", parameter["text"]):
        raise GraphError(132018, "Param text cannot have new-line/tab characters or more than 4 consecutive spaces")
    return str(parameter["text"])


def _fallback(place: str, kind: str, value: Any) -> str:
    """What is shown of an amount or a time."""
    needed = AMOUNT if kind == "currency" else ("fallback_value",)
    if not isinstance(value, dict) or any(value.get(name) in (None, "") for name in needed):
        raise GraphError(132012, f"{place}: Parameter of type {kind} needs {', '.join(needed)}")
    return str(value["fallback_value"])


def _check_header_object(format: str, value: Json) -> None:
    """A file has an id or a link, a place and a product all their members."""
    if format in ("LOCATION", "PRODUCT"):
        for name in PLACE if format == "LOCATION" else PRODUCT:
            if value.get(name) in (None, ""):
                raise GraphError(132012, f"header: {format} is missing {name}")
    elif ("id" in value) == ("link" in value):
        raise GraphError(132012, f"header: {format} needs either an id or a link")


def _check_types(name: str, filling: Filling) -> None:
    """Values of a library template must be of the types that the library gives its parameters."""
    if trouble := template_library.misfit(name, filling.body_values()):
        raise GraphError(132018, trouble)


def _has_products(cards: list[Json]) -> bool:
    parts = [part for card in cards[:1] for part in card["components"]]
    return any(str(part.get("format", "")).upper() == "PRODUCT" for part in parts)


def _with_lower_types(card: Json) -> list[Json]:
    return [part | {"type": str(part.get("type", "")).lower()} for part in card.get("components") or []]
