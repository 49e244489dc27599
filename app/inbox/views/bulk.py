"""The same change for many conversations at once, and undoing it."""

from __future__ import annotations

import uuid

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from app.contacts.tags import Tag
from app.inbox.blueprint import bp
from app.inbox.desk.bulk_changes import BulkChange
from app.inbox.desk.forms import BulkForm
from app.tenancy import current_actor, now, requires
from app.tenancy.guard import is_fragment

Page = AnyResponse | str | tuple[str, int]


@bp.post("/bulk")
@requires("inbox.reply")
def bulk() -> Page:
    """`state`, `assignee`, `team` or a tag for each `id`."""
    form = BulkForm()
    if not form.validate():
        return respond(form.problem, is_problem=True)
    change = form.apply(by=current_actor())
    if change is None:
        abort(422)
    return respond(change_words(change), undo=change)


@bp.post("/bulk/<uuid:bulk_change_id>/undoing")
@requires("inbox.reply")
def undo_bulk(bulk_change_id: uuid.UUID) -> Page:
    """Restores what my change changed, except where a colleague has changed the same since."""
    change = BulkChange.get_or_404(bulk_change_id)
    if change.by_id != current_user.id:
        abort(404)
    if change.undone_at:
        return respond(_("This was already undone."), is_problem=True)
    changed_since = len(change.rows) - change.undo(by=current_actor())
    if not changed_since:
        return respond(_("Undone"))
    words = ngettext(
        "Undone, except for %(num)d conversation that has changed since.",
        "Undone, except for %(num)d conversations that have changed since.",
        changed_since,
    )
    return respond(words)


@bp.get("/bulk/tags")
@requires("inbox.reply")
def choose_bulk_tag() -> str:
    """The tags to add or remove, loaded when the menu is opened."""
    return render_template("inbox/desk/_bulk_tags.html", tags=Tag.offered())


def change_words(change: BulkChange) -> str:
    count = len(change.rows)
    if not count:
        return str(_("Nothing to change"))
    if change.field != "tag":
        return str(ngettext("%(num)d conversation changed", "%(num)d conversations changed", count))
    after = change.rows[0]["after"]
    name = Tag.get_or_404(after["of"]).name
    if after["tag"]:
        return str(
            ngettext(
                "Added “%(tag)s” to %(num)d conversation", "Added “%(tag)s” to %(num)d conversations", count, tag=name
            )
        )
    return str(
        ngettext(
            "Removed “%(tag)s” from %(num)d conversation",
            "Removed “%(tag)s” from %(num)d conversations",
            count,
            tag=name,
        )
    )


def respond(words: str, *, undo: BulkChange | None = None, is_problem: bool = False) -> Page:
    category = "warning" if is_problem else ""
    if not is_fragment():
        flash(words, category or "message")
        return redirect(request.came_from or url_for("inbox.index"), 303)  # type: ignore[attr-defined]
    address = url_for("inbox.undo_bulk", bulk_change_id=undo.id) if undo and undo.rows else ""
    toast = {"words": words, "undo_address": address, "undo": {}, "category": category, "at": now()}
    return render_template("inbox/desk/_undo_toast.html", **toast), 422 if is_problem else 200
