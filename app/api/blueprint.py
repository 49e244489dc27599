"""Where the API is, and how it answers what fails."""

from __future__ import annotations

from flask import Blueprint, Response, g

from app import errors
from app.extensions import csrf

from .problems import Problem, answer_failure, is_api_request, request_id
from .versions import HEADER, NEWEST

bp = Blueprint("api", __name__, url_prefix="/api/v1")
# A key is sent on purpose; no browser adds it by itself.
csrf.exempt(bp)

errors.answer_programs(is_api_request, answer_failure)


@bp.app_errorhandler(Problem)
def answer_problem(problem: Problem) -> Response:
    return problem.respond()


@bp.after_app_request
def mark(response: Response) -> Response:
    if is_api_request():
        response.headers["Request-Id"] = request_id()
        response.headers.setdefault(HEADER, g.get("api_version", NEWEST))
    # Whatever answers a request that was counted: an endpoint, a problem, a failure, or an assistant's door.
    if rate := g.get("api_rate"):
        rate.mark(response)
    return response
