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
    N_("Meta refused this for a reason that Switchboard does not know yet."),
    N_("See the details from Meta. We don't retry this automatically."),
)
FILE_GONE = Explanation(
    Kind.FINAL,
    N_("WhatsApp no longer has this file."),
    N_("Ask the customer to send it again. WhatsApp keeps files for 7 days."),
)
FILE_TOO_LARGE = Explanation(
    Kind.FINAL,
    N_("This file is larger than WhatsApp allows."),
    N_("Ask the customer to send a smaller one, or a link to it."),
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


def explain(code: int | None, subcode: int | None = None, *, settled: bool = False) -> Explanation:
    """What a code comes down to. `settled` says it came in a `failed` status: then it is certain that
    nothing was delivered, and an outcome Meta leaves open in an answer is not open any more."""
    found = _listed(code, subcode) or UNLISTED
    return NOT_DELIVERED if settled and found.kind is Kind.UNKNOWN_OUTCOME else found


def _listed(code: int | None, subcode: int | None) -> Explanation | None:
    """The subcode decides where it has words of its own; template and migration codes come as either."""
    if code is None:
        return None
    if subcode is None:
        return CODES.get(code)
    own = SUBCODES.get((code, subcode)) or (CODES.get(subcode) if subcode > 1_000_000 else None)
    return own or CODES.get(code)


class MetaError(Exception):
    """A call to Meta did not do what was asked. Carries words for people, never a token."""

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
        known = [self.details, *(f"{name} {fact}" for name, fact in facts.items() if fact is not None)]
        return " | ".join([self.title, *filter(None, known)])

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
    """Meta refused, in its own words."""


class NoAnswer(MetaError):
    """Nobody can tell whether Meta did it: the answer was lost or cannot be understood."""

    def __init__(self, details: str, http_status: int | None = None) -> None:
        super().__init__(NO_ANSWER, details=details, http_status=http_status)


class FileGone(MetaError):
    """Meta has no such file, or has it no more."""

    def __init__(self, details: str) -> None:
        super().__init__(FILE_GONE, details=details)


class NotUploaded(MetaError):
    """The file may or may not be with Meta. Nobody sees it there, so it may be uploaded again."""

    def __init__(self, details: str | None, http_status: int | None = None) -> None:
        super().__init__(NOT_UPLOADED, details=details, http_status=http_status)


class NotConnected(MetaError):
    """Meta was not reached, so it certainly did nothing."""

    def __init__(self, details: str, explanation: Explanation = NOT_CONNECTED) -> None:
        super().__init__(explanation, details=details)


@dataclass(frozen=True, slots=True)
class ReportedError:
    """An error Meta reports in a webhook. `said` and `details` are Meta's words."""

    code: int | None
    summary: str | None
    details: str | None

    @classmethod
    def read(cls, raw: Any) -> "ReportedError":
        error = mapping(raw)
        code = error.get("code")
        return cls(
            code=code if isinstance(code, int) else None,
            summary=text(error.get("title"), 1_000) or text(error.get("message"), 1_000),
            details=text(mapping(error.get("error_data")).get("details"), 2_000),
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
