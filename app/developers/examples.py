"""Examples made from JSON Schemas: what a schema gives as `examples`, else natural values for common names."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import to_json

from .schemas import Schema, Trees, allowed_values

DEEPEST = 8
ID = "019ad0c4-7e1b-7c52-9d0a-3f1c5be2a7f4"
# A moment that was, for answers.
WAS = "2026-11-29T09:30:00.000Z"
# Of a time in a body: in so many days, since many may not be over.
AHEAD = dt.timedelta(days=30)
NATURAL: dict[str, Any] = {
    "body": "Your order is ready.",
    "text": "Your order is ready.",
    "display_text": "Track your order",
    "title": "Order 1042",
    "footer": "Bakery",
    "header": "Your order",
    "name": "Carla",
    "first_name": "Carla",
    "company": "Bakery",
    "phone": "+15550783881",
    "display_number": "+1 555 078 3881",
    "wa_id": "15550783881",
    "email": "carla@example.com",
    "url": "https://example.com/orders/1042",
    "link": "https://example.com/orders/1042",
    "address": "12 Mill Lane",
    "language": "en",
    "country": "US",
    "currency": "USD",
    "emoji": "\N{THUMBS UP SIGN}",
    "wamid": "wamid.HBgLMTU1NTA3ODM4ODEVAgARGBI5",
    "meta_id": "106540352242922",
    "mime": "image/jpeg",
    "filename": "receipt.jpg",
    "latitude": 52.52,
    "longitude": 13.405,
    "next": None,
    "error": None,
}
# Tried where a pattern takes none of the natural values.
SPELLINGS = (
    "example",
    "EXAMPLE",
    "example_1",
    "en",
    "en_US",
    "US",
    "USD",
    "15550783881",
    "+15550783881",
    "1042",
    "1",
    "a",
)
ALTERNATIVES = re.compile(r"\^\(?(?:\?:)?([\w-]+)\|")


@dataclass(frozen=True)
class Wish:
    """How much to make: what is required, or `whole` with every member; for an answer, times are over."""

    whole: bool = False
    is_answer: bool = False
    depth: int = 0

    @property
    def deeper(self) -> Wish:
        return replace(self, depth=self.depth + 1)


class Examples:
    """Of one document."""

    def __init__(self, trees: Trees) -> None:
        self.trees = trees

    def bodies(self, schema: Schema, model: type[BaseModel]) -> list[tuple[str, Any]]:
        """A body for each type that the model has, with its name: the smallest that the model takes."""
        named = self.trees.inside(self.trees.resolve(schema)[1])[1]
        options = self.trees.options(self.trees.resolve(schema)[1]) if named else [schema]
        names = [choice.name for choice in named] or [""]
        adapter = TypeAdapter(model)
        return [(name, self.first_valid(one, adapter)) for name, one in zip(names, options, strict=True)]

    def first_valid(self, schema: Schema, adapter: TypeAdapter[Any]) -> Any:
        candidates = list(self.candidates(schema))
        return next((one for one in candidates if is_valid(adapter, one)), candidates[0])

    def candidates(self, schema: Schema) -> Iterator[Any]:
        """Its own examples, then what is required, that with one member more, and everything."""
        _name, about = self.trees.resolve(schema)
        yield from about.get("examples", ())
        small = self.value(schema)
        yield small
        if isinstance(small, dict):
            properties = about.get("properties", {})
            for name in properties.keys() - small.keys():
                yield small | {name: self.value(properties[name], name)}
            yield {name: self.value(one, name) for name, one in properties.items()}
        yield self.value(schema, "", Wish(whole=True))

    def answer(self, schema: Schema) -> Any:
        return self.value(schema, "", Wish(whole=True, is_answer=True))

    def value(self, schema: Schema, name: str = "", wish: Wish = Wish()) -> Any:
        _ref, about, is_nullable = self.trees.plain(schema)
        if given := schema.get("examples") or about.get("examples") or allowed_values(about):
            return given[0]
        if is_nullable and (wish.depth > DEEPEST or NATURAL.get(name, ...) is None):
            return None
        if options := self.trees.options(about):
            return self.value(options[0], name, wish.deeper)
        match about.get("type"):
            case "object":
                return self.object(about, wish.deeper)
            case "array":
                count = max(1, about.get("minItems", 1)) if wish.depth <= DEEPEST else 0
                return [self.value(about.get("items", {}), singular(name), wish.deeper) for _ in range(count)]
        return scalar(about, name, is_answer=wish.is_answer)

    def object(self, about: Schema, wish: Wish) -> dict[str, Any]:
        properties, required = about.get("properties", {}), about.get("required", ())
        if not properties:
            extra = about.get("additionalProperties")
            return {"example": self.value(extra, "example", wish)} if isinstance(extra, dict) and extra else {}
        names = [name for name in properties if wish.whole or name in required] or list(properties)[:1]
        return {name: self.value(properties[name], name, wish) for name in names}


def scalar(about: Schema, name: str, *, is_answer: bool) -> Any:
    match about.get("type"):
        case "boolean":
            return bool(about.get("default", False))
        case "integer" | "number" as kind:
            return number(about, name, whole=kind == "integer")
        case "null":
            return None
        case "string" if about.get("format") == "date-time":
            return moment(is_answer)
        case "string":
            return string(about, name)
    return "example"


def is_valid(adapter: TypeAdapter[Any], value: Any) -> bool:
    """As strictly as a request's body is read."""
    try:
        adapter.validate_json(to_json(value), strict=True)
    except ValidationError:
        return False
    return True


def singular(name: str) -> str:
    return name.removesuffix("s")


def moment(is_answer: bool) -> str:
    if is_answer:
        return WAS
    day = (dt.datetime.now(dt.UTC) + AHEAD).date()
    return f"{day}T09:30:00Z"


def number(about: Schema, name: str, *, whole: bool) -> Any:
    low = about.get("minimum", about.get("exclusiveMinimum", 0) + 1 if "exclusiveMinimum" in about else None)
    high = about.get("maximum")
    value = about.get("default", NATURAL.get(name))
    if not isinstance(value, int | float):
        value = 1
    value = max(value, low) if low is not None else value
    value = min(value, high) if high is not None else value
    return int(value) if whole else value


def string(about: Schema, name: str) -> str:
    """Natural where the schema lets it be."""
    match about.get("format"):
        case "uuid":
            return ID
        case "date":
            return WAS[:10]
        case "uri":
            return str(NATURAL["url"])
        case "email":
            return str(NATURAL["email"])
    fitting = (fitted(str(one), about) for one in spellings(about, name))
    return next((one for one in fitting if re.search(about.get("pattern", ""), one)), "example")


def spellings(about: Schema, name: str) -> Iterator[str]:
    if about.get("default"):
        yield about["default"]
    natural = NATURAL.get(name) or next((NATURAL[end] for end in NATURAL if name.endswith(f"_{end}")), None)
    if isinstance(natural, str):
        yield natural
    if alternatives := ALTERNATIVES.match(about.get("pattern", "")):
        yield alternatives[1]
    yield (name or "example").replace("_", " ").capitalize() if "pattern" not in about else "example"
    yield from SPELLINGS


def fitted(value: str, about: Schema) -> str:
    """Cut or repeated to the length that the schema asks for."""
    value = value[: about.get("maxLength", len(value))].rstrip() or "e"
    while len(value) < about.get("minLength", 0):
        value += value
    return value[: about.get("maxLength", len(value))]
