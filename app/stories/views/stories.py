"""The story of a message, and the messages that did not get through."""

from __future__ import annotations

import contextlib
import datetime as dt
import uuid
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse

from app import zones
from app.stories.blueprint import bp
from app.stories.failures import AT_ONCE, PAGE, SPANS, STATES, Failures, retry_all
from app.stories.story import Story, messages_like
from app.tenancy import db, in_menu, requires
from app.tenancy.database import is_uuid
from app.words import N_


@bp.get("/stories")
@requires("inbox.read")
def index() -> str | AnyResponse:
    """Messages by an id or a customer's number; the only one opens at once."""
    words, at = request.args.get("q", "").strip(), moment_asked("at")
    found = messages_like(words, at) if words else []
    if len(found) == 1:
        return redirect(url_for("stories.show", message_id=found[0].id), 303)
    return render_template("stories/stories.html", messages=found, words=words)


@bp.get("/stories/<uuid:message_id>")
@requires("inbox.read")
def show(message_id: uuid.UUID) -> str:
    return render_template("stories/story.html", story=Story.of(message_id))


@bp.get("/failures")
@in_menu("rail", N_("Not sent"), "message-circle-warning", order=30, covers=("/stories",))
@requires("failures.manage")
def failures() -> str:
    asked = failures_asked()
    found = db.session.execute(asked.page()).unique().all()
    return render_template(
        "stories/failures.html",
        asked=asked,
        groups=asked.by_reason(),
        rows=found[:PAGE],
        more=len(found) > PAGE,
    )


@bp.post("/failures/attempts")
@requires("failures.manage")
def retry_failures() -> AnyResponse:
    """Sends again the chosen ones, or all that match."""
    asked = failures_asked()
    ids = asked.to_retry() if "all" in request.form else ids_chosen()
    tell_retried(retry_all(ids, also_unknown="twice_is_fine" in request.form), len(ids))
    return redirect(url_for("stories.failures", **filter_of(asked)), 303)


def failures_asked() -> Failures:
    values = request.values
    return Failures(
        state=value if (value := values.get("state", "")) in STATES else "",
        number_id=values.get("number", type=uuid.UUID),
        code=values.get("code", "")[:20],
        span=value if (value := values.get("span", "")) in SPANS else "week",
        before=values.get("before", type=uuid.UUID),
    )


def filter_of(asked: Failures) -> dict[str, Any]:
    """The parts of an address that ask for the same."""
    return {"state": asked.state or None, "number": asked.number_id, "code": asked.code or None, "span": asked.span}


def ids_chosen() -> list[uuid.UUID]:
    return [uuid.UUID(id) for id in request.form.getlist("id")[:AT_ONCE] if is_uuid(id)]


def tell_retried(retried: int, asked: int) -> None:
    if not asked:
        flash(_("Choose at least one message first."), "error")
        return
    if retried:
        flash(ngettext("%(num)d message is sent again now.", "%(num)d messages are sent again now.", retried))
    if left := asked - retried:
        words = ngettext(
            "%(num)d was left alone: it cannot be sent again, or was not confirmed and needs your leave.",
            "%(num)d were left alone: they cannot be sent again, or were not confirmed and need your leave.",
            left,
        )
        flash(words, "warning")


def moment_asked(name: str) -> dt.datetime | None:
    """A time by the reader's clock, as a date field gives it."""
    with contextlib.suppress(ValueError):
        if given := request.args.get(name, "").strip():
            time = dt.datetime.fromisoformat(given)
            return zones.in_utc(time if time.tzinfo else time.replace(tzinfo=zones.reader_zone()))
    return None


@bp.app_template_global()
def as_filter(asked: Failures, **changed: object) -> dict[str, Any]:
    return filter_of(asked) | changed
