"""Forms in WhatsApp (Meta: Flows, Flow JSON): what we write of them, Meta's rules for it, and the questions in any.

A form is written as screens, each with `title`, `button` and `parts`; a part has `kind`, `label`, `name`, `hint`,
`required` and `options`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.words import N_, pN_

from .payload import mapping, sequence, text

# The versions of Flow JSON and of the data endpoint that are written here (Meta: Flows, Changelog, September 2025).
VERSION, DATA_API_VERSION = "7.3", "3.0"
MOST_SCREENS, MOST_PARTS, MOST_OPTIONS = 8, 20, 20
MOST_DROPDOWN_OPTIONS = 200
LONGEST_TITLE, LONGEST_BUTTON, LONGEST_OPTION, LONGEST_HINT = 60, 35, 30, 80
MOST_OPT_INS = 5
CATEGORIES = {
    "LEAD_GENERATION": N_("Lead generation"),
    "APPOINTMENT_BOOKING": N_("Appointment booking"),
    "CONTACT_US": N_("Contact us"),
    "CUSTOMER_SUPPORT": N_("Customer support"),
    "SURVEY": N_("Survey"),
    "SIGN_UP": N_("Sign up"),
    "SIGN_IN": N_("Sign in"),
    "OTHER": N_("Other"),
}
_REFERENCE = re.compile(r"\$\{(?:screen\.[A-Z_]+\.)?form\.([\w-]+)\}")
# How much of somebody else's form is looked at.
_LOOKED_AT, _MOST_QUESTIONS, _MOST_TITLES = 5_000, 200, 300


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of part. `longest` is of its label, or of its text where it asks nothing."""

    name: str
    words: str
    component: str
    longest: int
    input_type: str = ""
    asks: bool = True
    has_options: bool = False
    has_hint: bool = False
    # Whether its options come from the data endpoint.
    is_live: bool = False


KINDS: dict[str, Kind] = {
    one.name: one
    for one in (
        Kind("heading", N_("Heading"), "TextHeading", 80, asks=False),
        Kind("text", N_("Text"), "TextBody", 4096, asks=False),
        Kind("short", N_("Short text"), "TextInput", 20, "text", has_hint=True),
        Kind("long", N_("Long text"), "TextArea", 20, has_hint=True),
        Kind("number", pN_("kind of value", "Number"), "TextInput", 20, "number", has_hint=True),
        Kind("email", N_("Email"), "TextInput", 20, "email", has_hint=True),
        Kind("phone", N_("Phone number"), "TextInput", 20, "phone", has_hint=True),
        Kind("date", N_("Date"), "DatePicker", 40, has_hint=True),
        Kind("dropdown", N_("Dropdown"), "Dropdown", 20, has_options=True),
        Kind("radio", N_("One choice"), "RadioButtonsGroup", 30, has_options=True),
        Kind("checkbox", N_("Several choices"), "CheckboxGroup", 30, has_options=True),
        Kind("opt_in", N_("Opt-in"), "OptIn", 120),
        Kind("slot", N_("Appointment time"), "Dropdown", 20, is_live=True),
        Kind("lookup", N_("Choice from your program"), "Dropdown", 20, is_live=True),
    )
}
WORDS = {
    "no_screens": N_("Add a screen."),
    "too_many_screens": N_("A form can have {most} screens. Remove {over}."),
    "title_missing": N_("Enter a title for the screen."),
    "title_long": N_("The title can have {most} characters. Shorten it by {over}."),
    "button_missing": N_("Enter a label for the button."),
    "button_long": N_("The button can have {most} characters. Shorten it by {over}."),
    "too_many_parts": N_("A screen can have {most} fields. Remove {over}."),
    "no_parts": N_("Add a field to this screen."),
    "asks_nothing": N_("Add a field that the customer fills in."),
    "label_missing": N_("Enter a label."),
    "label_long": N_("This can have {most} characters. Shorten it by {over}."),
    "hint_long": N_("The hint can have {most} characters. Shorten it by {over}."),
    "name_form": N_("Use letters, digits and underscores, and begin with a letter."),
    "name_twice": N_("Another field has this name. Choose a different one."),
    "options_missing": N_("Enter at least two options, one per line."),
    "too_many_options": N_("This can have {most} options. Remove {over}."),
    "option_long": N_("“{value}” is too long: an option can have {most} characters. Shorten it by {over}."),
    "option_twice": N_("“{value}” is there twice."),
    "too_many_opt_ins": N_("A screen can have {most} opt-ins. Remove {over}."),
    "one_slot": N_("A form can ask for one appointment time."),
}
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,59}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Problem:
    """What Meta would refuse. `path` leads to the part: `screens.0.parts.2.label`."""

    path: str
    kind: str
    facts: dict[str, Any] = field(default_factory=dict)

    def explain(self, translate: Callable[[str], str] = str) -> str:
        return translate(WORDS[self.kind]).format(**self.facts)


