"""One attempt at connecting a number, step by step."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.tenancy import TenantModel, belongs_to, now, of_tenant, one_of

STATES = ("started", "running", "waiting", "failed", "cancelled", "connected")
STEP_STATES = ("pending", "running", "done", "failed", "skipped")


class Onboarding(TenantModel):
    __table_args__ = (
        of_tenant(),
        one_of("state", STATES),
        belongs_to("wabas", "waba_id"),
        belongs_to("phone_numbers", "phone_number_id"),
    )

    state: Mapped[str] = mapped_column(default="started")
    started_by_id: Mapped[uuid.UUID]
    claims: Mapped[dict[str, Any]] = mapped_column(default=dict)
    token_ciphertext: Mapped[bytes | None]
    token_expires_at: Mapped[dt.datetime | None]
    waba_id: Mapped[uuid.UUID | None]
    phone_number_id: Mapped[uuid.UUID | None]
    stopped_at_step: Mapped[str] = mapped_column(default="")
    lease_until: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    finished_at: Mapped[dt.datetime | None]
    steps: Mapped[list[OnboardingStep]] = relationship(viewonly=True, order_by="OnboardingStep.position")


class OnboardingStep(TenantModel):
    __table_args__ = (
        UniqueConstraint("tenant_id", "onboarding_id", "name"),
        belongs_to("onboardings", "onboarding_id", ondelete="CASCADE"),
        one_of("state", STEP_STATES),
    )

    onboarding_id: Mapped[uuid.UUID]
    name: Mapped[str]
    position: Mapped[int]
    state: Mapped[str] = mapped_column(default="pending")
    attempts: Mapped[int] = mapped_column(default=0)
    outcome: Mapped[dict[str, Any] | None]
    started_at: Mapped[dt.datetime | None]
    finished_at: Mapped[dt.datetime | None]
