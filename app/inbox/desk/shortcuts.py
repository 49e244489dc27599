"""What an agent can do with a key, and which key that is unless they changed it."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext

from app.tenancy.places import places

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
    "keys": ("?", lazy_gettext("Show all keys")),
}


def commands_and_places() -> dict[str, tuple[str, str]]:
    """Each command's key and words, those that lead to a place of the rail among them."""
    go = {f"go-{place.name}": (place.key, _("Go to %(place)s", place=place.words)) for place in places("rail")}
    commands = {name: (key, str(words)) for name, (key, words) in COMMANDS.items()}
    return commands | {name: command for name, command in go.items() if command[0]}
