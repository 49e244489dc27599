"""Single keys for what agents do all day, and changing them."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.inbox.blueprint import bp
from app.inbox.desk.lists import VIEWS
from app.inbox.desk.preferences import DeskPreference
from app.inbox.desk.shortcuts import COMMANDS
from app.tenancy import db, requires

from .helpers import commands, preference


@bp.get("/shortcuts")
@requires("inbox.read")
def shortcuts() -> str:
    return page(commands(), preference())


def page(typed: list[tuple[str, str, str]], chosen: DeskPreference, problem: str = "") -> str:
    return render_template("inbox/desk/shortcuts.html", typed=typed, preference=chosen, views=VIEWS, problem=problem)


@bp.post("/shortcuts")
@requires("inbox.read")
def change_shortcuts() -> AnyResponse | tuple[str, int]:
    form, mine = request.form, preference()
    chosen = {name: "" if "reset" in form else form.get(name, "").strip()[:12] for name in COMMANDS}
    chosen = {name: key or COMMANDS[name][0] for name, key in chosen.items()}
    first_view = form.get("first_view", "all")
    mine.first_view = first_view if first_view in VIEWS else "all"
    mine.enter_sends = form.get("enter") != "new-line"
    if twice := {key for key in chosen.values() if list(chosen.values()).count(key) > 1}:
        typed = [(name, str(words), chosen[name]) for name, (_key, words) in COMMANDS.items()]
        problem = _("One key can only do one thing: %(keys)s", keys=", ".join(sorted(twice)))
        answer = page(typed, mine, problem), 422
        db.session.rollback()
        return answer
    mine.keys = [f"{name}={key}" for name, key in chosen.items() if key != COMMANDS[name][0]]
    db.session.add(mine)
    flash(_("Kept."))
    return redirect(url_for("inbox.shortcuts"), 303)
