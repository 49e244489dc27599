"""Numbers for programs: list, get, and the health of each."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, Literal, Self

from pydantic import Field
from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from app.api import Page, PageQuery, Place, Shape, endpoint, scope
from app.api.declaring import Time
from app.api.pages import after, page_of
from app.inbox.api import reach
from app.inbox.conversations import Message
from app.numbers.free_replies import FreeReplies, free_replies_of
from app.tenancy import db
from app.wabas.api import NumberShape
from app.wabas.models import PhoneNumber
from app.words import N_

READ = scope("numbers:read", N_("Read numbers and their health"))
TAG = "Numbers"
MOST_COUNTED = 10_000
MOST_PROBLEMS = 50
State = Literal["connecting", "connected", "paused", "disconnected"]


class NumbersQuery(PageQuery):
    state: list[State] | None = Field(None, alias="filter[state]", max_length=4)


@endpoint("GET", "/numbers", scope=READ, query=NumbersQuery, gives=Page[NumberShape], tag=TAG)
def list_numbers(query: NumbersQuery) -> Page[NumberShape]:
    """List your numbers.

    The newest first.
    """
    rows = reach.numbers().options(joinedload(PhoneNumber.waba))
    rows = rows.where(PhoneNumber.state.in_(query.state)) if query.state else rows
    rows = after(rows, query.after, PhoneNumber.id).limit(query.limit + 1)
    return page_of(db.session.scalars(rows), query.limit, NumberShape.of, lambda number: Place(number.id))


@endpoint("GET", "/numbers/<uuid:phone_number_id>", scope=READ, gives=NumberShape, tag=TAG)
def get_number(phone_number_id: uuid.UUID) -> NumberShape:
    """Get a number."""
    return NumberShape.of(reach.within_reach(PhoneNumber.find(phone_number_id)))


class PauseShape(Shape):
    """Why nothing is sent, and what to do."""

    reason: str
    fix: str
    receives: bool = Field(description="Whether messages still arrive.")


class HealthProblem(Shape):
    """One thing in the way, in Meta's words. `entity_type` is PHONE_NUMBER, WABA, BUSINESS or APP."""

    entity_type: str | None
    entity_id: str | None
    code: int | None
    description: str | None
    solution: str | None


class FreeRepliesShape(Shape):
    """The replies that Meta does not charge for in one calendar month (UTC)."""

    month: dt.date
    total: int
    used: int
    charged: int = Field(description="Replies that Meta charged for this month.")

    @classmethod
    def of(cls, replies: FreeReplies) -> Self:
        return cls(month=replies.month, total=replies.total, used=replies.free, charged=replies.charged)


class HealthShape(Shape):
    """How a number is. What Meta says of it is from `checked_at`."""

    state: str
    pause: PauseShape | None
    can_send: str = Field(description="AVAILABLE, LIMITED or BLOCKED, as Meta says; empty where it has not said.")
    problems: list[HealthProblem]
    status: str
    quality_rating: str
    messaging_limit: str
    throughput: str
    name_status: str
    requested_name: str = Field(description="A display name that Meta is reviewing; empty where there is none.")
    other_server: str = Field(description="The server that gets its messages instead of us; empty where we get them.")
    queued: int = Field(description=f"Messages that wait to be sent now, counted up to {MOST_COUNTED}.")
    free_replies: FreeRepliesShape
    access_expires_at: Time | None = Field(description="When Facebook access expires; null where it doesn't.")
    register_by: Time | None = Field(description="Until when Meta accepts its registration.")
    connected_at: Time | None
    checked_at: Time | None

    @classmethod
    def of(cls, number: PhoneNumber) -> Self:
        is_paused = number.state == "paused"
        pause = PauseShape(reason=number.pause_reason, fix=number.pause_fix, receives=number.receives)
        return cls(
            state=number.state,
            pause=pause if is_paused else None,
            can_send=number.can_send,
            problems=problems_of(number),
            status=number.status,
            quality_rating=number.quality_rating,
            messaging_limit=number.messaging_limit,
            throughput=number.throughput,
            name_status=number.name_status,
            requested_name=number.requested_name,
            other_server=number.other_server,
            queued=queued_on(number),
            free_replies=FreeRepliesShape.of(free_replies_of([number.id])[number.id]),
            access_expires_at=number.waba.token_expires_at,
            register_by=number.register_by,
            connected_at=number.connected_at,
            checked_at=number.waba.checked_at,
        )


@endpoint("GET", "/numbers/<uuid:phone_number_id>/health", scope=READ, gives=HealthShape, tag=TAG)
def get_number_health(phone_number_id: uuid.UUID) -> HealthShape:
    """Get the health of a number."""
    return HealthShape.of(reach.within_reach(PhoneNumber.find(phone_number_id)))


def problems_of(number: PhoneNumber) -> list[HealthProblem]:
    stored: list[dict[str, Any]] = [problem for entity in number.health for problem in entity.get("problems") or ()]
    names = HealthProblem.model_fields
    return [HealthProblem(**{name: problem.get(name) for name in names}) for problem in stored[:MOST_PROBLEMS]]


def queued_on(number: PhoneNumber) -> int:
    waiting = Message.phone_number_id == number.id, Message.state == "queued"
    some = select(Message.id).where(*waiting).limit(MOST_COUNTED).subquery()
    return db.session.scalars(select(func.count()).select_from(some)).one()
