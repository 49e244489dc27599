"""Errors as RFC 9457 problems: each has a stable code, a page of its own, and says what to do."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from flask import Response, g, json, request

from app.extensions import settings
from app.words import N_

MIME = "application/problem+json"
PROBLEMS: dict[str, Kind] = {}


@dataclass(frozen=True, slots=True)
class Kind:
    """`title` is the same for every case; `advice` is what the caller can do."""

    code: str
    status: int
    title: str
    advice: str


def problem(code: str, status: int, title: str, advice: str) -> str:
    """Declares a kind of problem. Returns its code."""
    PROBLEMS[code] = Kind(code, status, title, advice)
    return code


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a request: `pointer` (RFC 6901) into the body, or `parameter` of the address."""

    code: str
    detail: str
    pointer: str | None = None
    parameter: str | None = None

    def as_json(self) -> dict[str, str]:
        values = {"code": self.code, "detail": self.detail, "pointer": self.pointer, "parameter": self.parameter}
        return {name: value for name, value in values.items() if value is not None}


class Problem(Exception):
    """Ends a request with this problem; what the request did is undone. `facts` fill in the title's advice."""

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        errors: Sequence[Fault] = (),
        headers: dict[str, str] | None = None,
        more: dict[str, Any] | None = None,
        **facts: object,
    ) -> None:
        super().__init__(code)
        self.kind, self.errors, self.headers, self.more = PROBLEMS[code], errors, headers or {}, more or {}
        self.detail = detail or self.kind.advice.format(**facts)

    def respond(self) -> Response:
        return respond(self.kind, self.detail, self.errors, self.headers, self.more)


class MissingScope(Problem):
    """The key lacks one of these scopes, all of which the call needs: an app may ask its person for more (RFC 6750)."""

    def __init__(self, *scopes: str, path: str = "/api/v1") -> None:
        header = challenge(path, error="insufficient_scope", scope=" ".join(scopes))
        super().__init__("missing_scope", headers={CHALLENGE: header}, scope=", ".join(scopes))


CHALLENGE = "WWW-Authenticate"


def challenge(path: str, **parts: str) -> str:
    """What an app that calls this address has to do: RFC 6750, and where it reads how to sign in, RFC 9728."""
    about = f"{settings.public_url}{METADATA_PATH}{path}"
    values = {"realm": "Switchboard"} | parts | {"resource_metadata": about}
    return "Bearer " + ", ".join(f'{name}="{value}"' for name, value in values.items())


METADATA_PATH = "/.well-known/oauth-protected-resource"


def respond(
    kind: Kind,
    detail: str,
    errors: Sequence[Fault] = (),
    headers: dict[str, str] | None = None,
    more: dict[str, Any] | None = None,
) -> Response:
    body: dict[str, Any] = {
        "type": f"{settings.public_url}/developers/problems/{kind.code}",
        "title": kind.title,
        "status": kind.status,
        "detail": detail,
        "code": kind.code,
        "request_id": request_id(),
    }
    if errors:
        body["errors"] = [fault.as_json() for fault in errors]
    response = Response(json.dumps(body | (more or {})), kind.status, headers or {}, mimetype=MIME)
    if kind.status == 401:
        response.headers[CHALLENGE] = challenge("/api/v1")
    return response


def request_id() -> str:
    """Names this request, in its answer and in our log."""
    if "request_id" not in g:
        g.request_id = f"req_{uuid.uuid4().hex}"
        structlog.contextvars.bind_contextvars(request_id=g.request_id)
    return str(g.request_id)


STATUSES = {
    400: "bad_request",
    401: "unauthorized",
    403: "missing_scope",
    404: "not_found",
    405: "method_not_allowed",
    408: "too_slow",
    413: "too_large",
    415: "unsupported_media_type",
    422: "invalid_request",
    429: "rate_limited",
    500: "internal",
    503: "unavailable",
}


def answer_failure(status: int, headers: dict[str, str]) -> Response:
    """The problem for what failed outside an endpoint: no such address, a broken body, an unavailable database."""
    kind = kind_of_failure(status)
    passed_on: dict[str, str] = {name: headers[name] for name in ("Allow", "Retry-After") if name in headers}
    return respond(kind, advice_on(kind), headers=passed_on)


def kind_of_failure(status: int) -> Kind:
    return PROBLEMS[STATUSES.get(status, "internal" if status >= 500 else "bad_request")]


def advice_on(kind: Kind) -> str:
    """The advice for a failure outside an endpoint, with the facts that an endpoint would fill in."""
    return kind.advice.format(most=f"{request.max_content_length:,}") if kind.code == "too_large" else kind.advice


def is_api_request() -> bool:
    return request.path == "/api" or request.path.startswith("/api/")


problem(
    "bad_request", 400, "The request could not be read", N_("Check that the request is complete and correctly formed.")
)
problem("invalid_json", 400, "The body is not valid JSON", N_("Send one JSON object, in UTF-8."))
problem(
    "unknown_version",
    400,
    "There is no such version of the API",
    N_("Send one of these in the Switchboard-Version header, or leave it out: {versions}."),
)
problem(
    "invalid_idempotency_key",
    400,
    "The Idempotency-Key can't be used",
    N_("Use 1 to 255 printable ASCII characters, for example a UUID."),
)
problem(
    "unauthorized",
    401,
    "No valid API key",
    N_("Send your key in the header “Authorization: Bearer sb_live_…”. Keys are made in Settings, API keys."),
)
problem("key_revoked", 401, "This API key was revoked", N_("Use another key, or make a new one in Settings, API keys."))
problem("key_expired", 401, "This API key has expired", N_("Make a new key in Settings, API keys."))
problem(
    "missing_scope",
    403,
    "This API key may not do this",
    N_("What you asked for needs {scope}. Scopes are chosen in Settings, API keys."),
)
problem(
    "ip_not_allowed",
    403,
    "This API key may not be used from here",
    N_("The key works only from certain IP addresses, and {ip} is not one of them."),
)
problem(
    "not_found",
    404,
    "Not found",
    N_("There is nothing with this address or id, or this key can't reach it."),
)
problem("method_not_allowed", 405, "This address doesn't take this method", N_("The Allow header lists what it takes."))
problem("too_slow", 408, "The request arrived too slowly", N_("Send it again."))
problem(
    "in_progress",
    409,
    "The same request is still running",
    N_("A request with this Idempotency-Key has not ended. Send it again after the time in Retry-After."),
)
problem(
    "changed_meanwhile",
    412,
    "It was changed since you read it",
    N_("Read it again, then repeat your change with the new ETag in If-Match."),
)
problem("too_large", 413, "The request is too large", N_("The body of this request may have {most} bytes."))
problem(
    "unsupported_media_type",
    415,
    "The body is of another type than expected",
    N_("Send the body as {type}, and say so in the Content-Type header."),
)
problem("invalid_request", 422, "Something in the request is not right", N_("The list “errors” names each part."))
problem(
    "idempotency_key_reused",
    422,
    "This Idempotency-Key belongs to another request",
    N_("The key came with another body or address before. Use a new key for each new request."),
)
problem(
    "rate_limited",
    429,
    "Too many requests",
    N_("Wait for as long as Retry-After says. The RateLimit header says how many requests are left."),
)
problem("internal", 500, "Something went wrong on our side", N_("It has been logged under this request_id. Try again."))
problem("storage_away", 503, "The file could not be stored", N_("Try again in a moment."))
problem("unavailable", 503, "Switchboard is briefly unavailable", N_("Nothing is lost. Try again in a moment."))
