"""Keyboard shortcuts: seeing and changing the key of each command."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.inbox.blueprint import bp
from app.inbox.desk.forms import ShortcutsForm
from app.inbox.desk.shortcuts import commands_and_places
from app.tenancy import in_menu, requires
from app.words import N_

from .helpers import preference


@bp.get("/shortcuts")
@in_menu(
    "settings",
    N_("Writing and sending"),
    "send",
    order=225,
    group="you",
    hint=N_("What Enter does, how long you can undo, whether short messages go out as one."),
    anchor="writing",
)
@in_menu(
    "settings",
    N_("First view"),
    "inbox",
    order=226,
    group="you",
    hint=N_("Which view the inbox opens with."),
    anchor="first_view",
)
@in_menu(
    "settings",
    N_("Keyboard shortcuts"),
    "keyboard",
    order=230,
    group="you",
    hint=N_("Change the key of each command."),
)
@requires("inbox.read")
def shortcuts() -> str:
    form = ShortcutsForm.with_keys(commands_and_places(), preference())
    return render_template("inbox/desk/shortcuts.html", form=form)


@bp.post("/shortcuts")
@requires("inbox.read")
def change_shortcuts() -> AnyResponse | tuple[str, int]:
    form = ShortcutsForm.with_keys(commands_and_places(), preference())
    if not form.validate():
        return render_template("inbox/desk/shortcuts.html", form=form), 422
    form.save(preference())
    flash(_("Saved."))
    return redirect(url_for("inbox.shortcuts"), 303)
