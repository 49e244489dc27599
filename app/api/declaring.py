"""Endpoints as declarations: one mark says address, scope, what is read and answered; the document is made of the same.

@endpoint("GET", "/messages/<uuid:message_id>", scope=READ, gives=MessageShape, tag="Messages")
def get_message(message_id: uuid.UUID) -> MessageShape:
    \"\"\"Get a message.\"\"\"
"""

from __future__ import annotations

import datetime as dt
import functools
import inspect
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import IO, Annotated, Any, TypeVar
from urllib.parse import quote

from flask import Response, g, request
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

from app.tenancy.guard import for_keys

from . import admission, deprecations, idempotency, versions
from .blueprint import bp
from .deprecations import Deprecation
from .etags import check_match, etag_of
from .pages import Page
from .problems import PROBLEMS
from .reading import NoQuery, read_body, read_file, read_query, refuse_body

View = TypeVar("View", bound=Callable[..., Any])
ENDPOINTS: dict[str, Endpoint] = {}
# A part of an address: its type, if it says one, and its name.
VARIABLE = re.compile(r"<(?:(\w+)(?:\([^)]*\))?:)?(\w+)>")
# Problems that any request may meet.
EVERYWHERE = (
    "unauthorized",
    "key_revoked",
    "key_expired",
    "ip_not_allowed",
    "unknown_version",
    "rate_limited",
    "invalid_request",
)
OF_A_BODY = ("invalid_json", "too_large", "unsupported_media_type")
EARLIEST, LATEST = dt.datetime(2000, 1, 1, tzinfo=dt.UTC), dt.datetime(2100, 1, 1, tzinfo=dt.UTC)


def in_utc(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def with_plus(value: Any) -> Any:
    """A plus sign that was not escaped in an address arrives as a space."""
    return value.strip().replace(" ", "+") if isinstance(value, str) and "T" in value else value


# A time in an answer, one in a body, and one in an address: RFC 3339.
Time = Annotated[
    dt.datetime,
    PlainSerializer(in_utc, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}, mode="serialization"),
]
GivenTime = Annotated[AwareDatetime, Field(ge=EARLIEST, le=LATEST)]
AddressTime = Annotated[GivenTime, BeforeValidator(with_plus)]


