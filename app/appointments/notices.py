"""What is planned to be sent about appointments: a row for each, for one version of the appointment.

A row is claimed, and its message queued, in one transaction. Whoever moves or cancels the appointment locks its rows
too, and withdraws in the same transaction what is planned or waits in the outbox. So one of the two comes first, and
what is sent about an appointment was true when it was handed to the sender.
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Iterable, Sequence
from typing import Any, Self

from sqlalchemy import ColumnElement, Index, Select, UniqueConstraint, delete, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.orm.attributes import set_committed_value

from app.inbox.conversations import Message
from app.tenancy import (
    TenantModel,
    among,
    announce,
    belongs_to,
    current_tenant_id,
    database_now,
    db,
    now,
    one_of,
    uuid7,
)
from app.words import N_

from .settings import AppointmentSettings

PURPOSES = ("booked", "moved", "cancelled", "reminder", "unanswered")
# `raised`: a task for the team. `skipped`: nothing was chosen to be sent.
NOTICE_STATES = ("planned", "queued", "raised", "cancelled", "expired", "refused", "skipped")
# What customers are notified of at once.
ANNOUNCED = ("booked", "moved", "cancelled")
# Of these, one that was not answered makes a task.
ASKING = ("booked", "moved", "reminder")
# A message about a move waits so long, so that there is one about an appointment moved twice in a minute.
SETTLES = dt.timedelta(seconds=60)
# What no one could send for so long is not sent any more.
PATIENCE = dt.timedelta(hours=12)
MOST_SHOWN = 100
ASKS_FOR_OTHER_TIME = N_("The customer has asked for another time.")


class AppointmentNotice(TenantModel):
    """One message (or, `unanswered`, one task for the team) about one version of an appointment.

    `message_id`: what was queued; no foreign key, so that the outbox waits for no lock here. `answer_id`: the message
    of the customer that answered it.
    """

    __table_args__ = (
        belongs_to("appointments", "appointment_id", ondelete="CASCADE"),
        UniqueConstraint(
            *("tenant_id", "appointment_id", "version", "purpose", "minutes_before"),
            name="uq_appointment_notices_plan",
        ),
        one_of("purpose", PURPOSES),
        one_of("state", NOTICE_STATES),
        Index("ix_appointment_notices_due", "due_at", postgresql_where=text("state = 'planned'")),
        Index(
            "ix_appointment_notices_planned", "tenant_id", "due_at", "id", postgresql_where=text("state = 'planned'")
        ),
        Index(
            "ix_appointment_notices_message",
            "tenant_id",
            "message_id",
            postgresql_where=text("message_id is not null"),
        ),
    )

    appointment_id: Mapped[uuid.UUID]
    version: Mapped[int]
    purpose: Mapped[str]
    # How long before the appointment, of a reminder and of the task; 0 of the others.
    minutes_before: Mapped[int]
    due_at: Mapped[dt.datetime]
    # From then on it is not sent, wherever it waits.
    expires_at: Mapped[dt.datetime]
    state: Mapped[str] = mapped_column(default="planned", server_default="planned")
    message_id: Mapped[uuid.UUID | None]
    # Why it was not sent: the refusal's kind, or words with their facts.
    error: Mapped[dict[str, Any] | None]
    answer_id: Mapped[uuid.UUID | None]

    @classmethod
    def plan(cls, appointment: Any, purpose: str = "") -> None:
        """Plans what follows for the appointment's version: `purpose` at once, and while it is open its reminders."""
        moment = now()
        rows = [cls.row(appointment, purpose, 0, moment, moment + PATIENCE)] if purpose else []
        if purpose == "moved":
            rows[0]["due_at"] = moment + SETTLES
        if purpose in ("booked", "moved"):
            rows[0]["expires_at"] = min(rows[0]["expires_at"], appointment.starts_at)
        if appointment.is_open:
            rows += cls.reminders_of(appointment, AppointmentSettings.current(), moment)
        if rows:
            db.session.execute(insert(cls).values(rows).on_conflict_do_nothing())

    @classmethod
    def reminders_of(cls, appointment: Any, chosen: AppointmentSettings, moment: dt.datetime) -> list[dict[str, Any]]:
        """Each reminder is over when the next one is due, and the last one when the appointment begins."""
        plan, rows = chosen.plan, []
        for place, one in enumerate(plan):
            due = appointment.starts_at - one.before
            ends = appointment.starts_at - plan[place + 1].before if place + 1 < len(plan) else appointment.starts_at
            if due > moment:
                rows.append(cls.row(appointment, "reminder", one.minutes, due, ends))
        if chosen.unanswered_minutes:
            due = appointment.starts_at - dt.timedelta(minutes=chosen.unanswered_minutes)
            if due > moment:
                rows.append(cls.row(appointment, "unanswered", chosen.unanswered_minutes, due, appointment.starts_at))
        return rows

    @staticmethod
    def row(appointment: Any, purpose: str, minutes: int, due: dt.datetime, expires: dt.datetime) -> dict[str, Any]:
        row = {"tenant_id": current_tenant_id(), "id": uuid7(), "appointment_id": appointment.id}
        row |= {"version": appointment.version, "purpose": purpose, "minutes_before": minutes}
        return row | {"due_at": due, "expires_at": expires, "state": "planned"}

    @classmethod
    def plan_again(cls, appointment: Any) -> None:
        """After a change of the settings: what is planned by them is planned anew. What was sent is not sent again."""
        mine = cls.appointment_id == appointment.id, cls.state == "planned"
        db.session.execute(delete(cls).where(*mine, cls.purpose.in_(("reminder", "unanswered"))))
        if rows := cls.reminders_of(appointment, AppointmentSettings.current(), now()):
            db.session.execute(insert(cls).values(rows).on_conflict_do_nothing())

    @classmethod
    def withdraw(cls, appointment_ids: Iterable[uuid.UUID]) -> None:
        """Withdraws what is planned for these appointments, and what waits in the outbox.

        Locks the rows first: a claim that has begun ends before, and its message is withdrawn too.
        """
        rows = cls.locked(cls.appointment_id.in_(list(appointment_ids)))
        gone = withdraw_messages([row.message_id for row in rows if row.message_id])
        for row in rows:
            if row.state == "planned" or row.message_id in gone:
                row.state = "cancelled"
        db.session.flush()

    @classmethod
    def withdraw_reminders(cls, appointment_id: uuid.UUID) -> None:
        """Withdraws those that wait in the outbox: the customer asks for another time. The planned ones stay, for an
        appointment that is confirmed after all; as long as it isn't they are not sent."""
        rows = cls.locked(cls.appointment_id == appointment_id, cls.purpose == "reminder")
        cancelled = withdraw_messages([row.message_id for row in rows if row.message_id])
        for row in rows:
            if row.message_id in cancelled:
                row.refuse_reminder()
        db.session.flush()

    @classmethod
    def locked(cls, *mine: ColumnElement[bool]) -> list[Self]:
        """Of these, what is planned or queued, once claims that have begun have ended."""
        query = select(cls).where(*mine, cls.state.in_(("planned", "queued"))).order_by(cls.id).with_for_update()
        return list(db.session.scalars(query.execution_options(populate_existing=True)))

    def refuse_reminder(self) -> None:
        self.state, self.error = "refused", {"words": ASKS_FOR_OTHER_TIME, "facts": {}}

    @classmethod
    def due(cls, at: dt.datetime, most: int) -> list[Self]:
        """Claims what is due, until the transaction ends. Others that claim at once get other rows."""
        ids = list(db.session.scalars(CLAIM, {"tenant": current_tenant_id(), "now": at, "most": most}))
        query = select(cls).where(among(cls.id, ids)).execution_options(populate_existing=True)
        return list(db.session.scalars(query)) if ids else []

    @classmethod
    def ahead_of(cls, notices: Sequence[Self]) -> list[Self]:
        """Claims what could not be sent before and is older than a reminder of these: a move is announced first."""
        theirs = {one.appointment_id for one in notices if one.purpose == "reminder"}
        waits = cls.state == "planned", cls.error.is_not(None), ~among(cls.id, [one.id for one in notices])
        query = select(cls).where(among(cls.appointment_id, theirs), *waits).order_by(cls.id)
        return list(db.session.scalars(query.with_for_update(skip_locked=True))) if theirs else []

    @classmethod
    def note_queued(cls, queued: Sequence[tuple[Self, Message]]) -> None:
        """Their messages are in the outbox: with one statement, however many there are."""
        rows = [{"id": str(notice.id), "message": str(message.id)} for notice, message in queued]
        if rows:
            db.session.execute(QUEUED, {"tenant": current_tenant_id(), "rows": json.dumps(rows)})
        for notice, message in queued:
            for name, value in (("state", "queued"), ("message_id", message.id), ("error", None)):
                set_committed_value(notice, name, value)

    @classmethod
    def release(cls, kind: str) -> None:
        """Makes due what was refused for this reason."""
        waits = cls.state == "planned", cls.error["kind"].astext == kind
        db.session.execute(update(cls).where(*waits).values(due_at=now()))

    @classmethod
    def of(cls, appointment_id: uuid.UUID) -> Select[Self]:
        mine = select(cls).where(cls.appointment_id == appointment_id)
        return mine.order_by(cls.due_at.desc(), cls.id.desc()).limit(MOST_SHOWN)

    @classmethod
    def of_message(cls, message_id: uuid.UUID | None) -> Self | None:
        """The one with which a message was sent."""
        return db.session.scalar(select(cls).where(cls.message_id == message_id)) if message_id else None

    @classmethod
    def answered_by(cls, message_id: uuid.UUID, appointment_id: uuid.UUID, version: int) -> None:
        """All that was sent about this version is answered."""
        mine = cls.appointment_id == appointment_id, cls.version == version, cls.message_id.is_not(None)
        for row in db.session.scalars(select(cls).where(*mine, cls.answer_id.is_(None)).order_by(cls.id)):
            row.answer_id = message_id


