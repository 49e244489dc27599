"""Reads a Flow JSON as Meta's pages describe it (Flow JSON, Components) and lists what is wrong with it."""

import json
import re
from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]
Error = dict[str, Any]

VERSIONS = ("5.1", "6.0", "6.1", "6.2", "6.3", "7.0", "7.1", "7.2", "7.3")
SCREEN_ID = re.compile(r"[A-Za-z_]+")
REFERENCE = re.compile(r"\$\{(?:screen\.(\w+)\.)?(form|data)\.([\w-]+)\}")
MOST_BYTES, MOST_CHILDREN, MOST_OPT_INS = 10 * 1024 * 1024, 50, 5
# Of each component that is filled in: the longest label, and whether it lists its options.
INPUTS = {
    "TextInput": (20, False),
    "TextArea": (20, False),
    "DatePicker": (40, False),
    "CalendarPicker": (40, False),
    "Dropdown": (20, True),
    "RadioButtonsGroup": (30, True),
    "CheckboxGroup": (30, True),
    "ChipsSelector": (80, True),
    "OptIn": (120, False),
    "PhotoPicker": (80, False),
    "DocumentPicker": (80, False),
}
TEXTS = {"TextHeading": 80, "TextSubheading": 80, "TextBody": 4096, "TextCaption": 409, "RichText": 100_000}
OTHERS = ("Form", "Footer", "Image", "ImageCarousel", "EmbeddedLink", "If", "Switch", "NavigationList")
INPUT_TYPES = ("text", "number", "email", "password", "passcode", "phone")
ACTIONS = ("navigate", "complete", "data_exchange", "open_url", "update_data")
LONGEST_FOOTER, LONGEST_OPTION = 35, 30


def errors_in(text: str) -> list[Error]:
    """Everything that would keep it from being published."""
    if len(text.encode()) > MOST_BYTES:
        return [_error("FILE_SIZE_EXCEEDED", "The Flow JSON is larger than 10 MB.", "")]
    try:
        flow = json.loads(text)
    except ValueError:
        return [_error("INVALID_FORMAT", "The file is not valid JSON.", "", "JSON_SCHEMA_ERROR")]
    if not isinstance(flow, dict):
        return [_error("INVALID_PROPERTY_TYPE", "Expected an object.", "$root", "JSON_SCHEMA_ERROR")]
    return list(_in_flow(flow))


def _error(kind: str, message: str, path: str, type: str = "FLOW_JSON_ERROR") -> Error:
    place = {"line_start": 1, "line_end": 1, "column_start": 1, "column_end": 1}
    return {
        "error": kind,
        "error_type": type,
        "message": message,
        **place,
        "pointers": [place | {"path": path}] if path else [],
    }


def _in_flow(flow: Json) -> Iterator[Error]:
    if str(flow.get("version")) not in VERSIONS:
        yield _error("INVALID_VERSION", f"Version {flow.get('version')} is not supported for publishing.", "version")
    screens = flow.get("screens")
    if not isinstance(screens, list) or not screens or not all(isinstance(screen, dict) for screen in screens):
        yield _error("REQUIRED_PROPERTY_MISSING", "A flow needs at least one screen.", "screens", "JSON_SCHEMA_ERROR")
        return
    ids = [str(screen.get("id")) for screen in screens]
    exchanges = "data_api_version" in flow
    if exchanges and "routing_model" not in flow:
        yield _error("REQUIRED_PROPERTY_MISSING", "A flow with a data endpoint needs a routing_model.", "routing_model")
    for screen_id, following in (flow.get("routing_model") or {}).items():
        for named in [screen_id, *following]:
            if named not in ids:
                yield _error("INVALID_ROUTING_MODEL", f"There is no screen {named}.", "routing_model")
    for place, screen in enumerate(screens):
        path = f"screens[{place}]"
        if not SCREEN_ID.fullmatch(ids[place]) or ids[place] == "SUCCESS" or ids.count(ids[place]) > 1:
            words = (
                f"The id {ids[place]} is not unique, reserved, or has other characters than letters and underscores."
            )
            yield _error("INVALID_SCREEN_ID", words, f"{path}.id")
        yield from _in_screen(screen, path, screens, exchanges=exchanges)
    if not any(screen.get("terminal") is True for screen in screens):
        yield _error("MISSING_TERMINAL_SCREEN", "One screen must be terminal.", "screens")


def _in_screen(screen: Json, path: str, screens: list[Json], *, exchanges: bool) -> Iterator[Error]:
    if not str(screen.get("title") or "").strip():
        yield _error("REQUIRED_PROPERTY_MISSING", "A screen needs a title.", f"{path}.title")
    layout = screen.get("layout")
    if not isinstance(layout, dict) or layout.get("type") != "SingleColumnLayout":
        yield _error("INVALID_LAYOUT", "The layout must be a SingleColumnLayout.", f"{path}.layout")
        return
    components = list(walk(layout.get("children"), f"{path}.layout.children"))
    if len(components) > MOST_CHILDREN:
        yield _error("TOO_MANY_COMPONENTS", f"A screen can have {MOST_CHILDREN} components.", f"{path}.layout")
    kinds = [component.get("type") for component, _ in components]
    if kinds.count("OptIn") > MOST_OPT_INS:
        yield _error("TOO_MANY_COMPONENTS", f"A screen can have {MOST_OPT_INS} opt-ins.", f"{path}.layout")
    if screen.get("terminal") and "Footer" not in kinds:
        yield _error("MISSING_FOOTER", "A terminal screen needs a Footer.", f"{path}.layout")
    if kinds.count("Footer") > 1:
        yield _error("TOO_MANY_COMPONENTS", "A screen can have one Footer.", f"{path}.layout")
    names = [component.get("name") for component, _ in components if component.get("type") in INPUTS]
    for component, at in components:
        if component.get("type") in INPUTS and names.count(component.get("name")) > 1:
            yield _error("DUPLICATE_FORM_COMPONENT_NAMES", f"Two fields are called {component.get('name')}.", at)
        yield from _in_component(component, at)
        if isinstance(action := component.get("on-click-action"), dict):
            yield from _in_action(action, f"{at}.on-click-action", screen, screens, exchanges=exchanges)


