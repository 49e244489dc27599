"""What Meta's words about forms are called."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from flask_babel import format_decimal
from flask_babel import gettext as _

from app.meta.flow_json import KINDS, asks_time
from app.meta.payload import mapping, sequence
from app.templating import percent as in_percent
from app.words import N_, pN_

from .models import GONE, LOCAL, FlowNotice, FlowVersion

# Each with the colour of its badge.
STATUSES = {
    LOCAL: (N_("Draft"), ""),
    "DRAFT": (N_("Draft at Meta"), "info"),
    "PUBLISHED": (pN_("of a form", "Published"), "success"),
    "DEPRECATED": (N_("Deprecated"), ""),
    "BLOCKED": (N_("Blocked by Meta"), "error"),
    "THROTTLED": (N_("Throttled by Meta"), "warning"),
    GONE: (pN_("of a form", "Deleted"), ""),
}
STATUS_ADVICE = {
    "BLOCKED": N_(
        "Customers can't open it and it can't be sent. Fix what Meta reports below, then publish a new version."
    ),
    "THROTTLED": N_("Meta limits it to ten an hour because of errors. Fix what Meta reports below."),
    "DEPRECATED": N_("It can't be sent any more, and customers can't open it."),
}
TASKS = {
    "upload": N_("Saving at Meta"),
    "publish": N_("Publishing"),
    "deprecate": N_("Deprecating"),
    "delete": N_("Deleting"),
}
_POINTER = re.compile(r"screens\[(\d{1,2})\](?:.*?children\[0\]\.children\[(\d{1,3})\])?")


def notice_words(notice: FlowNotice) -> str:
    """What Meta reported, in a sentence."""
    facts = notice.facts
    rate = percent(facts.get("error_rate"))
    words: Any
    match notice.event:
        case "FLOW_STATUS_CHANGE":
            words = _("The status is now “%(status)s”.", status=status_words(str(facts.get("new_status") or "")))
        case "CLIENT_ERROR_RATE":
            words = _("%(rate)s of the times it was opened on phones ended in an error.", rate=rate)
        case "ENDPOINT_ERROR_RATE":
            words = _("%(rate)s of the requests to the data endpoint failed.", rate=rate)
        case "ENDPOINT_LATENCY":
            slow = seconds(facts.get("p90_latency"))
            words = _("The data endpoint is slow: one in ten requests takes %(time)s or longer.", time=slow)
        case "ENDPOINT_AVAILABILITY":
            share = percent(facts.get("availability"))
            words = _("The data endpoint answered %(rate)s of Meta's checks.", rate=share)
        case "FLOW_VERSION_EXPIRY_WARNING":
            words = _("Meta will stop supporting the format of this form. Publish a new version.")
        case _other:
            words = str(facts.get("message") or notice.event)[:300]
    return str(words)


def errors_in(notice: FlowNotice) -> list[tuple[str, str]]:
    """The kinds of errors in a report, each with how often."""
    errors = map(mapping, sequence(notice.facts.get("errors"))[:20])
    return [(str(one.get("error_type") or "")[:80], str(one.get("error_count") or "")[:20]) for one in errors]


def is_over(notice: FlowNotice) -> bool:
    """Whether Meta reports that an alert has ended."""
    return notice.facts.get("alert_state") == "DEACTIVATED"


def status_words(status: str) -> str:
    words, _kind = STATUSES.get(status.upper(), (status, ""))
    return str(_(words)) if words else ""


def percent(value: Any) -> str:
    return in_percent(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else "?"


def seconds(value: Any) -> str:
    """Of Meta's milliseconds."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return "?"
    return f"{format_decimal(round(value / 1000, 1))} s"


def problems_by_path(version: FlowVersion) -> dict[str, list[str]]:
    """What is wrong with a form, by our rules and by Meta's, at the part that it is about."""
    by_path: dict[str, list[str]] = defaultdict(list)
    for problem in version.mistakes if version.screens else ():
        by_path[problem.path].append(problem.explain(_))
    for raw in version.problems:
        by_path[path_of(version, str(raw.get("pointer") or ""))].append(str(raw.get("message") or ""))
    return by_path


def path_of(version: FlowVersion, pointer: str) -> str:
    """Meta's pointer to a part of the Flow JSON, as a path of the editor; "" for the whole form."""
    if not version.screens or (match := _POINTER.search(pointer)) is None:
        return ""
    place, index = int(match[1]), match[2]
    if place >= len(version.screens):
        return ""
    parts = version.screens[place]["parts"]
    if index is None or int(index) > len(parts):
        return f"screens.{place}.title"
    if int(index) == len(parts):
        return f"screens.{place}.button"
    return f"screens.{place}.parts.{index}.label"


def kinds_for(screens: Iterable[Any]) -> list[Any]:
    """The kinds of fields to add: one appointment time is enough."""
    has_slot = asks_time(list(screens))
    return [kind for kind in KINDS.values() if kind.name != "slot" or not has_slot]
