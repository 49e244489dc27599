"""Settings of the inbox: for all numbers, and for each its team and when customers see blue ticks."""

from __future__ import annotations

import uuid

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from app.inbox.blueprint import bp
from app.inbox.conversations.inbox_settings import SILENCE_HOURS, SILENCES, InboxSettings
from app.inbox.conversations.number_desks import READ_RECEIPTS, NumberDesk
from app.team.models import Team
from app.tenancy import db, in_menu, requires
from app.wabas.models import PhoneNumber
from app.words import N_


@bp.get("/numbers")
@in_menu(
    "settings",
    N_("Inbox settings"),
    "split",
    order=160,
    group="inbox",
    hint=N_("Typing, link previews, the team of each number, and when customers see blue ticks."),
)
@requires("desk.manage")
def number_settings() -> str:
    numbers = db.session.scalars(select(PhoneNumber).order_by(PhoneNumber.created_at, PhoneNumber.id)).all()
    desks = {number.id: NumberDesk.of(number.id) for number in numbers}
    teams = db.session.scalars(Team.in_order()).all()
    context = {"numbers": numbers, "desks": desks, "teams": teams, "inbox_settings": InboxSettings.current()}
    context["silences"] = SILENCES
    return render_template("inbox/desk/numbers.html", **context)


@bp.post("/settings")
@requires("desk.manage")
def change_settings() -> AnyResponse:
    """What holds for all numbers. A box that is not ticked is not sent."""
    hours = request.form.get("silence_hours", str(SILENCE_HOURS))
    if hours not in map(str, SILENCES):
        abort(422)
    InboxSettings.change(
        shows_typing="shows_typing" in request.form,
        previews_links="previews_links" in request.form,
        silence_hours=int(hours),
    )
    flash(_("Saved."))
    return redirect(url_for("inbox.number_settings"), 303)


@bp.post("/numbers/<uuid:phone_number_id>")
@requires("desk.manage")
def change_number(phone_number_id: uuid.UUID) -> AnyResponse:
    number, form = PhoneNumber.get_or_404(phone_number_id), request.form
    if form.get("read_receipts") not in READ_RECEIPTS:
        abort(422)
    team = Team.get_or_404(form["team"]) if form.get("team") else None
    NumberDesk.change(number.id, team=team, read_receipts=form["read_receipts"])
    flash(_("Saved."))
    return redirect(url_for("inbox.number_settings"), 303)
