"""Every way a request can fail, told in words. No page of these touches the database."""

from __future__ import annotations

import uuid

import structlog
from flask import Flask, Response, g, make_response, render_template, request
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from app.extensions import login_manager

log = structlog.get_logger()


def init_app(app: Flask) -> None:
    app.register_error_handler(HTTPException, refused)
    app.register_error_handler(CSRFError, stale_form)
    app.register_error_handler(OperationalError, database_away)
    app.register_error_handler(PoolTimeout, database_away)
    app.register_error_handler(Exception, broken)


def refused(error: HTTPException) -> Response:
    title, words = {
        403: (_("Not for your role"), _("Ask an owner of your business to do this, or to change your role.")),
        404: (_("Nothing here"), _("This page does not exist, or it is not yours to see.")),
        405: (_("Not like this"), _("This address does not take that kind of request.")),
        413: (_("Too large"), _("What you sent is larger than this page takes.")),
        429: (_("Too many tries"), _("Wait a few minutes, then try again.")),
    }.get(error.code or 500, (_("That did not work"), error.description or ""))
    return page(error.code or 500, title, words)


def stale_form(error: CSRFError) -> Response:
    return page(400, _("This page is out of date"), _("Reload it and try again. What you typed was not sent."))


def database_away(error: DBAPIError | PoolTimeout) -> Response:
    log.error("database away", error=type(error).__name__)
    response = page(503, _("One moment"), _("Switchboard is catching its breath. Nothing is lost: try again shortly."))
    response.headers["Retry-After"] = "5"
    return response


def broken(error: Exception) -> Response:
    reference = uuid.uuid4().hex[:8]
    log.exception("request failed", reference=reference, path=request.path)
    words = _("We have been told. If you write to us, mention %(reference)s.", reference=reference)
    return page(500, _("That is our fault"), words)


def page(status: int, title: str, words: str) -> Response:
    # Flask-Login puts the user into every template, and would look for one in a database that may be away.
    g._login_user = login_manager.anonymous_user()
    template = "errors/_notice.html" if request.headers.get("HX-Request") else "errors/page.html"
    return make_response(render_template(template, title=title, words=words, status=status), status)
