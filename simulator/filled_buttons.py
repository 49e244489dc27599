"""The parameters of a template's buttons in one send."""

from typing import Any

from simulator.errors import GraphError
from simulator.options import VARIABLE

Json = dict[str, Any]
NEEDS_PARAMETER = {"COPY_CODE": "coupon_code", "OTP": "text", "MPM": "action"}
SUB_TYPES = {
    "QUICK_REPLY": ("quick_reply",),
    "URL": ("url",),
    "OTP": ("url", "copy_code"),
    "PHONE_NUMBER": ("phone_number", "voice_call"),
    "COPY_CODE": ("copy_code",),
    "FLOW": ("flow",),
    "CATALOG": ("catalog",),
    "MPM": ("mpm",),
    "SPM": ("spm", "product"),
    "VOICE_CALL": ("voice_call",),
}
LONGEST_PAYLOAD, LONGEST_CODE = 128, 15
WITHOUT_PARAMETERS = ("PHONE_NUMBER", "SPM", "REQUEST_CONTACT_INFO")


def check_buttons(defined: list[Json], given: list[Json]) -> dict[int, list[Json]]:
    """The parameters by the button's index, if every one of them fits its button."""
    by_index: dict[int, list[Json]] = {}
    for part in given:
        index = _index_of(part)
        if index in by_index:
            raise GraphError(131009, f"buttons: Button at index {index} is given more than once")
        if not 0 <= index < len(defined):
            raise mismatch("buttons", len(given), len(defined))
        _check_sub_type(index, defined[index], str(part.get("sub_type", "")).lower())
        by_index[index] = part.get("parameters") or []
    for index, button in enumerate(defined):
        _check_button(index, button, by_index.get(index, []))
    return by_index


def mismatch(place: str, count: int, expected: int) -> GraphError:
    """Error 132000 about the number of parameters."""
    return GraphError(
        132000,
        f"{place}: number of localizable_params ({count}) does not match the expected number of params ({expected})",
    )


def _index_of(part: Json) -> int:
    index = str(part.get("index"))
    if not index.isdecimal():
        raise GraphError(131009, "Param index of a button must be a number from 0 on.")
    return int(index)


def _check_sub_type(index: int, button: Json, sub_type: str) -> None:
    expected = SUB_TYPES.get(str(button["type"]).upper(), (sub_type,))
    if sub_type not in expected:
        details = f"buttons: Button at index {index} expects sub_type {expected[0]}, received {sub_type}"
        raise GraphError(132012, details)


def _check_button(index: int, button: Json, parameters: list[Json]) -> None:
    kind = str(button["type"]).upper()
    needed = NEEDS_PARAMETER.get(kind)
    if kind == "URL":
        variables = set(VARIABLE.findall(button.get("url", "")))
        needed = "text" if variables else None
        if len(parameters) > len(variables):
            raise mismatch("buttons", len(parameters), len(variables))
    if kind in WITHOUT_PARAMETERS and parameters:
        raise mismatch("buttons", len(parameters), 0)
    if needed and not parameters:
        raise GraphError(131008, f"buttons: Button at index {index} of type {kind.capitalize()} requires a parameter")
    if needed and not parameters[0].get(needed):
        raise GraphError(132012, f"buttons: Button at index {index} expects a parameter of type {needed}")
    if parameters:
        _check_value(index, kind, parameters[0])


def _check_value(index: int, kind: str, parameter: Json) -> None:
    match kind:
        case "QUICK_REPLY":
            payload = parameter.get("payload")
            if parameter.get("type") != "payload" or not isinstance(payload, str):
                raise GraphError(132012, f"buttons: Button at index {index} expects a parameter of type payload")
            if len(payload) > LONGEST_PAYLOAD:
                raise GraphError(131009, f"buttons: the payload can have at most {LONGEST_PAYLOAD} characters")
        case "URL" if parameter.get("type") != "text" or not isinstance(parameter.get("text"), str):
            raise GraphError(132012, f"buttons: Button at index {index} expects a parameter of type text")
        case "COPY_CODE" if len(str(parameter["coupon_code"])) > LONGEST_CODE:
            raise GraphError(131009, f"buttons: the coupon_code can have at most {LONGEST_CODE} characters")
        case "MPM":
            sections = parameter["action"].get("sections") if isinstance(parameter["action"], dict) else None
            if not sections:
                raise GraphError(131008, f"buttons: Button at index {index} of type Mpm requires sections")
