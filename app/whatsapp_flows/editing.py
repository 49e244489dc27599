"""The editor of a form: screens and their fields as one page of inputs, and the buttons that change them.

Every button saves. Inputs are named by their place: `screens-0-title`, `screens-0-parts-2-label`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from app.meta.flow_json import KINDS

# More than Meta takes, so that what is too much can be shown and removed.
MOST_SCREENS, MOST_PARTS, MOST_OPTIONS = 9, 21, 250
LONGEST, LONGEST_TEXT = 200, 5_000
COMMAND = re.compile(r"(add_screen|add|remove|up|down)(?::(\d{1,2}))?(?::(\d{1,2}))?", re.ASCII)

Screen = dict[str, Any]
Typed = Mapping[str, str]


def screens_in(typed: Typed) -> list[Screen]:
    """What was typed. Names that are left empty are made of the labels."""
    screens = []
    for place in range(MOST_SCREENS):
        if f"screens-{place}-title" not in typed:
            break
        parts = [part for index in range(MOST_PARTS) if (part := _part(typed, f"screens-{place}-parts-{index}"))]
        title, button = (_line(typed, f"screens-{place}-{name}") for name in ("title", "button"))
        screens.append({"title": title, "button": button, "parts": parts})
    return with_names(screens)


def _part(typed: Typed, path: str) -> dict[str, Any] | None:
    kind = KINDS.get(typed.get(f"{path}-kind", ""))
    if kind is None:
        return None
    options = [line.strip()[:LONGEST] for line in typed.get(f"{path}-options", "").replace("\x00", "").splitlines()]
    return {
        "kind": kind.name,
        "label": _line(typed, f"{path}-label", LONGEST_TEXT),
        "name": _line(typed, f"{path}-name", 60) if kind.asks else "",
        "hint": _line(typed, f"{path}-hint"),
        "required": bool(typed.get(f"{path}-required")),
        "options": [option for option in options if option][:MOST_OPTIONS] if kind.has_options else [],
    }


def _line(typed: Typed, name: str, most: int = LONGEST) -> str:
    return typed.get(name, "").replace("\x00", "").replace("\r\n", "\n").strip()[:most]


def with_names(screens: list[Screen]) -> list[Screen]:
    """Gives each field that asks something a name, and leaves those that have one."""
    taken = {part["name"] for screen in screens for part in screen["parts"] if part["name"]}
    for screen in screens:
        for part in screen["parts"]:
            if KINDS[part["kind"]].asks and not part["name"]:
                part["name"] = free_name(slug(part["label"]) or part["kind"], taken)
                taken.add(part["name"])
    return screens


def slug(label: str) -> str:
    """Full name → full_name. Empty where it has no Latin letters."""
    plain = unicodedata.normalize("NFKD", label[:100]).encode("ascii", "ignore").decode().lower()
    words = "_".join(re.findall(r"[a-z0-9]+", plain))[:40]
    return words if words[:1].isalpha() else ""


def free_name(wanted: str, taken: set[str]) -> str:
    names = (wanted if number == 1 else f"{wanted}_{number}" for number in range(1, 1_000))
    return next(name for name in names if name not in taken)


def blank_part(kind: str, label: str) -> dict[str, Any]:
    return {"kind": kind, "label": label, "name": "", "hint": "", "required": False, "options": []}


def blank_screen(title: str, button: str) -> Screen:
    return {"title": title, "button": button, "parts": []}


def changed(screens: list[Screen], command: str, kind: str, words: Mapping[str, str]) -> tuple[list[Screen], str]:
    """The screens after a button was pressed, and the part of the page to show. `words` are for what is new."""
    match = COMMAND.fullmatch(command)
    if match is None:
        return screens, ""
    what = match[1]
    place, index = (int(group) if group else None for group in match.groups()[1:])
    if what == "add_screen":
        if len(screens) < MOST_SCREENS:
            screens.append(blank_screen(words["screen"], words["button"]))
        return screens, f"screen-{len(screens) - 1}"
    if place is None or place >= len(screens):
        return screens, ""
    parts = screens[place]["parts"]
    if what == "add":
        if kind in KINDS and len(parts) < MOST_PARTS:
            parts.append(blank_part(kind, ""))
        return screens, f"part-{place}-{len(parts) - 1}"
    if index is None:
        move(screens, place, what)
        return screens, f"screen-{max(min(place, len(screens) - 1), 0)}"
    if index < len(parts):
        move(parts, index, what)
    return screens, f"part-{place}-{index}" if index < len(parts) else f"screen-{place}"


def move(rows: list[Any], place: int, what: str) -> None:
    """Removes a row, or exchanges it with its neighbour."""
    if what == "remove":
        del rows[place]
        return
    other = place + (-1 if what == "up" else 1)
    if 0 <= other < len(rows):
        rows[place], rows[other] = rows[other], rows[place]
