"""What a new business sees in its first hour."""

from __future__ import annotations

import datetime as dt
from typing import Any, Self

from sqlalchemy import UniqueConstraint, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from app.tenancy import TenantModel, current_tenant_id, db, now, of_tenant, uuid7

from .samples import SAMPLES, Sample

LONGEST_ANSWER = 1_000


class SampleEnded(Exception):
    """The sample has no more replies, or the samples were deleted."""


class Welcome(TenantModel):
    """One per tenant; a new business has none until something changes."""

    __table_args__ = (of_tenant(), UniqueConstraint("tenant_id"))

    dismissed_at: Mapped[dt.datetime | None]
    # By the name of a sample: what the team replied, each with its moment.
    samples: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))
    samples_removed_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)

    @classmethod
    def current(cls) -> Self:
        """The tenant's, or an unsaved one."""
        return db.session.scalar(select(cls)) or cls(samples={})

    @classmethod
    def locked(cls) -> Self:
        """The tenant's, saved and locked, so that two replies at once are both saved."""
        made = insert(cls).values(tenant_id=current_tenant_id(), id=uuid7(), samples={}, created_at=now())
        db.session.execute(made.on_conflict_do_nothing(index_elements=["tenant_id"]))
        return db.session.scalars(select(cls).with_for_update(key_share=True)).one()

    @property
    def open_samples(self) -> list[Sample]:
        return [] if self.samples_removed_at else list(SAMPLES.values())

    def answers(self, sample: Sample) -> list[dict[str, Any]]:
        return list(self.samples.get(sample.name, ()))

    def answer(self, sample: Sample, words: str, *, by: str) -> None:
        """Saves a reply to a sample; the customer's own follows from the sample. Raises `SampleEnded`."""
        answers = self.answers(sample)
        if self.samples_removed_at or sample.has_ended(answers):
            raise SampleEnded
        self.samples = self.samples | {sample.name: [*answers, {"text": words, "at": now().isoformat(), "by": by}]}

    def remove_samples(self) -> None:
        """Deletes the samples with everything written to them."""
        self.samples, self.samples_removed_at = {}, now()

    def dismiss(self) -> None:
        self.dismissed_at = now()