def walk(children: Any, path: str) -> Iterator[tuple[Json, str]]:
    """Every component with its path, those inside forms too."""
    for place, child in enumerate(children if isinstance(children, list) else []):
        if isinstance(child, dict):
            at = f"{path}[{place}]"
            yield child, at
            for inner in ("children", "then", "else"):
                yield from walk(child.get(inner), f"{at}.{inner}")


def _in_component(component: Json, path: str) -> Iterator[Error]:
    kind = component.get("type")
    if kind in TEXTS:
        yield from _text(component.get("text"), TEXTS[str(kind)], f"{path}.text", "text")
    elif kind in INPUTS:
        longest, lists = INPUTS[str(kind)]
        yield from _text(component.get("label"), longest, f"{path}.label", "label")
        if not str(component.get("name") or ""):
            yield _error("REQUIRED_PROPERTY_MISSING", f"{kind} needs a name.", f"{path}.name", "JSON_SCHEMA_ERROR")
        if kind == "TextInput" and component.get("input-type", "text") not in INPUT_TYPES:
            yield _error("INVALID_ENUM_VALUE", "Unknown input-type.", f"{path}.input-type", "JSON_SCHEMA_ERROR")
        if len(str(component.get("helper-text") or "")) > 80:
            yield _error("TEXT_TOO_LONG", "helper-text can have 80 characters.", f"{path}.helper-text")
        if lists:
            yield from _options(component.get("data-source"), str(kind), f"{path}.data-source")
    elif kind == "Footer":
        yield from _text(component.get("label"), LONGEST_FOOTER, f"{path}.label", "label")
        if not isinstance(component.get("on-click-action"), dict):
            words = "Footer needs an on-click-action."
            yield _error("REQUIRED_PROPERTY_MISSING", words, path, "JSON_SCHEMA_ERROR")
    elif kind not in OTHERS:
        yield _error("INVALID_COMPONENT", f"There is no component {kind}.", path, "JSON_SCHEMA_ERROR")


def _text(value: Any, most: int, path: str, name: str) -> Iterator[Error]:
    if not isinstance(value, str | list) or not value:
        yield _error("REQUIRED_PROPERTY_MISSING", f"Required property {name} is missing.", path, "JSON_SCHEMA_ERROR")
    elif isinstance(value, str) and len(value) > most:
        yield _error("TEXT_TOO_LONG", f"{name} can have {most} characters.", path)


def _options(source: Any, kind: str, path: str) -> Iterator[Error]:
    if isinstance(source, str) and REFERENCE.fullmatch(source):
        return
    if not isinstance(source, list) or not source:
        yield _error("REQUIRED_PROPERTY_MISSING", f"{kind} needs a data-source.", path, "JSON_SCHEMA_ERROR")
        return
    most = 200 if kind == "Dropdown" else 20
    if len(source) > most:
        yield _error("TOO_MANY_OPTIONS", f"{kind} can have {most} options.", path)
    ids = [option.get("id") for option in source if isinstance(option, dict)]
    if len(ids) < len(source) or len(set(ids)) < len(ids):
        yield _error("INVALID_PROPERTY_VALUE", "Each option needs an id of its own.", path)
    for place, option in enumerate(source):
        if isinstance(option, dict) and not 1 <= len(str(option.get("title") or "")) <= LONGEST_OPTION:
            yield _error("TEXT_TOO_LONG", "The title of an option has 1 to 30 characters.", f"{path}[{place}].title")


def _in_action(action: Json, path: str, screen: Json, screens: list[Json], *, exchanges: bool) -> Iterator[Error]:
    name = action.get("name")
    ids = [one.get("id") for one in screens]
    if name not in ACTIONS:
        yield _error("INVALID_ENUM_VALUE", f"There is no action {name}.", f"{path}.name", "JSON_SCHEMA_ERROR")
    if name == "navigate":
        following = (action.get("next") or {}).get("name")
        if following not in ids or following == screen.get("id"):
            yield _error("INVALID_NAVIGATION", f"There is no screen {following} to go to.", f"{path}.next")
        if screen.get("terminal"):
            yield _error("INVALID_NAVIGATION", "A terminal screen can't navigate.", path)
    if name == "complete" and not screen.get("terminal"):
        yield _error("INVALID_COMPLETE_ACTION", "Only a terminal screen can complete a flow.", path)
    if name == "data_exchange" and not exchanges:
        yield _error("INVALID_DATA_EXCHANGE", "data_exchange needs a data_api_version.", path)
    fields = {str(one.get("id")): _names(one) for one in screens}
    for key, value in (action.get("payload") or {}).items():
        if isinstance(value, str) and (match := REFERENCE.fullmatch(value)) and match[2] == "form":
            owner = match[1] or str(screen.get("id"))
            if match[3] not in fields.get(owner, ()):
                yield _error("INVALID_REFERENCE", f"{owner} has no field {match[3]}.", f"{path}.payload.{key}")


def _names(screen: Json) -> set[str]:
    layout = screen.get("layout")
    children = layout.get("children") if isinstance(layout, dict) else []
    return {str(one.get("name")) for one, _ in walk(children, "") if one.get("type") in INPUTS}
