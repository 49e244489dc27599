"""An error page for every way a request can fail, with the navigation of the signed-in user.

Works without the database.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from urllib.parse import quote

import structlog
from flask import Flask, Response, current_app, g, make_response, render_template, request
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError, IntegrityError, InternalError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.routing import RequestRedirect

from app.extensions import login_manager

log = structlog.get_logger()
PLAIN = "card.html"
# Postgres's code for a foreign key without its row.
MISSING = "23503"
# For programs: whether a request is theirs, and the answer to it, from the status and the headers.
FORMATS: list[tuple[Callable[[], bool], Callable[[int, dict[str, str]], Response]]] = []


def answer_programs(is_theirs: Callable[[], bool], answer: Callable[[int, dict[str, str]], Response]) -> None:
    """Registers how failures of some requests are answered instead of with a page."""
    FORMATS.append((is_theirs, answer))


def init_app(app: Flask) -> None:
    app.register_error_handler(HTTPException, explain_refusal)
    app.register_error_handler(CSRFError, explain_stale_form)
    app.register_error_handler(OperationalError, explain_outage)
    app.register_error_handler(PoolTimeout, explain_outage)
    app.register_error_handler(InternalError, explain_broken)
    app.register_error_handler(IntegrityError, explain_missing)
    app.register_error_handler(StaleDataError, explain_gone)
    app.register_error_handler(Exception, explain_failure)


def explain_refusal(error: HTTPException) -> Response:
    if error.code == 404 and (address := without_slash()):
        return Response(status=308, headers={"Location": address})
    title, words = {
        403: (_("You don't have access to this page"), _("Ask an owner of your business to change your role.")),
        404: (_("Page not found"), _("This page doesn't exist, or you don't have access to it.")),
        405: (_("This isn't available here"), _("Go back and try again.")),
        408: (_("Took too long"), _("What you sent arrived too slowly. Try again.")),
        413: (_("Too large"), _("What you sent is larger than this page accepts.")),
        429: (_("Too many attempts"), _("Wait a few minutes, then try again.")),
        503: (_("Switchboard is briefly unavailable"), _("Try again in a moment.")),
    }.get(error.code or 500, (_("That didn't work"), error.description or ""))
    return page(error.code or 500, title, words, dict(error.get_headers()))


def without_slash() -> str:
    """The address of the page that was meant, where nothing but a slash at its end is wrong; else ""."""
    path = request.path
    if request.method not in ("GET", "HEAD") or request.url_rule or not path.endswith("/") or path.startswith("//"):
        return ""
    adapter = current_app.create_url_adapter(request)
    if adapter is None:
        return ""
    try:
        adapter.match(path.rstrip("/") or "/", method="GET")
    except (HTTPException, RequestRedirect):
        return ""
    query = f"?{request.query_string.decode()}" if request.query_string else ""
    return f"{quote(path.rstrip('/'))}{query}"


def explain_stale_form(error: CSRFError) -> Response:
    return page(400, _("This page is out of date"), _("Reload it and try again. What you entered was not sent."))


def explain_outage(error: DBAPIError | PoolTimeout) -> Response:
    log.error("database unavailable", error=type(error).__name__)
    title, words = _("Switchboard is briefly unavailable"), _("Nothing is lost. Try again in a moment.")
    response = plain_page(503, title, words)
    response.headers["Retry-After"] = "5"
    return response


def explain_broken(error: InternalError) -> Response:
    """A pooler that loses its server in the middle of an answer sends what psycopg refuses, not Postgres."""
    is_psycopgs_own = getattr(error.orig, "sqlstate", "") is None
    return explain_outage(error) if is_psycopgs_own or error.connection_invalidated else explain_failure(error)


def explain_missing(error: IntegrityError) -> Response:
    """A row that was to be pointed at is gone; that one which is pointed at can't go is a failure of ours."""
    is_removal = (error.statement or "").lstrip().lower().startswith("delete")
    is_missing = getattr(error.orig, "sqlstate", "") == MISSING and not is_removal
    return explain_gone(error) if is_missing else explain_failure(error)


def explain_gone(error: Exception) -> Response:
    """What the request was to change, or to point at, was deleted by another one a moment ago."""
    log.warning("gone meanwhile", path=request.path, exc_info=error)
    return explain_refusal(NotFound())


def explain_failure(error: Exception) -> Response:
    reference = uuid.uuid4().hex[:8]
    log.exception("request failed", reference=reference, path=request.path)
    words = _("The error has been logged. If you contact support, mention %(reference)s.", reference=reference)
    return page(500, _("Something went wrong"), words)


def page(status: int, title: str, words: str, headers: dict[str, str] | None = None) -> Response:
    if answer := answer_of_program(status, headers or {}):
        return answer
    if request.headers.get("HX-Request"):
        return plain_page(status, title, words)
    try:
        return respond(status, title, words, layout())
    except SQLAlchemyError:
        return plain_page(status, title, words)


def answer_of_program(status: int, headers: dict[str, str]) -> Response | None:
    return next((answer(status, headers) for is_theirs, answer in FORMATS if is_theirs()), None)


def layout() -> str:
    """The frame of the page around an error: the console's, the tenant's, or none for a stranger."""
    if request.path.startswith("/platform/") and getattr(g.get("_login_user"), "is_platform_admin", False):
        return "platform/console.html"
    return "settings.html" if "tenant" in g and "membership" in g else PLAIN


def plain_page(status: int, title: str, words: str) -> Response:
    """A page that asks the database for nothing."""
    if answer := answer_of_program(status, {}):
        return answer
    # Flask-Login loads the user for every template, from a database that may be unavailable.
    g._login_user = login_manager.anonymous_user()
    return respond(status, title, words, PLAIN)


def respond(status: int, title: str, words: str, layout: str) -> Response:
    template = "errors/_notice.html" if request.headers.get("HX-Request") else "errors/page.html"
    # Flashed messages stay for the next page: this one may not be seen.
    html = render_template(template, title=title, words=words, status=status, layout=layout, keeps_messages=True)
    return make_response(html, status)
