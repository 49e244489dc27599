"""Errors are data: what a code means, and the three ways in which a call to Meta fails."""

from dataclasses import asdict, dataclass
from typing import Any

from app.meta.codes.explanation import Explanation, Kind
from app.words import N_

from .codes import CODES, SUBCODES
from .payload import mapping, text

__all__ = [
    "Explanation",
    "GraphError",
    "Kind",
    "MetaError",
    "NoAnswer",
    "NotConnected",
    "NotUploaded",
    "ReportedError",
    "explain",
]

NO_ANSWER = Explanation(
    Kind.UNKNOWN_OUTCOME,
    N_("Meta didn't respond, so it's unknown whether this was done."),
    N_(
        "Wait a moment: if it arrived, its ticks appear automatically. If none appear, decide whether to send it again."
    ),
)
NOT_CONNECTED = Explanation(
    Kind.RETRY,
    N_("Meta couldn't be reached. Nothing was sent."),
    N_("No action needed. We'll retry automatically."),
)
UNUSABLE_TOKEN = Explanation(
    Kind.PAUSE_NUMBER,
    N_("The stored access to Meta is damaged, so nothing was sent."),
    N_("Ask an owner to reconnect this number with Facebook. Waiting messages are sent afterwards."),
)
TOO_MANY_REQUESTS = Explanation(
    Kind.THROTTLE,
    N_("We sent requests faster than Meta allows."),
    N_("No action needed. We slow down and continue automatically."),
)
UNLISTED_TRANSIENT = Explanation(
    Kind.RETRY,
    N_("Meta refused this for the moment and says that it is temporary."),
    N_("No action needed. We'll retry automatically."),
)
UNLISTED_FAILURE = Explanation(
    Kind.UNKNOWN_OUTCOME,
    N_("Meta had a problem that we don't know, and didn't confirm whether this was done."),
    N_("Wait for the message's ticks. If none appear, decide whether to send it again."),
)
UNLISTED = Explanation(
    Kind.HUMAN,
    N_("Meta refused this for a reason we don't know yet."),
    N_("See the details from Meta. We don't retry this automatically."),
)
FILE_GONE = Explanation(
    Kind.FINAL,
    N_("WhatsApp no longer has this file."),
    N_("Ask the customer to send it again. WhatsApp keeps files for 7 days."),
)
NO_ADDRESS = Explanation(
    Kind.FINAL,
    N_("This wasn't sent. The contact no longer has a phone number or WhatsApp ID."),
    N_("Write to another contact of this customer, if there is one."),
)
FILE_TOO_LARGE = Explanation(
    Kind.FINAL,
    N_("This file is larger than WhatsApp allows."),
    N_("Ask the customer to send a smaller file, or a link to it."),
)
NOT_UPLOADED = Explanation(
    Kind.RETRY,
    N_("The file didn't reach WhatsApp. Nothing was sent."),
    N_("No action needed. We'll retry automatically."),
)
FOREIGN_ADDRESS = Explanation(
    Kind.HUMAN,
    N_("The address given for this file is not one of WhatsApp's, so it was not opened."),
    N_("Try again. If it fails again, contact the Switchboard team."),
)
NOT_DELIVERED = Explanation(
    Kind.RETRY,
    N_("Meta had a problem of its own, and this message was not delivered."),
    N_("We'll send it again automatically. If that fails too, decide whether to send it yourself."),
)

# Refused for the moment, or perhaps done: who looks at Meta first may try again.
PASSING = frozenset({Kind.RETRY, Kind.RETRY_LATER, Kind.THROTTLE, Kind.PAIR, Kind.UNKNOWN_OUTCOME})


def explain(code: int | None, subcode: int | None = None, *, settled: bool = False) -> Explanation:
    """The explanation of a code; `settled`: it came in a `failed` status, so nothing was delivered.

    An outcome that a response of Meta's leaves open is certain in a status.
    """
    explanation = _listed(code, subcode) or UNLISTED
    return NOT_DELIVERED if settled and explanation.kind is Kind.UNKNOWN_OUTCOME else explanation


