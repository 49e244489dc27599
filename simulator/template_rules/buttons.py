"""Buttons: which kinds, how many of each, in which order, and what each of them holds."""

import itertools
import re
from typing import Any, Protocol
from urllib.parse import urlsplit

from simulator.template_rules.refusals import BAD_BUTTON, NO_EXAMPLE, misplaced, refusal, too_long, without_example
from simulator.template_rules.texts import VARIABLE, check_label, is_blank, variables_of

Json = dict[str, Any]
MOST_BUTTONS, LONGEST_LABEL, LONGEST_URL, LONGEST_CODE, LONGEST_PHONE = 10, 25, 2000, 15, 20
MOST_OF = {"QUICK_REPLY": 10, "URL": 2}
SINGLE = ("CATALOG", "MPM", "SPM", "OTP")
SHOP = ("CATALOG", "MPM", "SPM")
EVERYWHERE = ("QUICK_REPLY", "URL", "PHONE_NUMBER", "COPY_CODE", "FLOW", "VOICE_CALL", "REQUEST_CONTACT_INFO")
OF_CATEGORY = {"UTILITY": EVERYWHERE, "MARKETING": (*EVERYWHERE, *SHOP, "APP")}
WHATSAPP_HOSTS = ("wa.me", "api.whatsapp.com", "chat.whatsapp.com", "wa.link")
PHONE = re.compile(r"\+?[ .()-]*(?:[0-9][ .()-]*){5,}")
MOST_CALL_MINUTES, CONTACT_LABEL = 43_200, "Share Contact Info"
FLOW_ICONS = ("DOCUMENT", "PROMOTION", "REVIEW")


class Flows(Protocol):
    """The flows that a button may open."""

    def has(self, flow_id: str, name: str) -> bool:
        """True if the account has the flow."""


def check(buttons: Any, kinds: tuple[str, ...], flows: Flows) -> list[str]:
    """Returns the kinds of buttons that Meta takes, in order."""
    if not isinstance(buttons, list) or not buttons or not all(isinstance(one, dict) for one in buttons):
        raise without_example("BUTTONS", "buttons")
    if len(buttons) > MOST_BUTTONS:
        raise misplaced(f"A template can have at most {MOST_BUTTONS} buttons.")
    given_kinds = [str(button.get("type") or "").upper() for button in buttons]
    for kind in given_kinds:
        if kind not in kinds:
            raise misplaced(f"A button of type {kind or 'unknown'} is not allowed here.")
        if given_kinds.count(kind) > MOST_OF.get(kind, 1):
            raise misplaced(f"A template can have at most {MOST_OF.get(kind, 1)} button(s) of type {kind}.")
    if len(given_kinds) > 1 and set(given_kinds) & set(SINGLE):
        raise misplaced("A button that opens the catalog or copies a code has to be the only one.")
    _check_groups(given_kinds)
    _check_labels(buttons)
    for kind, button in zip(given_kinds, buttons, strict=True):
        _check_one(kind, button, flows)
    return given_kinds


def _check_groups(kinds: list[str]) -> None:
    """Quick replies are together, all before or all after the others."""
    quick = [kind == "QUICK_REPLY" for kind in kinds]
    changes = sum(one != two for one, two in itertools.pairwise(quick))
    if changes > 1:
        raise misplaced("Quick replies must be grouped, before or after all other buttons.")


def _check_labels(buttons: list[Json]) -> None:
    """No two buttons have the same label, whatever its case."""
    labels = [" ".join(str(one["text"]).casefold().split()) for one in buttons if one.get("text")]
    if len(set(labels)) < len(labels):
        raise refusal(BAD_BUTTON, "Two buttons of a template can't have the same text.")


