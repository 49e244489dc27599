"""JSON Schemas of the document as a tree that a page can show: members with their types, limits and choices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext

from app.api.deprecations import description_of

from .prose import Span, spans

Schema = dict[str, Any]
NULL = {"type": "null"}
# What of a schema limits its values, besides its type.
BOUNDS = (
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "minItems",
    "maxItems",
    "pattern",
    "format",
)


@dataclass(frozen=True)
class Choice:
    """One of several shapes that a value may have. `name` is the value of the member that tells them apart."""

    name: str
    description: str
    members: tuple[Member, ...]

    @property
    def spans(self) -> list[Span]:
        return list(spans(self.description))


@dataclass(frozen=True)
class Member:
    """A member of an object, or a parameter."""

    name: str
    type: str
    description: str
    schema: Schema
    is_required: bool
    is_nullable: bool
    members: tuple[Member, ...]
    choices: tuple[Choice, ...]

    @property
    def spans(self) -> list[Span]:
        """Its description."""
        return list(spans(self.description))

    @property
    def values(self) -> list[Any]:
        """The only values that there are; empty where there are others."""
        return allowed_values(self.schema) or allowed_values(self.schema.get("items", {}))

    @property
    def default(self) -> Any:
        """None where there is none: a null that one may leave out says nothing more."""
        value = self.schema.get("default")
        return value if value not in ("", [], {}) else None

    @property
    def limits(self) -> list[str]:
        """In words of the reader's language."""
        of_items = limits_of(self.schema["items"]) if "items" in self.schema else ()
        return [*limits_of(self.schema), *(str(_("each %(limit)s", limit=limit)) for limit in of_items)]

    @property
    def whole_type(self) -> str:
        return f"{self.type} or null" if self.is_nullable else self.type


Inside = tuple[tuple[Member, ...], tuple[Choice, ...]]


class Trees:
    """Of one document: `definitions` are its components."""

    def __init__(self, definitions: dict[str, Schema]) -> None:
        self.definitions = definitions

    def resolve(self, schema: Schema) -> tuple[str, Schema]:
        """The name of what it refers to, if it does, and that itself; descriptions beside a reference win."""
        name = ""
        while "$ref" in schema or len(schema.get("allOf", ())) == 1:
            beside = {key: value for key, value in schema.items() if key not in ("$ref", "allOf")}
            if "$ref" in schema:
                name = schema["$ref"].rpartition("/")[2]
                schema = self.definitions[name] | beside
            else:
                schema = schema["allOf"][0] | beside
        return name, schema

    def options(self, schema: Schema) -> list[Schema]:
        """The shapes it may have, without null."""
        return [one for one in (*schema.get("anyOf", ()), *schema.get("oneOf", ())) if one != NULL]

    def plain(self, schema: Schema) -> tuple[str, Schema, bool]:
        """Resolved, and without the null that it may be instead: name, schema, whether it may be null."""
        name, schema = self.resolve(schema)
        options, is_nullable = self.options(schema), NULL in schema.get("anyOf", ())
        if len(options) == 1:
            beside = {key: value for key, value in schema.items() if key not in ("anyOf", "oneOf")}
            inner, resolved = self.resolve(options[0])
            return inner or name, resolved | beside, is_nullable
        return name, schema, is_nullable

    def member(self, name: str, schema: Schema, *, is_required: bool, above: tuple[str, ...] = ()) -> Member:
        named, about, is_nullable = self.plain(schema)
        description = description_of(about | schema)
        members, choices = self.below(named, about, above)
        return Member(name, self.type_of(about), description, about, is_required, is_nullable, members, choices)

    def below(self, named: str, about: Schema, above: tuple[str, ...]) -> Inside:
        """What is inside it, or inside the items of a list; nothing where it holds itself again."""
        if self.is_list(about):
            item_name, item, _null = self.plain(about.get("items", {}))
            return self.below(item_name, item, (*above, named))
        return ((), ()) if named and named in above else self.inside(about, (*above, named))

    def inside(self, schema: Schema, above: tuple[str, ...] = ()) -> Inside:
        """The members of an object, or the choices of a union of objects."""
        options = [(name, one) for name, one in map(self.resolve, self.options(schema)) if "properties" in one]
        if len(options) > 1:
            key = schema.get("discriminator", {}).get("propertyName")
            choices = (
                Choice(
                    choice_name(one, key) or name,
                    one.get("description", ""),
                    () if name in above else tuple(self.members(one, (*above, name))),
                )
                for name, one in options
            )
            return (), tuple(choices)
        extra = schema.get("additionalProperties")
        if isinstance(extra, dict) and extra:
            return (self.member(_("(any name)"), extra, is_required=False, above=above),), ()
        return tuple(self.members(schema, above)), ()

    def members(self, schema: Schema, above: tuple[str, ...] = ()) -> Iterator[Member]:
        required = schema.get("required", ())
        for name, one in schema.get("properties", {}).items():
            yield self.member(name, one, is_required=name in required, above=above)

    def is_list(self, schema: Schema) -> bool:
        return schema.get("type") == "array"

    def type_of(self, schema: Schema) -> str:
        """As programmers say it: string, list of integer, object."""
        if self.is_list(schema):
            return f"list of {self.type_of(self.plain(schema.get('items', {}))[1])}"
        if options := self.options(schema):
            return " or ".join(dict.fromkeys(self.type_of(one) for _name, one in map(self.resolve, options)))
        kind = schema.get("type")
        if isinstance(kind, list):
            return " or ".join(kind)
        if kind is None and (values := allowed_values(schema)):
            return "string" if all(isinstance(value, str) for value in values) else "value"
        return str(kind or ("object" if "properties" in schema else "any"))


def choice_name(schema: Schema, key: str | None) -> str:
    """What the member that tells the choices apart holds."""
    values = allowed_values(schema["properties"].get(key or "", {}))
    return str(values[0]) if values else ""


def allowed_values(schema: Schema) -> list[Any]:
    return [schema["const"]] if "const" in schema else list(schema.get("enum", ()))


def limits_of(schema: Schema) -> list[str]:
    bounds = {name: schema[name] for name in BOUNDS if name in schema}
    return [words_of(name, value) for name, value in bounds.items()]


def words_of(bound: str, value: Any) -> str:
    match bound:
        case "minLength":
            return str(ngettext("at least %(num)d character", "at least %(num)d characters", value))
        case "maxLength":
            return str(ngettext("at most %(num)d character", "at most %(num)d characters", value))
        case "minimum":
            return str(_("%(value)s or more", value=value))
        case "maximum":
            return str(_("%(value)s or less", value=value))
        case "exclusiveMinimum":
            return str(_("more than %(value)s", value=value))
        case "exclusiveMaximum":
            return str(_("less than %(value)s", value=value))
        case "minItems":
            return str(ngettext("at least %(num)d item", "at least %(num)d items", value))
        case "maxItems":
            return str(ngettext("at most %(num)d item", "at most %(num)d items", value))
        case "pattern":
            return str(_("matches %(pattern)s", pattern=value))
    return str(value)