def withdraw_messages(message_ids: Sequence[uuid.UUID]) -> set[uuid.UUID]:
    """Cancels what waits in the outbox. What is with the sender, or has failed, is not sent once more."""
    if not message_ids:
        return set()
    values = {"tenant": current_tenant_id(), "ids": [str(id) for id in message_ids], "now": database_now()}
    rows = db.session.execute(WITHDRAW, values).all()
    cancelled = {row.id for row in rows if row.state == "cancelled"}
    if cancelled:
        db.session.execute(SHOW_CANCELLED, values | {"ids": [str(id) for id in cancelled]})
    for row in rows:
        announce("conversation", row.conversation_id)
    for message in db.session.scalars(select(Message).where(Message.id.in_([row.id for row in rows]))):
        db.session.expire(message)
    return cancelled


# Which of a tenant's planned notices are due now? `skip locked`: several workers may claim at once, and an appointment
# that is being moved has its rows locked. Index: ix_appointment_notices_planned.
CLAIM = text("""
    select id from appointment_notices
    where tenant_id = :tenant and state = 'planned' and due_at <= :now
    order by due_at, id limit :most for update skip locked
""")
QUEUED = text("""
    update appointment_notices n set state = 'queued', message_id = r.message, error = null
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, message uuid)
    where n.tenant_id = :tenant and n.id = r.id
""")
# One statement, so that no message changes its state between two: it is cancelled, or it is with the sender and
# expires, which keeps it from being queued again.
WITHDRAW = text("""
    update messages set expires_at = :now,
        state = case when state in ('queued', 'scheduled') then 'cancelled' else state end
    where tenant_id = :tenant and id = any(cast(:ids as uuid[]))
      and state in ('queued', 'scheduled', 'dispatching', 'unknown', 'failed', 'expired')
    returning id, conversation_id, state
""")
SHOW_CANCELLED = text("""
    update conversations set last_message_state = 'cancelled'
    where tenant_id = :tenant and last_message_id = any(cast(:ids as uuid[]))
""")
