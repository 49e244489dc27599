"""Reads an OpenAPI 3.x file and validates requests and answers against it."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from jsonschema import Draft202012Validator, ValidationError
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

_ROOT = "urn:description"
_VERSION = re.compile(r"v\d+\.\d+")


class Unreadable(Exception):
    pass


@dataclass(frozen=True)
class Complaint:
    """`kind` is the violated keyword of JSON Schema, or `not described`."""

    where: str
    kind: str
    found: Any
    says: str


class Description:
    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        resource = Resource.from_contents(_with_absolute_references(document), default_specification=DRAFT202012)
        self.registry: Registry[Any] = Registry().with_resource(_ROOT, resource)

    @classmethod
    def read(cls, path: pathlib.Path) -> Description:
        """Reads a file; raises Unreadable."""
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        try:
            document = yaml.load(path.read_text(encoding="utf-8"), loader)
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise Unreadable(f"{path} cannot be read: {error}") from error
        if not isinstance(document, dict) or not str(document.get("openapi", "")).startswith("3."):
            raise Unreadable(f"{path} is not an OpenAPI 3 file.")
        return cls(document)

    def operation(self, method: str, path: str, kinds: Mapping[str, tuple[str, ...]]) -> Operation | None:
        """Finds the operation of a request. `kinds` maps each id to the path parameters it can be."""
        for template, item in self.document["paths"].items():
            if method.lower() in item and (values := _values(template, path, kinds)) is not None:
                return Operation(self, method, template, item, values)
        return None

    def resolve(self, part: Any) -> Any:
        """The part itself, or what it refers to."""
        while isinstance(part, dict) and "$ref" in part:
            target: Any = self.document
            for step in part["$ref"].removeprefix("#/").split("/"):
                target = target[step.replace("~1", "/").replace("~0", "~")]
            part = target
        return part

    def complaints(self, schema: dict[str, Any], value: Any) -> Iterator[Complaint]:
        """Yields what in the value violates the schema."""
        schema = self.chosen(schema, value)
        validator = Draft202012Validator(_with_absolute_references(schema), registry=self.registry)
        for error in validator.iter_errors(value):
            yield _complaint(error)
        yield from self._surplus(schema, value, "")

    def chosen(self, schema: Any, value: Any) -> Any:
        """The alternative that the discriminator in the value selects."""
        schema = self.resolve(schema)
        names = schema.get("discriminator", {})
        if isinstance(value, dict) and (mapping := names.get("mapping")):
            reference = mapping.get(value.get(names["propertyName"]))
            return self.resolve({"$ref": reference}) if reference else schema
        return schema

    def _surplus(self, schema: Any, value: Any, where: str) -> Iterator[Complaint]:
        """Yields members without a description in objects that have one."""
        parts = list(self._parts(schema, value))
        if isinstance(value, list):
            inner = [part["items"] for part in parts if "items" in part]
            for item in value:
                yield from self._surplus({"allOf": inner}, item, f"{where}[]")
        elif isinstance(value, dict):
            is_open = any(part.get("additionalProperties") not in (None, False) for part in parts)
            is_open = is_open or not any("properties" in part for part in parts)
            for name, member in value.items():
                inner = [part["properties"][name] for part in parts if name in part.get("properties", {})]
                if inner:
                    yield from self._surplus({"allOf": inner}, member, _below(where, name))
                elif not is_open:
                    yield Complaint(_below(where, name), "not described", member, "nothing")

    def _parts(self, schema: Any, value: Any, above: tuple[int, ...] = ()) -> Iterator[dict[str, Any]]:
        """Every schema that speaks of the value. Alternatives may refer back to what they are alternatives of."""
        own = self.resolve(schema)
        if id(own) in above:
            return
        yield own
        above, chosen = (*above, id(own)), self.chosen(own, value)
        if chosen is not own:
            yield from self._parts(chosen, value, above)
        for word in ("allOf",) if chosen is not own else ("allOf", "anyOf", "oneOf"):
            for part in own.get(word, []):
                yield from self._parts(part, value, above)


@dataclass(frozen=True)
class Operation:
    description: Description
    method: str
    template: str
    item: dict[str, Any]
    values: dict[str, str]

    @property
    def edge(self) -> str:
        """The method and the path template."""
        return f"{self.method} {self.template}"

    @property
    def definition(self) -> dict[str, Any]:
        """The operation's object in the description."""
        return dict(self.item[self.method.lower()])

    @property
    def parameters(self) -> list[dict[str, Any]]:
        """The parameters; an operation's own replaces its path's of the same name."""
        given = [*self.item.get("parameters", []), *self.definition.get("parameters", [])]
        resolved = map(self.description.resolve, given)
        return list({(one["in"], one["name"].lower()): one for one in resolved}.values())

    @property
    def body(self) -> dict[str, Any] | None:
        """The definition of the request's body, or None."""
        return self.description.resolve(self.definition.get("requestBody")) or None

    def answer(self, status: int) -> dict[str, Any] | None:
        """The definition of the answer with the status, or None."""
        answers = {str(name): definition for name, definition in self.definition["responses"].items()}
        for name in (str(status), f"{status // 100}XX", "default"):
            if name in answers:
                return dict(self.description.resolve(answers[name]))
        return None


def _values(template: str, path: str, kinds: Mapping[str, tuple[str, ...]]) -> dict[str, str] | None:
    """The path's parameters, if it can be a path of this template."""
    wanted, given = template.strip("/").split("/"), path.strip("/").split("/")
    if len(wanted) != len(given):
        return None
    values = {}
    for part, segment in zip(wanted, given, strict=True):
        if not part.startswith("{"):
            if part != segment:
                return None
        elif not _fits(part[1:-1], segment, kinds):
            return None
        else:
            values[part[1:-1]] = segment
    return values


def _fits(name: str, segment: str, kinds: Mapping[str, tuple[str, ...]]) -> bool:
    return bool(_VERSION.fullmatch(segment)) if name == "Version" else name in kinds.get(segment, ())


def _with_absolute_references(part: Any) -> Any:
    """Rewrites references to be absolute, and `nullable` of 3.0 to a type.

    `additionalProperties: false` beside an `allOf` would forbid what the other parts describe. It is removed, and
    `_surplus` checks all parts together.
    """
    if isinstance(part, list):
        return [_with_absolute_references(one) for one in part]
    if not isinstance(part, dict):
        return part
    pointed = {name: _with_absolute_references(inner) for name, inner in part.items()}
    if isinstance(part.get("$ref"), str) and part["$ref"].startswith("#"):
        pointed["$ref"] = _ROOT + part["$ref"]
    if part.get("additionalProperties") is False:
        del pointed["additionalProperties"]
    if part.get("nullable") is True and isinstance(part.get("type"), str):
        pointed["type"] = [part["type"], "null"]
    return pointed


def _complaint(error: ValidationError) -> Complaint:
    where = ""
    for step in error.absolute_path:
        where = f"{where}[]" if isinstance(step, int) else _below(where, str(step))
    rule = error.validator_value
    if error.validator == "required":
        missing = next(name for name in rule if name not in error.instance)
        return Complaint(_below(where, missing), "missing", error.instance, "required")
    return Complaint(where, str(error.validator), error.instance, f"{error.validator}: {_short(rule)}")


def _below(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _short(rule: Any) -> str:
    return str(rule) if not isinstance(rule, list) or len(str(rule)) < 200 else f"{str(rule)[:200]} …"
