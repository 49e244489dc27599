"""The commands that have a key, and the key each has unless an agent changed it."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext

from app.tenancy.places import places

# A key triggers the element with data-command="<name>". `g i` is one key after the other.
COMMANDS = {
    "next": ("j", lazy_gettext("Next conversation")),
    "previous": ("k", lazy_gettext("Previous conversation")),
    "back": ("Escape", lazy_gettext("Back to the list")),
    "new-message": ("c", lazy_gettext("New message")),
    "reply": ("r", lazy_gettext("Reply")),
    "note": ("n", lazy_gettext("Write a note")),
    "resolve": ("e", lazy_gettext("Resolve or reopen")),
    "resolve-next": ("Shift+E", lazy_gettext("Resolve and open the next")),
    "snooze": ("s", lazy_gettext("Snooze")),
    "assign": ("a", lazy_gettext("Assign")),
    "take": ("i", lazy_gettext("Assign to me")),
    "tag": ("l", lazy_gettext("Tag")),
    "template": ("t", lazy_gettext("Choose a template")),
    "unread": ("u", lazy_gettext("Mark as unread")),
    "macro": ("m", lazy_gettext("Run a macro")),
    "more": (".", lazy_gettext("More actions")),
    "select": ("x", lazy_gettext("Select")),
    "select-range": ("Shift+X", lazy_gettext("Select range")),
    "search": ("/", lazy_gettext("Search")),
    "palette": ("Mod+K", lazy_gettext("Search and commands")),
    "attach": ("Mod+Shift+A", lazy_gettext("Attach a file")),
    "details": ("]", lazy_gettext("Customer details")),
    "undo": ("z", lazy_gettext("Undo")),
    "keys": ("?", lazy_gettext("Show keyboard shortcuts")),
}


def commands_and_places() -> dict[str, tuple[str, str]]:
    """Each command's key and words; those that open a place of the rail are commands too."""
    go = {f"go-{place.name}": (place.key, _("Go to %(place)s", place=place.words)) for place in places("rail")}
    commands = {name: (key, str(words)) for name, (key, words) in COMMANDS.items()}
    return commands | {name: command for name, command in go.items() if command[0]}