@dataclass(frozen=True, slots=True)
class Question:
    """A field that is filled in: its name in the answers, its label, and the titles of its options by their ids."""

    name: str
    label: str
    titles: Mapping[str, str] = field(default_factory=dict)


def screen_id(place: int) -> str:
    """Meta takes letters and underscores only."""
    return f"SCREEN_{chr(ord('A') + place)}"


def place_of(id: object, screens: Sequence[Any]) -> int | None:
    """Which screen Meta means by an id, or None."""
    return next((place for place in range(len(screens)) if screen_id(place) == id), None)


def parts_of(screens: Sequence[Any]) -> Iterator[dict[str, Any]]:
    """The fields of all screens that ask something, in order."""
    for screen in screens:
        yield from (part for part in screen["parts"] if KINDS[part["kind"]].asks)


def asks_time(screens: Sequence[Any]) -> bool:
    """Whether the customer chooses an appointment time in it."""
    return any(part["kind"] == "slot" for part in parts_of(screens))


def is_live(screens: Sequence[Any]) -> bool:
    """Whether it needs the data endpoint."""
    return any(KINDS[part["kind"]].is_live for part in parts_of(screens))


def problems_of(screens: Sequence[Any]) -> list[Problem]:
    """What Meta would refuse in it, by our reading of its pages (Flow JSON, Components)."""
    return [*_problems(screens)]


def _problems(screens: Sequence[Any]) -> Iterator[Problem]:
    if not screens:
        yield Problem("screens", "no_screens")
    if (over := len(screens) - MOST_SCREENS) > 0:
        yield Problem("screens", "too_many_screens", {"most": MOST_SCREENS, "over": over})
    if screens and not any(True for _ in parts_of(screens)):
        yield Problem("screens.0.parts", "asks_nothing")
    names = Counter(part["name"] for part in parts_of(screens))
    slots = sum(part["kind"] == "slot" for part in parts_of(screens))
    for place, screen in enumerate(screens):
        path, parts = f"screens.{place}", screen["parts"]
        yield from _length(f"{path}.title", screen["title"], LONGEST_TITLE, "title")
        yield from _length(f"{path}.button", screen["button"], LONGEST_BUTTON, "button")
        if not parts:
            yield Problem(f"{path}.parts", "no_parts")
        if (over := len(parts) - MOST_PARTS) > 0:
            yield Problem(f"{path}.parts", "too_many_parts", {"most": MOST_PARTS, "over": over})
        if (over := sum(part["kind"] == "opt_in" for part in parts) - MOST_OPT_INS) > 0:
            yield Problem(f"{path}.parts", "too_many_opt_ins", {"most": MOST_OPT_INS, "over": over})
        for index, part in enumerate(parts):
            yield from _part_problems(f"{path}.parts.{index}", part, names, slots)


def _part_problems(path: str, part: Mapping[str, Any], names: Mapping[str, int], slots: int) -> Iterator[Problem]:
    kind = KINDS[part["kind"]]
    yield from _length(f"{path}.label", part["label"], kind.longest, "label")
    if kind.has_hint and (over := len(part["hint"]) - LONGEST_HINT) > 0:
        yield Problem(f"{path}.hint", "hint_long", {"most": LONGEST_HINT, "over": over})
    # One without a label gets its name with the label.
    if kind.asks and not NAME.fullmatch(part["name"]) and (part["name"] or part["label"].strip()):
        yield Problem(f"{path}.name", "name_form")
    elif kind.asks and names[part["name"]] > 1:
        yield Problem(f"{path}.name", "name_twice")
    if kind.has_options:
        yield from _option_problems(f"{path}.options", part)
    if part["kind"] == "slot" and slots > 1:
        yield Problem(f"{path}.label", "one_slot")


def _option_problems(path: str, part: Mapping[str, Any]) -> Iterator[Problem]:
    options = part["options"]
    most = MOST_DROPDOWN_OPTIONS if part["kind"] == "dropdown" else MOST_OPTIONS
    if len(options) < 2:
        yield Problem(path, "options_missing")
    if (over := len(options) - most) > 0:
        yield Problem(path, "too_many_options", {"most": most, "over": over})
    for option in options:
        if (over := len(option) - LONGEST_OPTION) > 0:
            yield Problem(path, "option_long", {"value": option, "most": LONGEST_OPTION, "over": over})
    if twice := next((option for option, count in Counter(options).items() if count > 1), None):
        yield Problem(path, "option_twice", {"value": twice[:LONGEST_OPTION]})


def _length(path: str, value: str, most: int, what: str) -> Iterator[Problem]:
    if not value.strip():
        yield Problem(path, f"{what}_missing")
    elif (over := len(value) - most) > 0:
        yield Problem(path, f"{what}_long", {"most": most, "over": over})


