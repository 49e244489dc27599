"""The details of a message, and the list of failed messages."""

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
from app.tenancy import as_uuid, db, in_menu, is_uuid, requires
from app.words import N_


@bp.get("/stories")
@requires("inbox.read")
def index() -> str | AnyResponse:
    """Finds messages by an id or a customer's number; a single match opens directly."""
    words, at = request.args.get("q", "").replace("\x00", "").strip(), time_argument("at")
    messages = messages_like(words, at) if words else []
    if len(messages) == 1:
        return redirect(url_for("stories.show", message_id=messages[0].id), 303)
    return render_template("stories/stories.html", messages=messages, words=words)


@bp.get("/stories/<uuid:message_id>")
@requires("inbox.read")
def show(message_id: uuid.UUID) -> str:
    return render_template("stories/story.html", story=Story.of_message(message_id))


@bp.get("/failures")
@in_menu("rail", N_("Not sent"), "message-circle-warning", order=30, covers=("/stories",))
@requires("failures.manage")
def failures() -> str:
    query = failures_from_request()
    rows = db.session.execute(query.page()).unique().all()
    return render_template(
        "stories/failures.html",
        query=query,
        groups=query.by_reason(),
        rows=rows[:PAGE],
        more=len(rows) > PAGE,
    )


@bp.post("/failures/attempts")
@requires("failures.manage")
def retry_failures() -> AnyResponse:
    """Retries the selected messages, or all that match."""
    query = failures_from_request()
    ids = query.to_retry() if "all" in request.form else selected_ids()
    flash_retried(retry_all(ids, also_unknown="twice_is_fine" in request.form), len(ids))
    return redirect(url_for("stories.failures", **filter_arguments(query)), 303)


def failures_from_request() -> Failures:
    """The filter in the address or the form. Values that are malformed are ignored."""
    values = request.values
    return Failures(
        state=value if (value := values.get("state", "")) in STATES else "",
        number_id=values.get("number", type=as_uuid),
        code=values.get("code", "").replace("\x00", "")[:20],
        span=value if (value := values.get("span", "")) in SPANS else "week",
        before=values.get("before", type=as_uuid),
    )


def filter_arguments(query: Failures) -> dict[str, Any]:
    """The arguments of an address with this filter."""
    return {
        "state": query.state or None,
        "number": query.number_id,
        "code": query.code or None,
        "span": query.span,
    }


def selected_ids() -> list[uuid.UUID]:
    return [uuid.UUID(id) for id in request.form.getlist("id")[:AT_ONCE] if is_uuid(id)]


def flash_retried(retried: int, selected: int) -> None:
    """Says how many of the selected messages are retried."""
    if not selected:
        flash(_("Select at least one message."), "error")
        return
    if retried:
        flash(ngettext("Retrying %(num)d message.", "Retrying %(num)d messages.", retried))
    if left := selected - retried:
        words = ngettext(
            "%(num)d message was not retried. It can't be retried, or you have to confirm it.",
            "%(num)d messages were not retried. They can't be retried, or you have to confirm them.",
            left,
        )
        flash(words, "warning")


# Others are slips of the hand, and have no time before or after them.
LIKELY = range(1970, 3000)


def time_argument(name: str) -> dt.datetime | None:
    """A time by the reader's clock, as a date field gives it, or None."""
    with contextlib.suppress(ValueError):
        if given := request.args.get(name, "").strip():
            time = dt.datetime.fromisoformat(given)
            if time.year in LIKELY:
                return zones.in_utc(time if time.tzinfo else time.replace(tzinfo=zones.reader_zone()))
    return None


@bp.app_template_global()
def as_filter(query: Failures, **changed: object) -> dict[str, Any]:
    """The arguments of an address with this filter, and something changed."""
    return filter_arguments(query) | changed
