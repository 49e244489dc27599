"""Phone numbers that trigger a certain failure."""

from simulator.errors import REPORTED_LATER, TITLES

# +1 555 9 and six digits: the error of that code, from the call or, where Meta accepts first, in a status.
CODE_PREFIX = "15559"
STALL = 30.0
CALLS = {
    "15558000001": ("refuse", "The connection closes before the request is read"),
    "15558000002": ("stall", "Nothing happens for 30 seconds, then the message is accepted"),
    "15558000003": ("accept-then-drop", "Accepted, and the connection closes without an answer"),
    "15558000004": ("accept-then-500", "Accepted, and the answer is a 500"),
    "15558000005": ("accept-then-502", "Accepted, and the answer is a 502 in HTML"),
    "15558000006": ("429", "Refused with status 429, code 80007 and Retry-After"),
    "15558000007": ("http500", "Refused with a 500 in HTML"),
    "15558000008": ("timeout", "Nothing happens for 30 seconds, then the connection closes; not accepted"),
}
STATUSES = {
    "15558000011": ("undelivered", "Stays at sent, like a phone that is lost"),
    "15558000012": ("straight-to-read", "Read at once: delivered is never reported"),
    "15558000013": ("backwards", "Delivered is reported before sent"),
    "15558000014": ("twice", "Every status is reported twice"),
    "15558000015": ("silent", "No status is ever reported"),
    "15558000016": ("fails-late", "Sent, then failed with 131026"),
    "15558000017": ("failed-then-delivered", "Failed with 131026, and delivered after all"),
}


def error_of(wa_id: str) -> int | None:
    """The code that the number triggers, or None."""
    digits = wa_id.removeprefix(CODE_PREFIX)
    if len(digits) != 6 or not digits.isdigit() or not wa_id.startswith(CODE_PREFIX):
        return None
    code = int(digits)
    return code if code in TITLES else None


def refusal_of(wa_id: str) -> int | None:
    """The code with which a send to the number is refused."""
    code = error_of(wa_id)
    return None if code in REPORTED_LATER else code


def failure_of(wa_id: str) -> int | None:
    """The code with which a message to the number fails later."""
    code = error_of(wa_id)
    return code if code in REPORTED_LATER else None


def status_habit(wa_id: str) -> str | None:
    """The unusual way in which statuses of the number come."""
    return STATUSES[wa_id][0] if wa_id in STATUSES else None


def errors() -> dict[str, str]:
    """Every magic number for an error code, with the code's title."""
    return {f"{CODE_PREFIX}{code:06}": title for code, (_, title) in sorted(TITLES.items()) if code < 10**6}
