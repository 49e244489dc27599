"""Consents: every yes and no with its source and evidence. The history is never rewritten."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Self

from sqlalchemy import Index, Select, select, text
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.tenancy import Actor, TenantModel, User, among, belongs_to, db, happened, now, one_of
from app.tenancy.actor import KINDS as ACTORS

PURPOSES = ("marketing", "utility")
SOURCES = ("message", "phone", "form", "paper", "import", "whatsapp", "other")
# What people choose from; the others are written by Switchboard.
CHOSEN_SOURCES = tuple(source for source in SOURCES if source not in ("import", "whatsapp"))


class Consent(TenantModel):
    """One yes or no. The last of a purpose holds; the app's role may add to the history, not change it."""

    __table_args__ = (
        belongs_to("contacts", "contact_id", ondelete="CASCADE"),
        one_of("purpose", PURPOSES),
        one_of("source", SOURCES),
        one_of("by_kind", ACTORS),
        Index("ix_consents_contact", "tenant_id", "contact_id", text("occurred_at desc"), text("id desc")),
    )

    contact_id: Mapped[uuid.UUID]
    purpose: Mapped[str]
    is_granted: Mapped[bool]
    source: Mapped[str]
    evidence: Mapped[str] = mapped_column(default="")
    # Null means an agent where there is an id, else WhatsApp or an import said so.
    by_kind: Mapped[str | None]
    by_id: Mapped[uuid.UUID | None]
    by_name: Mapped[str | None]
    occurred_at: Mapped[dt.datetime] = mapped_column(default=now)
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    user: Mapped[User | None] = relationship(
        viewonly=True, primaryjoin="foreign(Consent.by_id) == User.id", lazy="joined"
    )

    @classmethod
    def record(
        cls,
        contact_id: uuid.UUID,
        purpose: str,
        *,
        is_granted: bool,
        source: str,
        by: Actor | None = None,
        evidence: str = "",
        at: dt.datetime | None = None,
    ) -> Self:
        consent = cls(contact_id=contact_id, purpose=purpose, is_granted=is_granted, source=source, evidence=evidence)
        consent.occurred_at = at or now()
        for name, value in by.columns("by").items() if by else ():
            setattr(consent, name, value)
        db.session.add(consent)
        db.session.flush()
        happened("consent.changed", contact_id, by=by, purpose=purpose, is_granted=is_granted, source=source)
        return consent

    @property
    def by(self) -> Actor | None:
        return Actor.stored(self.by_kind, self.by_id, self.user.name if self.user else self.by_name)

    @classmethod
    def history(cls, contact_id: uuid.UUID) -> Select[Self]:
        """Newest first."""
        mine = select(cls).where(cls.contact_id == contact_id)
        return mine.order_by(cls.occurred_at.desc(), cls.id.desc())

    @classmethod
    def latest(cls, contact_id: uuid.UUID) -> dict[str, Consent]:
        """The latest answer by purpose. A purpose without one was never asked about."""
        return cls.latest_of([contact_id])[contact_id]

    @classmethod
    def latest_of(cls, contact_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, dict[str, Consent]]:
        """The same of each of these contacts."""
        query = select(cls).ext(distinct_on(cls.contact_id, cls.purpose)).where(among(cls.contact_id, contact_ids))
        query = query.order_by(cls.contact_id, cls.purpose, cls.occurred_at.desc(), cls.id.desc())
        latest: dict[uuid.UUID, dict[str, Consent]] = {contact_id: {} for contact_id in contact_ids}
        for consent in db.session.scalars(query):
            latest[consent.contact_id][consent.purpose] = consent
        return latest
