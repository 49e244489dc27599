"""Changes of a conversation as lines in its thread: what was done, by whom, when."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.tenancy import Actor, TenantModel, User, belongs_to, now, one_of
from app.tenancy.actor import KINDS as ACTORS

KINDS = (
    "open",
    "pending",
    "snoozed",
    "resolved",
    "archived",
    "spam",
    "blocked",
    "woken",
    "answered",
    "assigned",
    "unassigned",
    "given",
    "team",
    "no_team",
    "unhappy",
    "taken",
    "handed_over",
    "released",
    "automation_paused",
    "automation_resumed",
    "automation_stopped",
    "subject",
    "no_subject",
    "appointment",
)


class Activity(TenantModel):
    """One line. `facts` hold the names as they were then; a line without an actor is what the customer did."""

    __tablename__ = "activities"
    __table_args__ = (
        belongs_to("conversations", "conversation_id"),
        one_of("kind", KINDS),
        one_of("actor_kind", ACTORS),
        Index("ix_activities_thread", "tenant_id", "conversation_id", text("occurred_at desc"), text("id desc")),
    )

    conversation_id: Mapped[uuid.UUID]
    kind: Mapped[str]
    # Who did it (`done_by`). An agent's name is read where agents are; null means before 0020, or the customer.
    actor_kind: Mapped[str | None]
    actor_id: Mapped[uuid.UUID | None]
    actor_name: Mapped[str | None]
    # What the words need beside the kind: a name, a time.
    facts: Mapped[dict[str, Any] | None] = mapped_column()
    occurred_at: Mapped[dt.datetime] = mapped_column(default=now)
    actor: Mapped[User | None] = relationship(
        viewonly=True, primaryjoin="foreign(Activity.actor_id) == User.id", lazy="joined"
    )
    entry = "activity"

    @property
    def done_by(self) -> Actor | None:
        return Actor.stored(self.actor_kind, self.actor_id, self.actor.name if self.actor else self.actor_name)

    @property
    def starts_at(self) -> dt.datetime | None:
        """When the appointment begins that it is about."""
        at = (self.facts or {}).get("at")
        return dt.datetime.fromisoformat(at) if at else None

    @property
    def until(self) -> dt.datetime | None:
        until = (self.facts or {}).get("until")
        return dt.datetime.fromisoformat(until) if until else None
