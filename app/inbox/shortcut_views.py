"""Single keys for what agents do all day, and changing them."""

from __future__ import annotations

from typing import cast

from flask import flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from werkzeug.wrappers import Response as AnyResponse

from app.tenancy import db, requires

from .lists import VIEWS
from .preferences import DeskPreference
from .views import bp

# A key that does something where an element says data-command="<name>"; `g i` is one after the other.
COMMANDS = {
    "next": ("j", lazy_gettext("Next conversation")),
    "previous": ("k", lazy_gettext("Previous conversation")),
    "back": ("Escape", lazy_gettext("Back to the list")),
    "reply": ("r", lazy_gettext("Answer")),
    "note": ("n", lazy_gettext("Write a note")),
    "resolve": ("e", lazy_gettext("Resolve, or open again")),
    "resolve-next": ("Shift+E", lazy_gettext("Resolve and go to the next")),
    "snooze": ("s", lazy_gettext("Snooze")),
    "assign": ("a", lazy_gettext("Assign")),
    "take": ("i", lazy_gettext("Take it")),
    "tag": ("l", lazy_gettext("Tag")),
    "template": ("t", lazy_gettext("Choose a template")),
    "unread": ("u", lazy_gettext("Mark unread")),
    "macro": ("m", lazy_gettext("Run a macro")),
    "more": (".", lazy_gettext("More that can be done")),
    "select": ("x", lazy_gettext("Select")),
    "select-range": ("Shift+X", lazy_gettext("Select up to here")),
    "search": ("/", lazy_gettext("Search")),
    "palette": ("Mod+K", lazy_gettext("Go anywhere, do anything")),
    "attach": ("Mod+Shift+A", lazy_gettext("Attach a file")),
    "details": ("]", lazy_gettext("About this customer")),
    "undo": ("z", lazy_gettext("Undo")),
    "go-inbox": ("g i", lazy_gettext("Go to the inbox")),
    "go-contacts": ("g c", lazy_gettext("Go to contacts")),
    "go-settings": ("g s", lazy_gettext("Go to settings")),
    "keys": ("?", lazy_gettext("Show all keys")),
}


@bp.app_template_global()
def commands() -> list[tuple[str, str, str]]:
    """Each command with its words and the key it has for whoever looks at the page."""
    remapped = preference().remapped
    return [(name, str(words), remapped.get(name, key)) for name, (key, words) in COMMANDS.items()]


@bp.app_template_global()
def enter_sends() -> bool:
    return preference().enter_sends


def preference() -> DeskPreference:
    """Of whoever looks at the page."""
    if "desk_preference" not in g:
        g.desk_preference = DeskPreference.of(g.membership)
    return cast("DeskPreference", g.desk_preference)


@bp.app_template_global()
def palette_places() -> list[tuple[str, str]]:
    """Where the palette leads beside conversations and views."""
    places = [
        (url_for("inbox.canned_replies"), _("Canned replies")),
        (url_for("inbox.macros"), _("Macros")),
        (url_for("inbox.saved_views"), _("Saved views")),
        (url_for("inbox.shortcuts"), _("Keys")),
        (url_for("team.account"), _("You")),
    ]
    if g.membership.may("desk.manage"):
        places.append((url_for("inbox.number_settings"), _("Numbers in the inbox")))
    if g.membership.may("numbers.manage"):
        places.append((url_for("wabas.index"), _("Numbers")))
    if g.membership.may("team.manage"):
        places += [(url_for("team.index"), _("Team")), (url_for("team.teams"), _("Teams"))]
    return places


@bp.get("/shortcuts")
@requires("inbox.read")
def shortcuts() -> str:
    return page(commands(), preference())


def page(typed: list[tuple[str, str, str]], chosen: DeskPreference, problem: str = "") -> str:
    return render_template("inbox/shortcuts.html", typed=typed, preference=chosen, views=VIEWS, problem=problem)


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
