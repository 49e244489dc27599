"""The `category` of a message: what Direct Send takes, and what it refuses."""

import re
from typing import Any

from simulator.errors import GraphError, invalid
from simulator.graph.call import Call
from simulator.graph.contents.part import Part
from simulator.graph.parameters import decode
from simulator.phone_numbers import PhoneNumber

NAME = re.compile(r"[a-z0-9_]{1,512}")
CATEGORIES = ("utility", "authentication", "service")
INTERACTIVE = ("cta_url", "button", "voice_call")
MOST_BUTTONS, MOST_LINKS, LONGEST_BODY = 10, 2, 1024
AUTHENTICATION_TTL = 600
TTLS = {"utility": (30, 43_200), "authentication": (30, 900)}
NOT_ENABLED = (
    "Parameter Invalid: The 'category' value requires Direct Send, which isn't enabled for this account."
    " Use an approved message template instead."
)
BLOCKED = "Direct Send access of this account is blocked because of the content of its messages."


def category_of(call: Call, number: PhoneNumber, kind: str) -> str | None:
    """The category if this is a Direct Send message, None if it is an ordinary one."""
    category = call.params.get("category")
    if category is None or category == "service":
        if call.params.get("ttl_seconds") is not None:
            raise invalid('Unexpected key "ttl_seconds": a time to live needs a category.')
        return None
    if category not in CATEGORIES:
        raise invalid(f"Param category must be one of {{{', '.join(CATEGORIES).upper()}}}")
    _check_access(number, str(category))
    if kind not in ("text", "interactive"):
        raise invalid(f"Messages of type {kind} can't be sent with a category.")
    if category == "authentication" and not call.params.get("to"):
        raise GraphError(131062, "Authentication messages need a phone number.")
    _check_ttl(call, str(category))
    return str(category)


def ttl_of(call: Call, category: str | None) -> int | None:
    """For how many seconds Meta tries to deliver a Direct Send message, if that is not 30 days."""
    given = call.params.get("ttl_seconds")
    if category is None or given is not None:
        return int(given) if category and given else None
    return AUTHENTICATION_TTL if category == "authentication" else None


def template_name(call: Call, category: str) -> str | None:
    """The template that the business wants its message attributed to."""
    config = decode(call.params.get("direct_send_config"))
    if config is None:
        return None
    name = config.get("template_name") if isinstance(config, dict) else None
    if not isinstance(name, str) or not NAME.fullmatch(name) or category != "utility":
        raise invalid("Param direct_send_config.template_name must be lowercase letters, digits and underscores.")
    return name


def check(given: Any, kind: str, number: PhoneNumber) -> None:
    """The limits of Direct Send, which are those of templates."""
    part = Part(given, kind)
    if kind == "text":
        part.text("body", LONGEST_BODY)
        return
    if part.choice("type", INTERACTIVE) == "button":
        _check_buttons(part)
    header = part.value.get("header")
    if isinstance(header, dict) and header.get("type") != "text" and not number.waba.direct_send_media:
        raise invalid("Media headers are not enabled for Direct Send in this account.")


def has_links(given: Any) -> bool:
    """True for reply buttons mixed with addresses, which only Direct Send knows."""
    action = decode(given).get("action") if isinstance(decode(given), dict) else None
    buttons = action.get("buttons") if isinstance(action, dict) else None
    return isinstance(buttons, list) and any(isinstance(one, dict) and one.get("type") == "cta_url" for one in buttons)


def _check_access(number: PhoneNumber, category: str) -> None:
    match number.waba.direct_send:
        case "blocked":
            raise GraphError(139200, BLOCKED)
        case "off":
            raise _not_enabled()
        case "on" if category == "authentication":
            raise _not_enabled()
    if number.waba.is_utility_restricted:
        raise GraphError(131064, "The account has reached its limit because of template classification violations.")


def _not_enabled() -> GraphError:
    data = {"messaging_product": "whatsapp", "details": NOT_ENABLED}
    return GraphError(100, "(#100) Invalid parameter", data=data)


def _check_ttl(call: Call, category: str) -> None:
    ttl = call.params.get("ttl_seconds")
    if ttl is None:
        return
    least, most = TTLS[category]
    if not str(ttl).isdecimal() or int(ttl) < least:
        raise invalid(f"The time-to-live value must be higher than or equal to {least}")
    if int(ttl) > most:
        raise invalid(f"The time-to-live value must be lower than or equal to {most}")


def _check_buttons(part: Part) -> None:
    """Up to ten, of which at most two addresses, and those first."""
    part.part("body").text("text", LONGEST_BODY)
    if "footer" in part:
        part.part("footer").text("text", 60)
    if "header" in part and part.part("header").choice("type", ("text", "image", "video", "document")) == "text":
        part.part("header").text("text", 60)
    kinds = []
    for button in part.part("action").parts("buttons", 1, MOST_BUTTONS):
        kinds.append(button.choice("type", ("cta_url", "reply")))
        about = button.part(kinds[-1])
        about.text("display_text" if kinds[-1] == "cta_url" else "title", 20)
        if kinds[-1] == "cta_url" and not about.text("url", 2000).startswith(("http://", "https://")):
            raise about.wrong("url", "must be an http or https address")
        if kinds[-1] == "reply":
            about.text("id", 256)
    if kinds.count("cta_url") > MOST_LINKS:
        raise part.wrong("action", f"can have at most {MOST_LINKS} cta_url buttons")
    if kinds != sorted(kinds):
        raise part.wrong("action", "must list cta_url buttons before reply buttons")
