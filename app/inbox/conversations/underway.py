"""What can still be done with a message of ours: hold it, schedule it, take it back, send it again."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import false
from sqlalchemy.orm import Mapped, mapped_column

from app.meta.errors import Kind
from app.tenancy import announce, now

PATIENCE = dt.timedelta(seconds=10)
# How long a template may wait for its turn before it would come out of nowhere.
TEMPLATE_PATIENCE = dt.timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Later:
    """When to send something, or none: as soon as the customer writes.

    `instead` (`type`, `body`, `content`) goes out if only templates may be sent by then.
    """

    at: dt.datetime | None
    instead: dict[str, Any] | None = None


class Underway:
    """A message of ours from the moment it is written down until Meta has taken it."""

    state: Mapped[str]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    next_attempt_at: Mapped[dt.datetime | None]
    expires_at: Mapped[dt.datetime | None]
    lease_until: Mapped[dt.datetime | None]
    fence: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[dict[str, Any] | None]
    lane: Mapped[str] = mapped_column(default="replies", server_default="replies")
    # Whether it does no harm to get it twice: a code to sign in, a notice the business marked so.
    may_repeat: Mapped[bool] = mapped_column(default=False, server_default=false())
    send_at: Mapped[dt.datetime | None]
    instead: Mapped[dict[str, Any] | None]
    occurred_at: Any
    conversation_id: Any
    is_from_phone: Any

    @property
    def can_be_retried(self) -> bool:
        """Whether a person may retry it: it failed for a temporary reason, or its delivery is unconfirmed."""
        may_pass = self.state == "unknown" or (self.state == "failed" and not self.failed_for_good)
        return may_pass and not self.is_from_phone

    @property
    def failed_for_good(self) -> bool:
        return bool(self.error and self.error.get("kind") == Kind.FINAL)

    @property
    def waits_long(self) -> bool:
        """Whether it has been queued for long: the number is paused, or Meta is unavailable."""
        return self.state == "queued" and self.created_at < now() - PATIENCE

    @property
    def can_be_undone(self) -> bool:
        """Whether it is held for a moment, for its author to think again."""
        is_fresh = self.state == "queued" and self.attempts == 0 and self.error is None
        return bool(is_fresh and self.next_attempt_at and self.next_attempt_at > now())

    @property
    def was_undone(self) -> bool:
        """Whether a person cancelled it before it was sent."""
        return self.state == "cancelled" and not self.error and not self.attempts and not self.is_from_phone

    def hold(self, undo: dt.timedelta) -> None:
        """Its author may take it back for so long."""
        if undo and self.state == "queued" and self.attempts == 0 and self.next_attempt_at is None:
            self.next_attempt_at = now() + undo

    def schedule(self, later: Later) -> None:
        """Schedules it. Its place in the thread is by the time it will be sent."""
        self.state, self.send_at, self.instead = "scheduled", later.at, later.instead
        self.occurred_at, self.expires_at = later.at or now(), None

    def fall_back(self) -> bool:
        """Becomes the template that was chosen for a closed window. Returns whether there is one."""
        if self.instead is None:
            return False
        self.type, self.body, self.content = self.instead["type"], self.instead["body"], self.instead["content"]
        self.state, self.instead, self.expires_at = "queued", None, now() + TEMPLATE_PATIENCE
        announce("conversation", self.conversation_id)
        return True