class Shape(BaseModel):
    """What the API shows of something, or takes for it. Members that it does not have are refused."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True, allow_inf_nan=False, hide_input_in_errors=True)


@dataclass(frozen=True, slots=True)
class Created:
    """The answer of a PUT that has made what it names: 201 instead of 200."""

    shape: Shape


@dataclass(frozen=True)
class Endpoint:
    """One call of the API. `gives` is None where the answer has no body; `files` is the type of another answer."""

    method: str
    rule: str
    view: Callable[..., Any]
    scope: str
    tag: str
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    gives: type[BaseModel] | None = None
    status: int = 200
    problems: Sequence[str] = field(default=())
    # The media types of a body, or of an answer, that is not JSON. The function gets such a body as a file.
    takes: Sequence[str] = field(default=())
    files: Sequence[str] = field(default=())
    most_bytes: int | None = None
    # Whether it may answer with `Created`.
    creates: bool = False
    deprecated: Deprecation | None = None

    @property
    def name(self) -> str:
        return self.view.__name__

    @property
    def summary(self) -> str:
        """The first line of the docstring."""
        return (inspect.getdoc(self.view) or "").partition("\n")[0].rstrip(".")

    @property
    def description(self) -> str:
        words = (inspect.getdoc(self.view) or "").partition("\n")[2].strip()
        return "\n\n".join(filter(None, (self.deprecated.words if self.deprecated else "", words)))

    @property
    def path(self) -> str:
        """As OpenAPI writes it: `/messages/{message_id}`."""
        return VARIABLE.sub(r"{\2}", self.rule)

    @property
    def is_repeatable(self) -> bool:
        """Whether it takes an Idempotency-Key."""
        return self.method == "POST"

    @property
    def twin(self) -> Endpoint | None:
        """The call that reads what this one is about."""
        return next((one for one in ENDPOINTS.values() if one.method == "GET" and one.rule == self.rule), None)

    @property
    def is_conditional(self) -> bool:
        """Whether it takes an If-Match. What deletes does where its address can be read."""
        return self.method in ("PATCH", "PUT") or (self.method == "DELETE" and self.twin is not None)

    @property
    def all_problems(self) -> list[str]:
        codes = [*EVERYWHERE, *self.problems]
        codes += ["missing_scope"] if self.scope else []
        codes += ["not_found"] if "<" in self.rule else []
        if self.takes:
            codes += ["too_large", "unsupported_media_type"]
        elif self.method != "GET":
            codes += OF_A_BODY
        codes += ["in_progress", "idempotency_key_reused", "invalid_idempotency_key"] if self.is_repeatable else []
        codes += ["changed_meanwhile"] if self.is_conditional else []
        return sorted(set(codes), key=lambda code: (PROBLEMS[code].status, code))

    def answer(self, **values: Any) -> Response:
        """One request to it."""
        if self.most_bytes:
            request.max_content_length = self.most_bytes
        admission.admit(self.scope)
        response = self.perform(values)
        deprecations.mark(response, self.deprecations)
        return response

    @property
    def deprecations(self) -> list[Deprecation]:
        """Of what this request uses."""
        return [
            one for one in (self.deprecated, versions.ENDING.get(g.api_version), *g.get("api_deprecated", ())) if one
        ]

    def perform(self, values: dict[str, Any]) -> Response:
        if self.method == "DELETE" and self.twin and {"If-Match", "If-None-Match"} & set(request.headers.keys()):
            check_match(self.twin.view(**values))
        query = read_query(self.query or NoQuery)
        if self.query:
            g.list_name = f"{self.name} {sorted(values.items())} {getattr(query, 'sort', '') or ''}"
            values["query"] = query
            g.api_deprecated = list(deprecations.given_in(query))
        if self.takes:
            with read_file(self.takes) as file:
                admission.admit_still()
                return self.perform_once(values | {"body": file}, file)
        if self.body:
            values["body"] = read_body(self.body, self.newest_of if g.api_version != versions.NEWEST else None)
            g.api_deprecated = [*g.get("api_deprecated", ()), *deprecations.given_in(values["body"])]
        elif self.method != "GET":
            refuse_body()
        return self.perform_once(values)

    def newest_of(self, body: dict[str, Any]) -> dict[str, Any]:
        return versions.body_from(g.api_version, self.name, body)

    def perform_once(self, values: dict[str, Any], file: IO[bytes] | None = None) -> Response:
        if self.is_repeatable:
            return idempotency.once(g.api_key.id, self.name, functools.partial(self.respond, values), file)
        return self.respond(values)

    def respond(self, values: dict[str, Any]) -> Response:
        result, status = self.view(**values), self.status
        if isinstance(result, Created):
            result, status = result.shape, 201
        if isinstance(result, Response):
            return result
        if not isinstance(result, BaseModel):
            return without_body()
        body = newest = result.model_dump_json(by_alias=True)
        if g.api_version != versions.NEWEST:
            body = versions.answer_in(g.api_version, self.name, newest)
        response = Response(body, status, mimetype="application/json")
        if isinstance(result, Page):
            link_next(response, result)
        elif self.method != "POST":
            response.headers["ETag"] = etag_of(newest)
            response.headers["Cache-Control"] = "private, no-cache"
            if self.method == "GET":
                response.make_conditional(request.environ)
        return response


def without_body() -> Response:
    response = Response(status=204)
    del response.headers["Content-Type"]
    return response


def link_next(response: Response, page: Page[Any]) -> None:
    """RFC 8288: the address of the next page."""
    if page.next:
        arguments = request.args.to_dict(flat=False) | {"after": [page.next]}
        builder = request.root_url.rstrip("/") + request.path
        query = "&".join(f"{quote(name)}={quote(value)}" for name, values in arguments.items() for value in values)
        response.headers["Link"] = f'<{builder}?{query}>; rel="next"'


def endpoint(
    method: str,
    rule: str,
    *,
    scope: str,
    tag: str,
    query: type[BaseModel] | None = None,
    body: type[BaseModel] | None = None,
    gives: type[BaseModel] | None = None,
    status: int = 200,
    problems: Sequence[str] = (),
    takes: Sequence[str] = (),
    files: Sequence[str] = (),
    most_bytes: int | None = None,
    creates: bool = False,
    deprecated: Deprecation | None = None,
) -> Callable[[View], View]:
    """Makes a function an endpoint. It gets the parts of its address, `query` and `body`, and returns `gives`.

    Without a scope, any key may call it.
    """

    def register(view: View) -> View:
        about = (tag, query, body, gives, status, problems, takes, files, most_bytes, creates, deprecated)
        made = Endpoint(method, rule, view, scope, *about)
        if made.name in ENDPOINTS:
            raise ValueError(f"two endpoints are called {made.name}")
        ENDPOINTS[made.name] = made

        def answer(**values: Any) -> Response:
            return made.answer(**values)

        bp.add_url_rule(rule, made.name, for_keys(answer), methods=[method], merge_slashes=False)
        return view

    return register
