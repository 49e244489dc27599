from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from conformance.description import Complaint, Description, Operation
from conformance.recording import NOTHING, Exchange, plain_type

# Of these, OpenAPI says that a parameter's description is to be ignored.
IGNORED = ("accept", "authorization", "content-type")


@dataclass(frozen=True)
class Difference:
    """`what` names it in explained.toml; `found` was sent or answered where the description `says` otherwise."""

    edge: str
    what: str
    found: str = field(compare=False)
    says: str = field(compare=False)


@dataclass
class Comparison:
    """The unique differences, the compared edges, and the edges without a description."""

    differences: list[Difference]
    edges: set[str]
    undescribed: set[str]


def compare(
    description: Description, exchanges: Iterable[Exchange], kinds: Mapping[str, tuple[str, ...]]
) -> Comparison:
    """Compares every exchange with the description."""
    unique: dict[Difference, None] = {}
    result = Comparison([], set(), set())
    for exchange in exchanges:
        operation = description.operation(exchange.method, exchange.path, kinds)
        if operation is None:
            result.undescribed.add(f"{exchange.method} {_anonymous(exchange.path, kinds)}")
            continue
        result.edges.add(operation.edge)
        unique |= dict.fromkeys(differences(operation, exchange))
    result.differences = list(unique)
    return result


def differences(operation: Operation, exchange: Exchange) -> Iterator[Difference]:
    """Yields the differences of one exchange."""
    accepted = exchange.status < 400
    # What the simulator refuses is wrong on purpose; then only its answer is looked at.
    sides = {"request": _of_request(operation, exchange) if accepted else (), "answer": _of_answer(operation, exchange)}
    for side, complaints in sides.items():
        for one in complaints:
            yield Difference(operation.edge, f"{side} {one.where}: {one.kind}", _short_repr(one.found), one.says)


def _of_request(operation: Operation, exchange: Exchange) -> Iterator[Complaint]:
    yield from _of_parameters(operation, exchange)
    definition = operation.body
    if exchange.sent is NOTHING:
        if definition and definition.get("required"):
            yield Complaint("body", "missing", exchange.query, "required")
        return
    if definition is None:
        yield Complaint("body", "not described", exchange.sent, "no body")
        return
    yield from _of_body(operation.description, definition["content"], plain_type(exchange.headers), exchange.sent)


def _of_parameters(operation: Operation, exchange: Exchange) -> Iterator[Complaint]:
    given = {
        "path": operation.values,
        "query": dict(exchange.query),
        "header": {name.lower(): value for name, value in exchange.headers.items()},
    }
    if operation.definition.get("security") and not exchange.headers.get("Authorization", "").startswith("Bearer "):
        yield Complaint("header Authorization", "missing", None, "a bearer token")
    for definition in operation.parameters:
        if definition["in"] == "header" and definition["name"].lower() in IGNORED:
            continue
        name = definition["name"].lower() if definition["in"] == "header" else definition["name"]
        value = given.get(definition["in"], {}).get(name)
        if value is None and definition.get("required"):
            yield Complaint(f"{definition['in']} {definition['name']}", "missing", None, "required")
        elif value is not None:
            for one in operation.description.complaints(
                definition.get("schema", {}), _parse(operation, definition, value)
            ):
                yield Complaint(f"{definition['in']} {definition['name']}{one.where}", one.kind, one.found, one.says)
    described = {definition["name"] for definition in operation.parameters if definition["in"] == "query"}
    for name, value in exchange.query:
        if name not in described:
            yield Complaint(f"query {name}", "not described", value, "nothing")


def _parse(operation: Operation, definition: dict[str, Any], value: str) -> Any:
    """Parses the text of a parameter into the type that the description defines."""
    kind = operation.description.resolve(definition.get("schema", {})).get("type")
    if kind == "integer" and value.lstrip("-").isdecimal():
        return int(value)
    if kind == "boolean" and value in ("true", "false"):
        return value == "true"
    return value.split(",") if kind == "array" else value


def _of_answer(operation: Operation, exchange: Exchange) -> Iterator[Complaint]:
    definition = operation.answer(exchange.status)
    if definition is None:
        statuses = ", ".join(map(str, operation.definition["responses"]))
        yield Complaint(f"{exchange.status} status", "not described", exchange.answered, statuses)
        return
    for one in _of_body(operation.description, definition.get("content", {}), exchange.kind, exchange.answered):
        yield Complaint(f"{exchange.status} {one.where}", one.kind, one.found, one.says)


def _of_body(description: Description, content: dict[str, Any], kind: str, body: Any) -> Iterator[Complaint]:
    if content and kind not in content:
        yield Complaint("body", "content type", kind, ", ".join(content))
    elif isinstance(body, dict | list):
        for one in description.complaints(content.get(kind, {}).get("schema", {}), body):
            yield Complaint(f"body.{one.where}" if one.where else "body", one.kind, one.found, one.says)


def _anonymous(path: str, kinds: Mapping[str, tuple[str, ...]]) -> str:
    """An edge without the ids of this run."""
    parts = path.strip("/").split("/")
    return "/" + "/".join(f"{{{kinds[part][0]}}}" if kinds.get(part) else part for part in parts)


def _short_repr(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 160 else f"{shown[:159]}…"