def _check_one(kind: str, button: Json, flows: Flows) -> None:
    if kind not in ("COPY_CODE", "OTP", "REQUEST_CONTACT_INFO"):
        text = button.get("text")
        if not isinstance(text, str) or is_blank(text):
            raise without_example("BUTTONS", "text")
        check_label(text, LONGEST_LABEL)
    match kind:
        case "URL":
            _check_url(button)
        case "PHONE_NUMBER":
            _check_phone(str(button.get("phone_number") or ""))
        case "COPY_CODE":
            _check_code(button.get("example"))
        case "FLOW":
            _check_flow(button, flows)
        case "VOICE_CALL":
            _check_call(button.get("ttl_minutes"))
        case "REQUEST_CONTACT_INFO" if button.get("text") not in (None, "", CONTACT_LABEL):
            raise refusal(BAD_BUTTON, "The text of a button that asks for contact info is fixed.")


def _check_url(button: Json) -> None:
    url = str(button.get("url") or "")
    if len(url) > LONGEST_URL:
        raise too_long("button URL", LONGEST_URL)
    address = urlsplit(VARIABLE.sub("x", url)) if _is_parsable(url) else None
    host = (address and address.hostname) or ""
    if address is None or address.scheme not in ("http", "https") or "." not in host or " " in url.strip():
        raise refusal(BAD_BUTTON, "The URL of a button must be an http or https address.")
    if host.removeprefix("www.") in WHATSAPP_HOSTS:
        raise refusal(BAD_BUTTON, "Direct links to WhatsApp aren't allowed for buttons.")
    variables = VARIABLE.findall(url)
    if "{" in VARIABLE.sub("", url) or "}" in VARIABLE.sub("", url) or variables_of(url) not in ([], ["1"]):
        raise refusal(BAD_BUTTON, "The URL of a button can have one variable, {{1}}.")
    if len(variables) > 1 or (variables and not url.strip().endswith("}}")):
        raise refusal(BAD_BUTTON, "The variable of a URL must be at its end.")
    if variables and "{{" in re.split("[/?]", url.split("://", 1)[1])[0]:
        raise refusal(BAD_BUTTON, "The variable of a URL can't be part of its host.")
    if variables and not _one_text(button.get("example")):
        raise without_example("BUTTONS")


def _is_parsable(url: str) -> bool:
    try:
        return urlsplit(VARIABLE.sub("x", url)).hostname is not None
    except ValueError:
        return False


def _one_text(example: Any) -> str:
    """The example of a button, which may be a text or a list of one."""
    one = example[0] if isinstance(example, list) and len(example) == 1 else example
    return one.strip() if isinstance(one, str) else ""


def _check_phone(number: str) -> None:
    if len(number) > LONGEST_PHONE:
        raise too_long("phone number", LONGEST_PHONE)
    if not PHONE.fullmatch(number):
        raise refusal(BAD_BUTTON, "The phone number of a button must be a phone number with its country code.")


def _check_code(example: Any) -> None:
    code = _one_text(example)
    if not code:
        raise without_example("BUTTONS")
    if len(code) > LONGEST_CODE:
        raise too_long("example of the code", LONGEST_CODE)


def _check_call(minutes: Any) -> None:
    if minutes is not None and not (str(minutes).isdecimal() and 1 <= int(minutes) <= MOST_CALL_MINUTES):
        raise refusal(BAD_BUTTON, f"ttl_minutes of a call button must be between 1 and {MOST_CALL_MINUTES}.")


def _check_flow(button: Json, flows: Flows) -> None:
    given = [name for name in ("flow_id", "flow_name", "flow_json") if button.get(name)]
    if len(given) != 1:
        raise refusal(NO_EXAMPLE, "A flow button needs one of flow_id, flow_name and flow_json.")
    action = str(button.get("flow_action") or "navigate").lower()
    if action not in ("navigate", "data_exchange"):
        raise refusal(BAD_BUTTON, "flow_action must be navigate or data_exchange.")
    if action != "navigate" and button.get("navigate_screen"):
        raise refusal(BAD_BUTTON, "navigate_screen goes with the flow_action navigate.")
    if str(button.get("icon") or "DOCUMENT").upper() not in FLOW_ICONS:
        raise refusal(BAD_BUTTON, f"The icon of a flow button must be one of {', '.join(FLOW_ICONS)}.")
    if given != ["flow_json"] and not flows.has(str(button.get("flow_id") or ""), str(button.get("flow_name") or "")):
        raise refusal(None, "The flow of the button does not exist in this account.", "Invalid flow")
