"""Processes held changes, or one webhook, again. Processing is idempotent, so nothing is added twice."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import asdict, dataclass
from typing import Any, Self

from sqlalchemy import ColumnElement, Index, Select, false, func, select, text, update
from sqlalchemy.orm import Mapped, mapped_column

from app.tenancy import GlobalModel, db, now, one_of, uuid7

from .models import HeldChange, WebhookEvent

BATCH = 500
UNSYNCHRONISED = {"synchronize_session": False}


@dataclass(frozen=True)
class Criteria:
    """Which held changes: those with these ids, or all that match. Empty criteria match everything."""

    kind: str = ""
    reason: str = ""
    detail: str = ""
    number: str = ""
    ids: tuple[int, ...] | None = None

    @property
    def conditions(self) -> list[ColumnElement[bool]]:
        conditions: list[ColumnElement[bool]] = [HeldChange.released_at.is_(None), HeldChange.discarded_at.is_(None)]
        if self.ids is not None:
            conditions.append(HeldChange.id.in_(self.ids))
        if self.kind:
            conditions.append(HeldChange.kind == self.kind)
        if self.reason:
            conditions.append(HeldChange.reason == self.reason)
        if self.detail:
            conditions.append(HeldChange.detail == self.detail)
        if self.number:
            conditions.append(
                (HeldChange.phone_number_meta_id == self.number) | (HeldChange.waba_meta_id == self.number)
            )
        return conditions


@dataclass(frozen=True)
class Outcome:
    """How many changes of a replay are in which state; `gone` are those whose webhook has been deleted."""

    waiting: int
    understood: int
    held: int
    gone: int

    @property
    def all(self) -> int:
        return self.waiting + self.understood + self.held + self.gone


class Replay(GlobalModel):
    """One replay that an admin started: of held changes, or of one webhook."""

    __tablename__ = "replays"
    __table_args__ = (
        one_of("state", ("collecting", "draining", "done")),
        Index("ix_replays_unfinished", "id", postgresql_where=text("state <> 'done'")),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    requested_by: Mapped[str]
    criteria: Mapped[dict[str, Any]]
    # Changes after this id are not part of it.
    up_to: Mapped[int]
    webhook_event_id: Mapped[int | None]
    state: Mapped[str] = mapped_column(default="collecting")
    outcome: Mapped[dict[str, Any] | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    finished_at: Mapped[dt.datetime | None]

    @classmethod
    def of_changes(cls, criteria: Criteria, *, by: str) -> Self:
        return cls.begin(by=by, criteria=asdict(criteria))

    @classmethod
    def of_post(cls, event: WebhookEvent, *, by: str) -> Self:
        return cls.begin(by=by, criteria={}, webhook_event_id=event.id)

    @classmethod
    def begin(cls, *, by: str, criteria: dict[str, Any], webhook_event_id: int | None = None) -> Self:
        newest = db.session.scalar(select(func.max(HeldChange.id))) or 0
        replay = cls(requested_by=by, criteria=criteria, webhook_event_id=webhook_event_id, up_to=newest)
        db.session.add(replay)
        db.session.flush()
        return replay

    @classmethod
    def unfinished(cls) -> Select[Replay]:
        return select(cls).where(cls.state != "done").order_by(cls.id)

    @classmethod
    def newest_first(cls) -> Select[Replay]:
        return select(cls).order_by(cls.id.desc())

    @property
    def mine(self) -> ColumnElement[bool]:
        if self.webhook_event_id:
            still_held = HeldChange.released_at.is_(None) & HeldChange.discarded_at.is_(None)
            return still_held & (HeldChange.webhook_event_id == self.webhook_event_id)
        criteria = self.criteria | {"ids": tuple(self.criteria["ids"]) if self.criteria["ids"] is not None else None}
        matching: ColumnElement[bool] = HeldChange.id <= self.up_to
        for condition in Criteria(**criteria).conditions:
            matching &= condition
        return matching

    def collect(self) -> bool:
        """Queues the webhooks of the next held changes. Returns whether there may be more."""
        fresh = HeldChange.replay_id.is_distinct_from(self.id)
        chosen = select(HeldChange.id).where(self.mine, fresh).order_by(HeldChange.id).limit(BATCH).with_for_update()
        ids = db.session.scalars(chosen).all()
        if ids:
            taken = update(HeldChange).where(HeldChange.id.in_(ids)).values(replay_id=self.id)
            db.session.execute(taken, execution_options=UNSYNCHRONISED)
        self.requeue(list(ids))
        if len(ids) < BATCH:
            self.state = "draining"
        return self.state == "collecting"

    def requeue(self, held_ids: list[int]) -> None:
        of_held = select(HeldChange.webhook_event_id).where(HeldChange.id.in_(held_ids)) if held_ids else None
        chosen: ColumnElement[bool] = WebhookEvent.id.in_(of_held) if of_held is not None else false()
        if self.webhook_event_id:
            chosen |= WebhookEvent.id == self.webhook_event_id
        again = update(WebhookEvent).where(chosen).values(drained_at=None)
        db.session.execute(again, execution_options=UNSYNCHRONISED)

    def count(self) -> Outcome:
        if self.outcome:
            return Outcome(**self.outcome)
        counted = db.session.execute(COUNT, {"id": self.id}).one()
        return Outcome(counted.waiting, counted.understood, counted.held, counted.gone)

    @property
    def is_over(self) -> bool:
        """Whether all its webhooks have been processed."""
        if self.state != "draining":
            return self.state == "done"
        post = self.webhook_event_id and db.session.get(WebhookEvent, self.webhook_event_id, populate_existing=True)
        return not (post and post.drained_at is None) and self.count().waiting == 0

    def settle(self) -> None:
        """Saves the outcome once everything has been processed."""
        if self.state == "draining" and self.is_over:
            self.outcome, self.state, self.finished_at = asdict(self.count()), "done", now()


# How many changes of a replay are still queued, processed, held again, or without their webhook; by
# ix_held_changes_replay.
COUNT = text("""
    select count(*) filter (where e.drained_at is null and e.id is not null) as waiting,
        count(*) filter (where e.drained_at is not null and h.released_at is not null) as understood,
        count(*) filter (where e.drained_at is not null and h.released_at is null) as held,
        count(*) filter (where e.id is null) as gone
    from held_changes h left join webhook_events e on e.id = h.webhook_event_id
    where h.replay_id = :id
""")
