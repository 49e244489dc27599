"""Direct Send: a utility message without a template, on accounts that have it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from app.words import N_

from .errors import Explanation, Kind, MetaError
from .payload import mapping, sequence, text
from .template_problems import Problem, too_long
from .template_promotion import lint_promotion
from .template_rules import VALIDITY
from .template_variables import LONGEST_BODY, LONGEST_HEADER

LONGEST_LABEL, MOST_BUTTONS, MOST_REPLIES, MOST_LINKS = 20, 10, 3, 2
INTERACTIVE = ("button", "cta_url", "voice_call")
HEADERS = ("text", "image", "video", "document")
BLOCKED = 139200
NOT_ENABLED = Explanation(
    Kind.FINAL,
    N_("Meta hasn't enabled Direct Send for your WhatsApp account, so messages need a template."),
    N_("Send a template instead. Switchboard won't try Direct Send again for a week."),
)
# A template that Direct Send made is named so, or has this source.
GENERATED = "auto_generated"


def direct_send_body(content: Mapping[str, Any], category: str = "utility", ttl: int | None = None) -> dict[str, Any]:
    """An ordinary `content` (text or interactive) as one that needs neither window nor template. `ttl` in seconds."""
    validity = {} if ttl is None else {"ttl_seconds": ttl}
    if content.get("type") == "text":
        # Direct Send shows no previews of links.
        return {
            "type": "text",
            "text": {"body": mapping(content.get("text")).get("body")},
            "category": category,
        } | validity
    return {**content, "category": category} | validity


def problems_of_direct_send(content: Mapping[str, Any], language: str = "") -> list[Problem]:
    """What Direct Send would refuse, and promotional words: those of every language where none is given."""
    problems = list(_problems(content))
    if promotion := lint_promotion("\n".join(_all_words(content)), language):
        problems.append(Problem("body", "direct_promotional", {"found": "”, “".join(promotion[:5])}))
    return problems


def _all_words(content: Mapping[str, Any]) -> Iterator[str]:
    """Whatever the customer reads, the shortest parts first: only the first characters of it are looked at."""
    interactive = mapping(content.get("interactive"))
    action = mapping(interactive.get("action"))
    labels: list[Any] = [mapping(interactive.get("header")).get("text"), mapping(interactive.get("footer")).get("text")]
    labels.append(mapping(action.get("parameters")).get("display_text"))
    for button in map(mapping, sequence(action.get("buttons"))[:MOST_BUTTONS]):
        inner = mapping(button.get(str(button.get("type"))))
        labels.append(inner.get("title") or inner.get("display_text"))
    bodies = mapping(content.get("text")).get("body"), mapping(interactive.get("body")).get("text")
    yield from filter(None, (text(one, LONGEST_HEADER) for one in labels))
    yield from filter(None, (text(one) for one in bodies))


def _problems(content: Mapping[str, Any]) -> Iterator[Problem]:
    kind, ttl = content.get("type"), content.get("ttl_seconds")
    least, most = VALIDITY.get(str(content.get("category")).upper(), VALIDITY["UTILITY"])
    if ttl is not None and not (isinstance(ttl, int) and least <= ttl <= most):
        yield Problem("ttl", "ttl_range", {"least": least, "most": most})
    if kind == "text":
        yield from _words("body", mapping(content.get("text")).get("body"), LONGEST_BODY)
    elif kind == "interactive" and mapping(content.get("interactive")).get("type") in INTERACTIVE:
        yield from _interactive(mapping(content.get("interactive")))
    else:
        yield Problem("body", "direct_type")


def _words(path: str, value: Any, most: int) -> Iterator[Problem]:
    words = text(value) or ""
    if not words.strip():
        yield Problem(path, "text_missing")
    yield from too_long(path, words, most)


def _interactive(interactive: dict[str, Any]) -> Iterator[Problem]:
    yield from _words("body", mapping(interactive.get("body")).get("text"), LONGEST_BODY)
    if header := mapping(interactive.get("header")):
        if header.get("type") not in HEADERS:
            yield Problem("header", "header_format")
        elif header["type"] == "text":
            yield from _words("header.text", header.get("text"), LONGEST_HEADER)
    if "footer" in interactive:
        yield from _words("footer", mapping(interactive.get("footer")).get("text"), LONGEST_HEADER)
    action = mapping(interactive.get("action"))
    buttons = [mapping(one) for one in sequence(action.get("buttons"))]
    links = sum("url" in str(one.get("type")) for one in buttons)
    if (over := len(buttons) - (MOST_BUTTONS if links else MOST_REPLIES)) > 0:
        yield Problem("buttons", "buttons_many" if links else "buttons_of_kind", {"over": over, "most": MOST_REPLIES})
    if (over := links - MOST_LINKS) > 0:
        yield Problem("buttons", "direct_links", {"over": over})
    for index, button in enumerate(buttons[:MOST_BUTTONS]):
        inner = mapping(button.get(str(button.get("type"))))
        yield from _words(f"buttons.{index}.text", inner.get("title") or inner.get("display_text"), LONGEST_LABEL)
    if interactive["type"] != "button":
        yield from _words("buttons.0.text", mapping(action.get("parameters")).get("display_text"), LONGEST_LABEL)


def explained(error: MetaError) -> MetaError:
    """The error in words of Direct Send: Meta's code for “not enabled” is the one of any wrong detail."""
    if is_not_enabled(error):
        error.kind, error.title, error.fix = NOT_ENABLED.kind, NOT_ENABLED.title, NOT_ENABLED.fix
    return error


def is_not_enabled(error: MetaError) -> bool:
    """Whether the account does not have Direct Send: Meta says so only in words."""
    words = f"{error.details or ''}".replace("’", "'").lower()
    return error.code == 100 and "direct send" in words and ("enabled" in words or "eligible" in words)


def is_blocked(error: MetaError) -> bool:
    """Whether Meta took Direct Send away because of misuse."""
    return error.code == BLOCKED or error.subcode == BLOCKED
