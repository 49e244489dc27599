"""Meta's rules for the buttons of a template."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import Any
from urllib.parse import unquote, urlsplit

from .message_templates import MOST_MINUTES, Template
from .payload import mapping, sequence, text
from .template_problems import Problem, too_long
from .template_text_rules import label_text, links
from .template_variables import LONGEST_CODE, LONGEST_URL, example_of_button, is_one_time_code

MOST_BUTTONS, MOST_ON_CARD, MOST_APPS = 10, 2, 5
MOST_OF_KIND = {
    "QUICK_REPLY": 10,
    "URL": 2,
    "PHONE_NUMBER": 1,
    "COPY_CODE": 1,
    "FLOW": 1,
    "CATALOG": 1,
    "MPM": 1,
    "SPM": 1,
    "VOICE_CALL": 1,
    "REQUEST_CONTACT_INFO": 1,
}
SINGLE = ("CATALOG", "MPM", "SPM")
ON_CARDS = ("QUICK_REPLY", "URL", "PHONE_NUMBER", "SPM")
LABELLED = ("QUICK_REPLY", "URL", "PHONE_NUMBER", "FLOW", "CATALOG", "MPM", "SPM", "VOICE_CALL")
CONTACT_LABEL, LONGEST_PHONE, LONGEST_PACKAGE = "Share Contact Info", 20, 224
FLOW_ICONS = ("DOCUMENT", "PROMOTION", "REVIEW")
OTP_TYPES = ("COPY_CODE", "ONE_TAP", "ZERO_TAP")
_PHONE = re.compile(r"\+?[0-9]{5,20}")
_BETWEEN_DIGITS = re.compile(r"[ ().-]")
_PACKAGE = re.compile(r"[A-Za-z]\w*(?:\.[A-Za-z]\w*)+", re.ASCII)
_HASH = re.compile(r"[A-Za-z0-9+/=]{11}")
_HOST = re.compile(r"[\w-]+(?:\.[\w-]+)+", re.UNICODE)


def problems_of_buttons(template: Template, path: str) -> Iterator[Problem]:
    """The buttons of a marketing or utility template, or of a card."""
    buttons, kinds = template.buttons, template.button_kinds
    if not buttons:
        yield Problem(path, "buttons_missing")
    most = MOST_BUTTONS if template.card is None else MOST_ON_CARD
    if (over := len(buttons) - most) > 0:
        kind = "buttons_many" if template.card is None else "buttons_of_card"
        yield Problem(path, kind, {"over": over, "most": most})
    yield from arrangement(path, kinds)
    seen: set[str] = set()
    # What is over the limit is not looked at: a list may be long.
    for index, (kind, button) in enumerate(zip(kinds[: 2 * MOST_BUTTONS], buttons, strict=False)):
        own = f"{path}.{index}"
        if kind not in MOST_OF_KIND:
            yield Problem(own, "button_unknown" if kind != "OTP" else "button_not_here")
            continue
        if template.card is not None and kind not in ON_CARDS:
            yield Problem(own, "button_not_here")
        yield from label(own, kind, button, seen)
        if check := CHECKS.get(kind):
            yield from check(own, button)


def arrangement(path: str, kinds: list[str]) -> Iterator[Problem]:
    for kind, count in Counter(kinds).items():
        if kind in MOST_OF_KIND and (over := count - MOST_OF_KIND[kind]) > 0:
            last = max(index for index, one in enumerate(kinds) if one == kind)
            yield Problem(f"{path}.{last}", "buttons_of_kind", {"most": MOST_OF_KIND[kind], "over": over})
    if any(kind in SINGLE for kind in kinds) and len(kinds) > 1:
        yield Problem(path, "button_alone")
    changes = sum((one == "QUICK_REPLY") != (two == "QUICK_REPLY") for one, two in pairwise(kinds))
    if changes > 1:
        yield Problem(path, "buttons_order")


def label(path: str, kind: str, button: dict[str, Any], seen: set[str]) -> Iterator[Problem]:
    words = text(button.get("text")) or ""
    if kind in LABELLED:
        yield from label_text(f"{path}.text", words)
        if (folded := " ".join(words.casefold().split())) and folded in seen:
            yield Problem(f"{path}.text", "label_twice", {"label": words.strip()[:40]})
        seen.add(folded)
    elif kind == "REQUEST_CONTACT_INFO" and words not in ("", CONTACT_LABEL):
        yield Problem(f"{path}.text", "label_fixed")


def link(path: str, button: dict[str, Any]) -> Iterator[Problem]:
    path, url = f"{path}.url", text(button.get("url")) or ""
    if not url.strip():
        yield Problem(path, "link_missing")
        return
    if problems := too_long(path, url, LONGEST_URL):
        yield from problems
        return
    base, brace, _ = url.partition("{")
    is_last = url == base + "{{1}}"
    if (brace or "}" in url) and not is_last:
        yield Problem(path, "link_variables")
    elif not is_address(base if is_last else url):
        yield Problem(path, "link_form")
    elif is_last and "/" not in base.partition("://")[2] and "?" not in base:
        yield Problem(path, "link_variable_in_host")
    if is_last and not example_of_button(button).strip():
        yield Problem(path.removesuffix("url") + "example", "example_missing", {"name": "{{1}}"})
    yield from links(path, url)


def is_address(url: str) -> bool:
    """A whole web address."""
    if any(character.isspace() for character in url):
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(_HOST.fullmatch(parts.hostname or "")) and parts.port != 0
    except ValueError:
        return False


def phone(path: str, button: dict[str, Any]) -> Iterator[Problem]:
    path, number = f"{path}.phone_number", text(button.get("phone_number")) or ""
    if not number.strip():
        yield Problem(path, "phone_missing")
    elif len(number) > LONGEST_PHONE or not _PHONE.fullmatch(_BETWEEN_DIGITS.sub("", number)):
        yield Problem(path, "phone_form")


def code(path: str, button: dict[str, Any]) -> Iterator[Problem]:
    path, example = f"{path}.example", example_of_button(button)
    if not example.strip():
        yield Problem(path, "code_missing")
    elif not (example.isascii() and example.isalnum()):
        yield Problem(path, "code_form")
    yield from too_long(path, example, LONGEST_CODE)


def flow(path: str, button: dict[str, Any]) -> Iterator[Problem]:
    named = [name for name in ("flow_id", "flow_name", "flow_json") if button.get(name)]
    if len(named) != 1:
        yield Problem(f"{path}.flow_id", "flow_twice" if named else "flow_missing")
    action = str(button.get("flow_action") or "navigate").lower()
    if action not in ("navigate", "data_exchange"):
        yield Problem(f"{path}.flow_action", "flow_action")
    elif action != "navigate" and button.get("navigate_screen"):
        yield Problem(f"{path}.navigate_screen", "flow_screen")
    if (icon := button.get("icon")) and str(icon).upper() not in FLOW_ICONS:
        yield Problem(f"{path}.icon", "flow_icon")


def call(path: str, button: dict[str, Any]) -> Iterator[Problem]:
    minutes = button.get("ttl_minutes")
    if minutes is not None and not (isinstance(minutes, int) and 1 <= minutes <= MOST_MINUTES):
        yield Problem(f"{path}.ttl_minutes", "call_validity")


CHECKS = {"URL": link, "PHONE_NUMBER": phone, "COPY_CODE": code, "FLOW": flow, "VOICE_CALL": call}


def problems_of_code_button(template: Template, path: str) -> Iterator[Problem]:
    """The one button of an authentication template."""
    if len(template.buttons) != 1 or not is_one_time_code(template.buttons[0]):
        yield Problem(path, "otp_button")
        return
    button, own = template.buttons[0], f"{path}.0"
    for name in ("text", "autofill_text"):
        if words := text(button.get(name)):
            yield from label_text(f"{own}.{name}", words)
    if template.button_kinds[0] != "OTP":
        return  # as Meta gives it back: a link
    kind = str(button.get("otp_type")).upper()
    apps = [mapping(app) for app in sequence(button.get("supported_apps"))]
    if not apps and (button.get("package_name") or button.get("signature_hash")):
        apps = [button]
    if kind not in OTP_TYPES:
        yield Problem(f"{own}.otp_type", "otp_type")
    elif kind == "COPY_CODE":
        if apps:
            yield Problem(f"{own}.supported_apps", "otp_apps_not_here")
        return
    elif kind == "ZERO_TAP" and button.get("zero_tap_terms_accepted") is not True:
        yield Problem(f"{own}.zero_tap_terms_accepted", "otp_terms")
    yield from apps_of(own, apps)


def apps_of(path: str, apps: list[dict[str, Any]]) -> Iterator[Problem]:
    path = f"{path}.supported_apps"
    if not apps:
        yield Problem(path, "otp_apps_missing")
    if (over := len(apps) - MOST_APPS) > 0:
        yield Problem(path, "otp_apps_many", {"over": over})
    for index, app in enumerate(apps[:MOST_APPS]):
        package, hash = text(app.get("package_name")) or "", unquote(text(app.get("signature_hash")) or "")
        if len(package) > LONGEST_PACKAGE or not _PACKAGE.fullmatch(package):
            yield Problem(f"{path}.{index}.package_name", "otp_package")
        if not _HASH.fullmatch(hash):
            yield Problem(f"{path}.{index}.signature_hash", "otp_hash")
