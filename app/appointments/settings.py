"""What a business chose for its appointments: which notification says what, and how long before."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

from sqlalchemy import UniqueConstraint, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Mapped, mapped_column

from app.tenancy import TenantModel, current_tenant_id, db, of_tenant, uuid7

# A day and two hours before; without an answer a task four hours before.
REMINDERS, UNANSWERED, MINUTES = (24 * 60, 2 * 60), 4 * 60, 60
MOST_REMINDERS, LONGEST_BEFORE = 5, 30 * 24 * 60


@dataclass(frozen=True, slots=True)
class Reminder:
    """A message so long before an appointment; `notification` is the name of what is sent, or empty."""

    minutes: int
    notification: str

    @property
    def before(self) -> dt.timedelta:
        return dt.timedelta(minutes=self.minutes)


class AppointmentSettings(TenantModel):
    """There is a row once somebody has changed something.

    `booked`, `moved` and `cancelled` name the notifications that say so to the customer; empty: nothing is sent.
    `unanswered_minutes`: so long before, an appointment that was not answered becomes a task; 0: never.
    """

    __tablename__ = "appointment_settings"
    __table_args__ = (of_tenant(), UniqueConstraint("tenant_id"))

    booked: Mapped[str] = mapped_column(default="", server_default="")
    moved: Mapped[str] = mapped_column(default="", server_default="")
    cancelled: Mapped[str] = mapped_column(default="", server_default="")
    reminders: Mapped[list[dict[str, Any]]]
    unanswered_minutes: Mapped[int]
    # How long an appointment is unless somebody says otherwise.
    minutes: Mapped[int]

    @classmethod
    def current(cls) -> Self:
        usual = [{"minutes": minutes, "notification": ""} for minutes in REMINDERS]
        return db.session.scalar(select(cls)) or cls(
            booked="", moved="", cancelled="", reminders=usual, unanswered_minutes=UNANSWERED, minutes=MINUTES
        )

    @classmethod
    def change(cls, **chosen: Any) -> None:
        """Stores the settings; safe when two people do it at once."""
        row = upsert(cls).values(tenant_id=current_tenant_id(), id=uuid7(), **chosen)
        db.session.execute(row.on_conflict_do_update(index_elements=["tenant_id"], set_=chosen))

    @property
    def plan(self) -> list[Reminder]:
        """The reminders, the earliest first."""
        listed = [Reminder(int(one["minutes"]), str(one["notification"])) for one in self.reminders]
        return sorted(listed, key=lambda one: -one.minutes)

    def notification_for(self, purpose: str, minutes_before: int) -> str:
        """The name of what is sent; empty where nothing was chosen, or the reminder is no longer wanted."""
        if purpose == "reminder":
            return next((one.notification for one in self.plan if one.minutes == minutes_before), "")
        return str(getattr(self, purpose))

    @property
    def purposes(self) -> list[str]:
        """What customers get messages about."""
        return list(dict.fromkeys(purpose for purpose, _name in self.names))

    @property
    def names(self) -> Iterator[tuple[str, str]]:
        """What is sent for each purpose, of those that have something."""
        for purpose in ("booked", "moved", "cancelled"):
            if name := getattr(self, purpose):
                yield purpose, name
        for one in self.plan:
            if one.notification:
                yield "reminder", one.notification
