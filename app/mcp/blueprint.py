"""Where assistants come in, and how what fails there is answered: in JSON-RPC, never with a page."""

from __future__ import annotations

from flask import Blueprint, Response, request

from app import errors
from app.extensions import csrf

from .rpc import answer_failure

bp = Blueprint("mcp", __name__)
# A key is sent on purpose; no browser adds it by itself.
csrf.exempt(bp)


def is_mcp_request() -> bool:
    return request.path == "/mcp" or request.path.startswith("/mcp/")


def answer(status: int, headers: dict[str, str]) -> Response:
    return answer_failure(status, headers)


errors.answer_programs(is_mcp_request, answer)
