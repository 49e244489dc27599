"""The steps of an attempt as rows: the state of each, and its outcome."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.tenancy import TenantModel, belongs_to, now, one_of

from .plan import PLAN
from .trouble import Trouble

# While the last step can still be ticked.
HELLO_OPEN = ("pending", "waiting")
STEP_STATES = ("pending", "running", "waiting", "done", "skipped", "failed")


class OnboardingStep(TenantModel):
    """One step of an attempt. `outcome` is a note where it is over, else the `Trouble` that stopped it."""

    __table_args__ = (
        UniqueConstraint("tenant_id", "onboarding_id", "name"),
        belongs_to("onboardings", "onboarding_id", ondelete="CASCADE"),
        one_of("state", STEP_STATES),
        Index(
            "ix_onboarding_steps_hello",
            "onboarding_id",
            postgresql_where=text("name = 'hello_seen' and state in ('pending', 'waiting')"),
        ),
    )

    onboarding_id: Mapped[uuid.UUID]
    name: Mapped[str]
    position: Mapped[int]
    state: Mapped[str] = mapped_column(default="pending")
    attempts: Mapped[int] = mapped_column(default=0)
    outcome: Mapped[dict[str, Any] | None]
    retried_by: Mapped[str] = mapped_column(default="")
    started_at: Mapped[dt.datetime | None]
    finished_at: Mapped[dt.datetime | None]

    def begin(self) -> None:
        """Marks it as running, and counts the try."""
        self.state, self.started_at, self.finished_at = "running", now(), None
        self.attempts += 1

    def finish(self, note: str = "", state: str = "done") -> None:
        """Marks it as done or skipped, with a note for the page."""
        self.state, self.finished_at = state, now()
        self.outcome = {"note": note} if note else None

    def wait(self, trouble: Trouble) -> None:
        """Marks it as waiting for what the trouble asks of the tenant."""
        self.state, self.outcome = "waiting", trouble.as_dict()

    def fail(self, trouble: Trouble) -> None:
        """Marks it as failed: only a person gets it going again."""
        self.state, self.finished_at, self.outcome = "failed", now(), trouble.as_dict()

    @property
    def title(self) -> str:
        return PLAN[self.name]

    @property
    def is_over(self) -> bool:
        return self.state in ("done", "skipped")

    @property
    def trouble(self) -> dict[str, Any]:
        """What stopped it last; empty once it is over."""
        return {} if self.is_over else self.outcome or {}

    @property
    def note(self) -> str:
        return str((self.outcome or {}).get("note", ""))

    @property
    def locked_until(self) -> dt.datetime | None:
        """Until when Meta accepts no PIN, as far as it says."""
        moment = self.trouble.get("locked_until")
        return dt.datetime.fromisoformat(moment) if moment else None

    @property
    def may_be_retried(self) -> bool:
        """Whether a person may try it again: not where only a new attempt helps."""
        was_tried = self.state == "failed" or "tries" in self.trouble
        return was_tried and not self.trouble.get("start_again")
