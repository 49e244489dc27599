"""The pages that describe the API, made of its document: a page for each tag, with every call."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import Any

from app.api.blueprint import bp
from app.api.declaring import ENDPOINTS, Endpoint
from app.api.deprecations import MEMBER, Deprecation
from app.api.document import JSON, document
from app.api.problems import PROBLEMS, Kind
from app.api.snippets import Request, as_json
from app.extensions import settings

from .examples import ID, Examples
from .prose import Block, blocks
from .schemas import Inside, Member, Schema, Trees

# What other systems and businesses call things, in an address that can be pasted.
IN_ADDRESSES = {"external_id": "order-1041", "source": "shop", "type": "order", "name": "order_ready"}
PLACEHOLDER = re.compile(r"\{(\w+)\}")
LIST_LIMIT = 20
PREFIX = str(bp.url_prefix)


@dataclass(frozen=True)
class Call:
    """One call, as its page shows it."""

    endpoint: Endpoint
    operation: dict[str, Any]
    path: str
    trees: Trees

    @property
    def name(self) -> str:
        return self.endpoint.name

    @property
    def method(self) -> str:
        return self.endpoint.method

    @property
    def summary(self) -> str:
        return self.endpoint.summary

    @property
    def address(self) -> str:
        return f"{PREFIX}{self.path}"

    @functools.cached_property
    def description(self) -> list[Block]:
        return blocks(self.endpoint.description)

    def parameters(self, place: str) -> list[Member]:
        """Those of the path, the query or the headers."""
        return [
            self.trees.member(
                one["name"],
                one["schema"] | {key: one[key] for key in ("description", MEMBER) if key in one},
                is_required=one["required"],
            )
            for one in self.operation["parameters"]
            if one["in"] == place
        ]

    @functools.cached_property
    def body_schema(self) -> Schema | None:
        content = self.operation.get("requestBody", {}).get("content", {})
        return content[JSON]["schema"] if JSON in content else None

    @functools.cached_property
    def answer_schema(self) -> Schema | None:
        content = self.operation["responses"][str(self.status)].get("content", {})
        return content[JSON]["schema"] if JSON in content else None

    @property
    def status(self) -> int:
        return min(int(status) for status in self.operation["responses"])

    @functools.cached_property
    def body_tree(self) -> Inside:
        return self.trees.inside(self.trees.resolve(self.body_schema)[1]) if self.body_schema else ((), ())

    @functools.cached_property
    def answer_tree(self) -> Inside:
        return self.trees.inside(self.trees.resolve(self.answer_schema)[1]) if self.answer_schema else ((), ())

    @functools.cached_property
    def bodies(self) -> list[tuple[str, Any]]:
        """An example of each type of body, with its name."""
        if self.body_schema is None or self.endpoint.body is None:
            return []
        return Examples(self.trees).bodies(self.body_schema, self.endpoint.body)

    @property
    def body_texts(self) -> list[tuple[str, str]]:
        return [(name, as_json(body)) for name, body in self.bodies]

    @functools.cached_property
    def answer(self) -> str:
        """An example of it, as JSON; empty where there is none."""
        return as_json(Examples(self.trees).answer(self.answer_schema)) if self.answer_schema else ""

    @functools.cached_property
    def request(self) -> Request:
        """The example."""
        body = self.bodies[0][1] if self.bodies else None
        takes = self.endpoint.takes[0] if self.endpoint.takes else ""
        address = f"{settings.public_url}{PLACEHOLDER.sub(self.example_of, self.address)}"
        return Request(self.method, address, self.query, body, takes, self.endpoint.is_repeatable)

    def example_of(self, variable: re.Match[str]) -> str:
        schema = next(one["schema"] for one in self.operation["parameters"] if one["name"] == variable[1])
        if schema.get("format") == "uuid":
            return ID
        return IN_ADDRESSES.get(variable[1]) or str(Examples(self.trees).value(schema, variable[1]))

    @property
    def query(self) -> dict[str, Any]:
        """What the address has to have, and how long a list shall be."""
        given = [one for one in self.operation["parameters"] if one["in"] == "query"]
        query = {
            one["name"]: Examples(self.trees).value(one["schema"], one["name"]) for one in given if one["required"]
        }
        return query | ({"limit": LIST_LIMIT} if any(one["name"] == "limit" for one in given) else {})

    @property
    def problems(self) -> list[Kind]:
        return [PROBLEMS[code] for code in self.endpoint.all_problems]


@dataclass(frozen=True)
class TagPage:
    """All calls about one thing. `name` is its part of the address."""

    name: str
    title: str
    calls: tuple[Call, ...]


def slug(tag: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", tag.lower()).strip("-")


@functools.cache
def tag_pages() -> dict[str, TagPage]:
    """By name, in the order of their titles; the calls in the order in which they are declared."""
    whole = document()
    trees = Trees(whole["components"]["schemas"])
    by_tag: dict[str, list[Call]] = {tag["name"]: [] for tag in whole["tags"]}
    for path, operations in whole["paths"].items():
        for operation in operations.values():
            call = Call(ENDPOINTS[operation["operationId"]], operation, path, trees)
            by_tag[call.endpoint.tag].append(call)
    places = {name: place for place, name in enumerate(ENDPOINTS)}
    pages = (
        TagPage(slug(tag), tag, tuple(sorted(calls, key=lambda call: places[call.name])))
        for tag, calls in by_tag.items()
    )
    return {page.name: page for page in pages}


@functools.cache
def calls() -> dict[str, Call]:
    return {call.name: call for page in tag_pages().values() for call in page.calls}


def calls_with(code: str) -> list[tuple[TagPage, Call]]:
    """The calls that may answer with this problem."""
    return [(page, call) for page in tag_pages().values() for call in page.calls if code in call.endpoint.all_problems]


def deprecated() -> list[tuple[str, Deprecation]]:
    """What is deprecated, with its name: endpoints with their address, parameters, members of schemas."""
    whole = document()
    found: list[tuple[str, dict[str, Any]]] = []
    for path, operations in whole["paths"].items():
        for method, operation in operations.items():
            name = f"{method.upper()} {path}"
            found.append((name, operation))
            found += [(f"{name}: {one['name']}", one) for one in operation["parameters"]]
    for name, schema in whole["components"]["schemas"].items():
        found += [(f"{name}.{member}", one) for member, one in schema.get("properties", {}).items()]
    return [(name, Deprecation(**one[MEMBER])) for name, one in found if MEMBER in one]