def build(screens: Sequence[Any]) -> dict[str, Any]:
    """The form as Flow JSON. The last screen sends the answers of all."""
    live = is_live(screens)
    built: dict[str, Any] = {"version": VERSION}
    if live:
        following = {screen_id(place): [screen_id(place + 1)] for place in range(len(screens) - 1)}
        built |= {"data_api_version": DATA_API_VERSION, "routing_model": following | {screen_id(len(screens) - 1): []}}
    return built | {"screens": [_screen(screens, place, live) for place in range(len(screens))]}


def _screen(screens: Sequence[Any], place: int, live: bool) -> dict[str, Any]:
    screen, is_last = screens[place], place == len(screens) - 1
    children = [_component(part, index) for index, part in enumerate(screen["parts"])]
    children.append({"type": "Footer", "label": screen["button"], "on-click-action": _action(screens, place, live)})
    lists = [part["name"] for part in screen["parts"] if KINDS[part["kind"]].is_live]
    layout = {"type": "SingleColumnLayout", "children": [{"type": "Form", "name": "form", "children": children}]}
    built: dict[str, Any] = {"id": screen_id(place), "title": screen["title"]}
    if is_last:
        built |= {"terminal": True, "success": True}
    return built | {"data": dict.fromkeys(lists, _LIST), "layout": layout}


_OPTION = {"type": "object", "properties": {"id": {"type": "string"}, "title": {"type": "string"}}}
_LIST = {"type": "array", "items": _OPTION, "__example__": [{"id": "1", "title": "Monday 9:00"}]}


def _action(screens: Sequence[Any], place: int, live: bool) -> dict[str, Any]:
    """Only the last screen, or one with a data endpoint, hands over what was filled in."""
    is_last = place == len(screens) - 1
    answers = {
        part["name"]: f"${{form.{part['name']}}}"
        if index == place
        else f"${{screen.{screen_id(index)}.form.{part['name']}}}"
        for index, screen in enumerate(screens[: place + 1])
        for part in parts_of([screen])
    }
    if live:
        return {"name": "data_exchange", "payload": answers}
    if is_last:
        return {"name": "complete", "payload": answers}
    return {"name": "navigate", "next": {"type": "screen", "name": screen_id(place + 1)}, "payload": {}}


def _component(part: Mapping[str, Any], _index: int) -> dict[str, Any]:
    kind = KINDS[part["kind"]]
    if not kind.asks:
        return {"type": kind.component, "text": part["label"]}
    built: dict[str, Any] = {"type": kind.component, "name": part["name"], "label": part["label"]}
    built["required"] = bool(part["required"])
    if kind.input_type:
        built["input-type"] = kind.input_type
    if kind.has_hint and part["hint"]:
        built["helper-text"] = part["hint"]
    if kind.has_options:
        built["data-source"] = [{"id": str(place), "title": option} for place, option in enumerate(part["options"])]
    if kind.is_live:
        built["data-source"] = f"${{data.{part['name']}}}"
    return built


def questions_in(flow_json: Any) -> list[Question]:
    """The fields of any Flow JSON in the order of its screens, by the names that they have in the answers."""
    screens = sequence(mapping(flow_json).get("screens"))[:100]
    fields: dict[str, Question] = {}
    renamed: dict[str, str] = {}
    for component in _components(screens):
        name, label = text(component.get("name"), 200), text(component.get("label"), 300)
        if name and name not in fields and label and len(fields) < _MOST_QUESTIONS:
            fields[name] = Question(name, label, _titles(component.get("data-source")))
        action = mapping(component.get("on-click-action"))
        if action.get("name") in ("complete", "data_exchange"):
            for key, value in list(mapping(action.get("payload")).items())[:_MOST_QUESTIONS]:
                if isinstance(value, str) and (match := _REFERENCE.fullmatch(value)):
                    renamed.setdefault(match[1], str(key)[:200])
    return [Question(renamed.get(name, name), one.label, one.titles) for name, one in fields.items()]


def _components(screens: Sequence[Any]) -> Iterator[dict[str, Any]]:
    waiting: list[Any] = [mapping(mapping(screen).get("layout")) for screen in screens][::-1]
    for _ in range(_LOOKED_AT):
        if not waiting:
            return
        one = mapping(waiting.pop())
        yield one
        inner = [
            *sequence(one.get("children"))[:100],
            *sequence(one.get("then"))[:100],
            *sequence(one.get("else"))[:100],
        ]
        waiting += inner[::-1]


def _titles(source: Any) -> dict[str, str]:
    options = map(mapping, sequence(source)[:_MOST_TITLES])
    pairs = ((text(option.get("id"), 200), text(option.get("title"), 300)) for option in options)
    return {id: title for id, title in pairs if id and title}