def _listed(code: int | None, subcode: int | None) -> Explanation | None:
    """The entry of a subcode if it has one, else of the code; template and migration codes come as either."""
    if code is None:
        return None
    if subcode is None:
        return CODES.get(code)
    own = SUBCODES.get((code, subcode)) or (CODES.get(subcode) if subcode > 1_000_000 else None)
    return own or CODES.get(code)


class MetaError(Exception):
    """A call to Meta failed. Contains text for people, never a token."""

    def __init__(
        self,
        explanation: Explanation,
        *,
        code: int | None = None,
        subcode: int | None = None,
        fbtrace_id: str | None = None,
        details: str | None = None,
        http_status: int | None = None,
        wait: int | None = None,
    ) -> None:
        super().__init__(explanation.title)
        self.kind = explanation.kind
        self.title = explanation.title
        self.fix = explanation.fix
        self.wait = wait or explanation.wait
        self.code = code
        self.subcode = subcode
        self.fbtrace_id = fbtrace_id
        self.details = details
        self.http_status = http_status

    def __str__(self) -> str:
        facts = {"code": self.code, "subcode": self.subcode, "fbtrace_id": self.fbtrace_id}
        parts = [self.details, *(f"{name} {fact}" for name, fact in facts.items() if fact is not None)]
        return " | ".join([self.title, *filter(None, parts)])

    def as_dict(self) -> dict[str, Any]:
        return {
            "kind": self.kind.value,
            "title": self.title,
            "fix": self.fix,
            "wait": self.wait,
            "code": self.code,
            "subcode": self.subcode,
            "fbtrace_id": self.fbtrace_id,
            "details": self.details,
            "http_status": self.http_status,
        }


class GraphError(MetaError):
    """Meta responded with an error."""


class NoAnswer(MetaError):
    """Whether Meta did it is unknown: the response was lost or can't be parsed."""

    def __init__(self, details: str, http_status: int | None = None) -> None:
        super().__init__(NO_ANSWER, details=details, http_status=http_status)


class FileGone(MetaError):
    """Meta doesn't have this file, or no longer has it."""

    def __init__(self, details: str) -> None:
        super().__init__(FILE_GONE, details=details)


class NoAddress(MetaError):
    """The customer was erased after it was queued, so it has no address. Meta was not called."""

    def __init__(self) -> None:
        super().__init__(NO_ADDRESS, details="no phone number and no user id")


class NotUploaded(MetaError):
    """An upload failed or its outcome is unknown; uploading the file again does no harm."""

    def __init__(self, details: str | None, http_status: int | None = None) -> None:
        super().__init__(NOT_UPLOADED, details=details, http_status=http_status)


class NotConnected(MetaError):
    """Meta could not be reached, so nothing was done."""

    def __init__(self, details: str, explanation: Explanation = NOT_CONNECTED) -> None:
        super().__init__(explanation, details=details)


@dataclass(frozen=True, slots=True)
class ReportedError:
    """An error that Meta reports in a webhook. `summary` and `details` are Meta's text."""

    code: int | None
    summary: str | None
    details: str | None

    @classmethod
    def read(cls, raw: Any) -> "ReportedError":
        error = mapping(raw)
        code = text(error.get("code"), 10) or ""
        return cls(
            code=int(code) if code.isascii() and code.isdecimal() else None,
            summary=text(error.get("title"), 1_000) or text(error.get("message"), 1_000),
            details=text(mapping(error.get("error_data")).get("details"), 2_000) or text(error.get("details"), 2_000),
        )

    @property
    def explanation(self) -> Explanation:
        return explain(self.code, settled=True)

    def as_dict(self) -> dict[str, Any]:
        return {
            **asdict(self.explanation),
            "code": self.code,
            "subcode": None,
            "fbtrace_id": None,
            "details": self.details or self.summary,
            "http_status": None,
        }
