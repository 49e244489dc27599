"""Single keys for what agents do all day, and changing them."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.inbox.blueprint import bp
from app.inbox.desk.lists import VIEWS
from app.inbox.desk.preferences import DeskPreference
from app.inbox.desk.shortcuts import commands_and_places
from app.tenancy import db, in_menu, requires
from app.words import N_

from .helpers import commands, preference


@bp.get("/shortcuts")
@in_menu(
    "settings",
    N_("Keyboard shortcuts"),
    "keyboard",
    order=230,
    group="you",
    hint=N_("Change what each key does, and where you start."),
)
@requires("inbox.read")
def shortcuts() -> str:
    return page(commands(), preference())


def page(typed: list[tuple[str, str, str]], chosen: DeskPreference, problem: str = "") -> str:
    return render_template("inbox/desk/shortcuts.html", typed=typed, preference=chosen, views=VIEWS, problem=problem)


@bp.post("/shortcuts")
@requires("inbox.read")
def change_shortcuts() -> AnyResponse | tuple[str, int]:
    form, mine, known = request.form, preference(), commands_and_places()
    chosen = {name: "" if "reset" in form else form.get(name, "").strip()[:12] for name in known}
    chosen = {name: key or known[name][0] for name, key in chosen.items()}
    first_view = form.get("first_view", "all")
    mine.first_view = first_view if first_view in VIEWS else "all"
    mine.enter_sends = form.get("enter") != "new-line"
    if twice := {key for key in chosen.values() if list(chosen.values()).count(key) > 1}:
        typed = [(name, words, chosen[name]) for name, (_key, words) in known.items()]
        problem = _("One key can only do one thing: %(keys)s", keys=", ".join(sorted(twice)))
        answer = page(typed, mine, problem), 422
        db.session.rollback()
        return answer
    mine.keys = [f"{name}={key}" for name, key in chosen.items() if key != known[name][0]]
    db.session.add(mine)
    flash(_("Kept."))
    return redirect(url_for("inbox.shortcuts"), 303)
