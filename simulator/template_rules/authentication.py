"""Authentication templates: Meta writes their text; only a few things can be chosen."""

import re
from typing import Any
from urllib.parse import unquote

from simulator.template_rules.refusals import misplaced, refusal, too_long, without_example
from simulator.template_rules.texts import check_label, is_blank

Json = dict[str, Any]
OTP_TYPES = ("COPY_CODE", "ONE_TAP", "ZERO_TAP")
MOST_APPS, LONGEST_PACKAGE, HASH_LENGTH, MOST_MINUTES = 5, 224, 11, 90
PACKAGE = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)+")


def check(parts: dict[str, Json]) -> None:
    """A body without text, perhaps a footer with the expiry, and one button."""
    if extra := set(parts) - {"BODY", "FOOTER", "BUTTONS"}:
        raise misplaced(f"An authentication template can't have a component of type {min(extra)}.")
    if "BODY" not in parts:
        raise misplaced("An authentication template needs a component of type BODY.")
    _check_body(parts["BODY"])
    if "FOOTER" in parts:
        _check_footer(parts["FOOTER"])
    buttons = parts.get("BUTTONS", {}).get("buttons")
    if not isinstance(buttons, list) or len(buttons) != 1 or not isinstance(buttons[0], dict):
        raise misplaced("An authentication template needs one button of type OTP.")
    _check_button(buttons[0])


def _check_body(body: Json) -> None:
    if body.get("text"):
        raise misplaced("The body of an authentication template is fixed and can't have a text of its own.")
    if not isinstance(body.get("add_security_recommendation", False), bool):
        raise refusal(None, "add_security_recommendation must be true or false.")


def _check_footer(footer: Json) -> None:
    minutes = footer.get("code_expiration_minutes")
    if footer.get("text"):
        raise misplaced("The footer of an authentication template can only hold code_expiration_minutes.")
    if type(minutes) is not int or not 1 <= minutes <= MOST_MINUTES:
        raise refusal(None, f"code_expiration_minutes must be between 1 and {MOST_MINUTES}.")


def _check_button(button: Json) -> None:
    if str(button.get("type") or "").upper() != "OTP":
        raise misplaced("An authentication template needs one button of type OTP.")
    kind = str(button.get("otp_type") or "").upper()
    if kind not in OTP_TYPES:
        raise refusal(None, f"otp_type must be one of {', '.join(OTP_TYPES)}.")
    for name in ("text", "autofill_text"):
        if button.get(name):
            if is_blank(str(button[name])):
                raise without_example("BUTTONS", name)
            check_label(str(button[name]), 25)
    if kind != "COPY_CODE":
        _check_apps(button)
    elif button.get("supported_apps") or button.get("package_name"):
        raise refusal(None, "A button that copies the code has no supported_apps.")
    if kind == "ZERO_TAP" and button.get("zero_tap_terms_accepted") is not True:
        raise refusal(None, "zero_tap_terms_accepted must be true for a template of type ZERO_TAP.")


def _check_apps(button: Json) -> None:
    apps = button.get("supported_apps") or [{name: button.get(name) for name in ("package_name", "signature_hash")}]
    if not isinstance(apps, list) or not 1 <= len(apps) <= MOST_APPS:
        raise refusal(None, f"supported_apps must name 1 to {MOST_APPS} apps.")
    for app in apps:
        package, signature = (str((app or {}).get(name) or "") for name in ("package_name", "signature_hash"))
        if not package or not signature:
            raise without_example("BUTTONS", "supported_apps")
        if len(package) > LONGEST_PACKAGE:
            raise too_long("package_name", LONGEST_PACKAGE)
        if not PACKAGE.fullmatch(package):
            raise refusal(None, "package_name must be the name of an Android package, like com.example.app.")
        if len(unquote(signature)) != HASH_LENGTH:
            raise refusal(None, f"signature_hash must have {HASH_LENGTH} characters.")
