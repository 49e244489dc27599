"""Stories for programs: why a message was or was not sent, and failed messages retried together."""

from __future__ import annotations

import uuid
from typing import Annotated, Any, Literal, Self

from flask_babel import gettext as _
from pydantic import Field
from sqlalchemy import select

from app.api import Fault, Problem, Shape, endpoint
from app.api.declaring import GivenTime, Time
from app.billing.usage import Usage
from app.inbox.api import reach
from app.inbox.api.messages import READ, WRITE
from app.inbox.conversations import Message, MessageEvent, SendAttempt
from app.tenancy import db
from app.wabas.models import PhoneNumber

from .failures import Failures, moment_of, retry_all
from .story import OUTCOMES, STATUSES, Moment, Story

TAG = "Messages"
# Each is checked and queued anew, so a request takes no more of them.
MOST_RETRIED = 100


class VerdictShape(Shape):
    """In the language of Accept-Language; `code` is always the same: `received`, or the state of the message.

    `mood` is good, neutral, doubtful or bad.
    """

    code: str
    mood: str
    title: str
    why: str
    fix: str

    @classmethod
    def of(cls, story: Story) -> Self:
        verdict, message = story.verdict, story.message
        code = message.state if message.is_outbound else "received"
        words = (_(words) if words else "" for words in (verdict.title, verdict.why, verdict.fix))
        return cls(code=code, mood=verdict.mood, **dict(zip(("title", "why", "fix"), words, strict=True)))


class CauseShape(Shape):
    """What went wrong; `code` is Meta's."""

    kind: str
    code: int | None
    title: str
    fix: str
    details: str
    fbtrace_id: str | None

    @classmethod
    def of(cls, error: dict[str, Any] | None) -> Self | None:
        if not error:
            return None
        code = error.get("code")
        title, fix, details = (str(error.get(name) or "") for name in ("title", "fix", "details"))
        return cls(
            kind=str(error.get("refusal") or error.get("kind") or "final"),
            code=code if isinstance(code, int) else None,
            title=_(title) if title else "",
            fix=_(fix) if fix else "",
            details=details,
            fbtrace_id=error.get("fbtrace_id") or None,
        )


class AttemptShape(Shape):
    """One try at handing it to Meta. `outcome` is null where Meta's answer was lost, or is still to come."""

    id: uuid.UUID
    started_at: Time
    finished_at: Time | None
    outcome: str | None
    title: str
    error: CauseShape | None

    @classmethod
    def of(cls, attempt: SendAttempt, moment: Moment) -> Self:
        return cls(
            id=attempt.id,
            started_at=attempt.started_at,
            finished_at=attempt.finished_at,
            outcome=attempt.outcome if attempt.outcome in OUTCOMES else None,
            title=_(moment.title),
            error=CauseShape.of(attempt.error),
        )


class StatusShape(Shape):
    """A status that Meta reported: `at` by Meta's clock, `received_at` by ours."""

    status: str
    title: str
    at: Time
    received_at: Time
    is_late: bool = Field(description="Whether it came more than five minutes after.")
    category: str | None = Field(description="What Meta bills it as, where Meta says so.")
    error: CauseShape | None

    @classmethod
    def of(cls, status: MessageEvent, moment: Moment) -> Self:
        category = (status.pricing or {}).get("category")
        return cls(
            status=status.status if status.status in STATUSES else "unknown",
            title=_(moment.title),
            at=status.occurred_at,
            received_at=status.received_at,
            is_late=moment.is_late,
            category=str(category) if category else None,
            error=CauseShape.of(moment.error),
        )


class ChargeShape(Shape):
    """What Meta charges for it, by Meta's list when it arrived. `micros` is null where the price is not known."""

    micros: int | None
    currency: str
    category: str
    market: str | None

    @classmethod
    def of(cls, message: Message) -> Self | None:
        mine = Usage.phone_number_id == message.phone_number_id, Usage.wamid == message.wamid
        usage = db.session.scalar(select(Usage).where(*mine)) if message.wamid else None
        if usage is None:
            return None
        return cls(micros=usage.micros, currency=usage.currency, category=usage.category, market=usage.market)


class StoryShape(Shape):
    message_id: uuid.UUID
    verdict: VerdictShape
    error: CauseShape | None
    attempts: list[AttemptShape]
    statuses: list[StatusShape]
    charge: ChargeShape | None = Field(description="Null where it is not charged, or has not arrived yet.")

    @classmethod
    def of(cls, story: Story) -> Self:
        return cls(
            message_id=story.message.id,
            verdict=VerdictShape.of(story),
            error=CauseShape.of(story.message.error),
            attempts=[AttemptShape.of(one, story.attempt_moment(one)) for one in story.attempts],
            statuses=[StatusShape.of(one, story.status_moment(one)) for one in story.statuses],
            charge=ChargeShape.of(story.message),
        )


@endpoint("GET", "/messages/<uuid:message_id>/story", scope=READ, gives=StoryShape, tag=TAG)
def get_message_story(message_id: uuid.UUID) -> StoryShape:
    """Get the story of a message.

    Whether it arrived, why not, what to do, each try at sending it, and each status by Meta's clock and by ours.
    """
    return StoryShape.of(Story(reach.find_message(message_id)))


class RetryRequest(Shape):
    """Which of the messages that were not sent to retry; those of the last 7 days, unless `since` says otherwise."""

    phone_number_id: uuid.UUID | None = None
    code: Annotated[int, Field(ge=0, le=10_000_000)] | None = Field(None, description="Meta's code of the error.")
    state: Literal["failed", "unknown"] | None = None
    since: GivenTime | None = Field(None, description="Only messages stored from then on.")
    may_repeat: bool = Field(
        False, description="Also those of unconfirmed delivery, which may reach the customer twice."
    )


class RetryResult(Shape):
    """How many were looked at, and how many of those are retried."""

    matched: int
    retried: int
    has_more: bool
    next_since: Time | None = Field(description="`since` of the next request, where there are more.")


@endpoint("POST", "/failures/retry", scope=WRITE, body=RetryRequest, gives=RetryResult, status=202, tag=TAG)
def retry_failures(body: RetryRequest) -> RetryResult:
    """Retry messages that were not sent.

    Looks at the oldest 100 that match, and retries those that failed for a reason that may pass. Messages that expired
    are not sent any more.
    """
    number = body.phone_number_id
    if number and not db.session.scalar(reach.numbers().where(PhoneNumber.id == number)):
        fault = Fault("not_found", "You have no number with this id.", pointer="/phone_number_id")
        raise Problem("invalid_request", errors=[fault])
    code = "" if body.code is None else str(body.code)
    failures = Failures(state=body.state or "", number_id=number, code=code, since=body.since)
    ids = failures.to_retry(reach.reached(Message.phone_number_id), most=MOST_RETRIED + 1)
    chosen, rest = ids[:MOST_RETRIED], ids[MOST_RETRIED:]
    retried = retry_all(chosen, also_unknown=body.may_repeat)
    next_since = moment_of(rest[0]) if rest else None
    return RetryResult(matched=len(chosen), retried=retried, has_more=bool(rest), next_since=next_since)
