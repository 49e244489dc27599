"""JSON-RPC 2.0 as MCP 2026-07-28 speaks it over HTTP: one request in a POST, one answer, nothing remembered."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

from flask import Response, request

from app.api.problems import CHALLENGE, PROBLEMS, Problem, advice_on, challenge, kind_of_failure
from app.api.reading import JSON, parse, refuse_encoded
from app.api.versions import NEWEST

from .declaring import PATH, reading_scopes

VERSION = "2026-07-28"
VERSION_KEY = "io.modelcontextprotocol/protocolVersion"
CAPABILITIES_KEY = "io.modelcontextprotocol/clientCapabilities"
SERVER_KEY = "io.modelcontextprotocol/serverInfo"
SERVER = {"name": "switchboard", "title": "Switchboard", "version": NEWEST}
PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS = -32700, -32600, -32601, -32602
INTERNAL_ERROR, HEADER_MISMATCH, UNSUPPORTED_VERSION = -32603, -32020, -32022
# Of our own, for what HTTP refuses: no key, too many requests, no such address.
REFUSED = -32001
HTTP_STATUS = {METHOD_NOT_FOUND: 404, INTERNAL_ERROR: 500}
LONGEST_ID = 200
Id = str | int | None


class RpcError(Exception):
    """Ends a request with this error."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.code, self.message, self.data = code, message, data


@dataclass(frozen=True, slots=True)
class Call:
    """A request. `id` is null for a notification, which gets no answer."""

    id: Id
    method: str
    params: dict[str, Any]

    @property
    def is_notification(self) -> bool:
        return self.id is None


def read_call() -> Call:
    """The body as one request or notification. Raises `RpcError`, and `Problem` for another type of body."""
    if request.mimetype != JSON:
        raise Problem("unsupported_media_type", type=JSON)
    refuse_encoded()
    try:
        body = parse(request.get_data())
    except Problem as problem:
        raise RpcError(PARSE_ERROR, problem.detail) from None
    if not isinstance(body, dict):
        raise RpcError(INVALID_REQUEST, "The body must be one JSON-RPC request; there are no batches.")
    call = Call(body.get("id"), body.get("method"), body.get("params", {}))  # type: ignore[arg-type]
    if body.get("jsonrpc") != "2.0" or not isinstance(call.method, str) or not isinstance(call.params, dict):
        raise RpcError(INVALID_REQUEST, "A request has jsonrpc “2.0”, a method and, if it takes any, params.")
    if "id" in body and not is_id(call.id):
        raise RpcError(INVALID_REQUEST, f"The id must be an integer, or a text of at most {LONGEST_ID} characters.")
    return call


def is_id(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) <= LONGEST_ID
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63


def check_envelope(call: Call) -> None:
    """That the request says its version, and the headers say the same as the body. Raises `RpcError`."""
    if call.method == "initialize":
        # How protocols before this one begin.
        raise unsupported(call.params.get("protocolVersion"))
    meta = call.params.get("_meta")
    if not isinstance(meta, dict) or VERSION_KEY not in meta or CAPABILITIES_KEY not in meta:
        raise RpcError(INVALID_PARAMS, f"params._meta must have {VERSION_KEY} and {CAPABILITIES_KEY}.")
    check_header("MCP-Protocol-Version", meta[VERSION_KEY])
    check_header("Mcp-Method", call.method)
    if call.method == "tools/call":
        check_header("Mcp-Name", call.params.get("name"))
    if meta[VERSION_KEY] != VERSION:
        raise unsupported(meta[VERSION_KEY])


def check_header(name: str, given: Any) -> None:
    if decoded(request.headers.get(name)) != given or not isinstance(given, str):
        raise RpcError(HEADER_MISMATCH, f"The header {name} must say the same as the body.")


def decoded(value: str | None) -> str | None:
    """A header's text, which may be written as =?base64?…?= where it is not plain ASCII."""
    if value is None or not (value.startswith("=?base64?") and value.endswith("?=")):
        return value
    try:
        return base64.b64decode(value[9:-2], validate=True).decode()
    except (binascii.Error, ValueError):
        return None


def unsupported(requested: Any) -> RpcError:
    given = requested[:50] if isinstance(requested, str) else ""
    return RpcError(UNSUPPORTED_VERSION, "Unsupported protocol version", {"supported": [VERSION], "requested": given})


def answer_result(id: Id, result: dict[str, Any]) -> Response:
    stamped = {"resultType": "complete", "_meta": {SERVER_KEY: SERVER}} | result
    return answer(200, {"jsonrpc": "2.0", "id": id, "result": stamped})


def answer_error(id: Id, error: RpcError) -> Response:
    return answer(HTTP_STATUS.get(error.code, 400), error_body(id, error.code, error.message, error.data))


def answer_problem(id: Id, problem: Problem) -> Response:
    """For what ends a request before its method is looked at: the same problem as the API has."""
    return refused(id, problem.kind.code, problem.detail, problem.headers)


def answer_failure(status: int, headers: dict[str, str]) -> Response:
    """For what failed elsewhere: a broken request, a database that is unavailable."""
    kind = kind_of_failure(status)
    passed_on: dict[str, str] = {name: headers[name] for name in ("Allow", "Retry-After") if name in headers}
    return refused(None, kind.code, advice_on(kind), passed_on)


def refused(id: Id, code: str, detail: str, headers: dict[str, str]) -> Response:
    kind = PROBLEMS[code]
    number = INTERNAL_ERROR if kind.status >= 500 else REFUSED
    response = answer(kind.status, error_body(id, number, f"{kind.title}. {detail}", {"code": code}))
    response.headers.update(headers)
    if kind.status == 401:
        response.headers[CHALLENGE] = challenge(PATH, scope=" ".join(reading_scopes()))
    return response


def error_body(id: Id, code: int, message: str, data: Any) -> dict[str, Any]:
    error = {"code": code, "message": message} | ({} if data is None else {"data": data})
    return {"jsonrpc": "2.0", "id": id, "error": error}


def answer(status: int, body: dict[str, Any]) -> Response:
    return Response(json.dumps(body, separators=(",", ":")), status, mimetype=JSON)
