"""The pages for developers; and how programs that sign in for a member hear of what fails: in JSON, never in a page."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from app import errors
from app.tenancy.permissions import ADMINS, permission

bp = Blueprint("developers", __name__)

permission("api.manage", *ADMINS)

# RFC 6749 has its words in ASCII, and they are for a log.
UNAVAILABLE, FAILED, REFUSED = (
    ("temporarily_unavailable", "Try again in a moment."),
    ("server_error", "Something went wrong here."),
    ("invalid_request", "There is nothing at this address for this method, or the body is not a form it takes."),
)


def is_for_programs() -> bool:
    """Everything of OAuth but the page on which a member agrees."""
    path = request.path
    return path.startswith(("/oauth/", "/.well-known/oauth-")) and path != "/oauth/authorize"


def answer_failure(status: int, headers: dict[str, str]) -> Response:
    error, description = UNAVAILABLE if status in (429, 503) else FAILED if status >= 500 else REFUSED
    response = jsonify(error=error, error_description=description)
    response.status_code = status
    for name in ("Allow", "Retry-After"):
        if name in headers:
            response.headers[name] = headers[name]
    return response


errors.answer_programs(is_for_programs, answer_failure)
