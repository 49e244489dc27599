"""Endings of a template's name that decide its review and what happens afterwards."""

from simulator.template_events import REASONS

REJECTED = "_rejected"
ENDINGS = {
    "_approved": "Approved in the answer, without a review",
    "_slow": "Never reviewed: it stays PENDING until somebody decides on the panel",
    REJECTED: "Rejected with INVALID_FORMAT; _rejected_promotional, _rejected_scam and so on give another reason",
    "_marketing": "Reviewed as MARKETING, whatever was asked for",
    "_recategorised": "Approved; a day later it becomes MARKETING, which is announced at once",
    "_flagged": "Approved, then flagged: Meta warns that it will be disabled",
    "_paused": "Approved, then YELLOW, RED and paused for 3 hours",
    "_disabled": "Approved, then disabled",
    "_limit": "LIMIT_EXCEEDED instead of a verdict",
    "_paced": "The second and later messages are held for an hour and then sent",
    "_paced_badly": "The second and later messages are held for an hour and then fail with 132015; it is paused",
    "_policy": "Every message is refused with 132007",
    "_misused": "Every message is refused with 131064",
}
_BY_REASON = {f"{REJECTED}_{reason.lower()}": reason for reason in REASONS if reason != "NONE"}


def ending_of(name: str) -> str:
    """The longest ending that the name has, or an empty text."""
    matching = [ending for ending in ENDINGS if name.endswith(ending)]
    return max(matching, key=len, default="")


def reason_of(name: str) -> str | None:
    """Why a template of this name is rejected, or None."""
    if name.endswith(REJECTED):
        return "INVALID_FORMAT"
    return next((reason for ending, reason in _BY_REASON.items() if name.endswith(ending)), None)
