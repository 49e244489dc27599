"""The life of a template: every change of its status, category, quality and open version, and who says so."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, Self

from sqlalchemy import Index, Select, or_, select
from sqlalchemy.orm import Mapped, mapped_column

from app.meta.message_templates import SENDABLE
from app.tenancy import Actor, TenantModel, belongs_to, db, exists, happened, now, one_of

# A status, category or quality is Meta's; the state of a version is ours.
WHAT = ("status", "category", "quality", "version")
# How it became known: Meta's webhook, comparing with Meta's list, the answer to a submission, somebody here.
SOURCES = ("webhook", "sync", "submission", "member")
# What happens when a version goes from one state to another.
VERSION_KINDS = {
    ("draft", "awaiting"): "template.awaiting",
    ("awaiting", "draft"): "template.returned",
    ("draft", "submitting"): "template.submitted",
    ("awaiting", "submitting"): "template.submitted",
    ("submitting", "draft"): "template.refused",
}


class TemplateChange(TenantModel):
    """One change. `facts` are what Meta said with it."""

    __table_args__ = (
        Index("ix_template_changes_life", "tenant_id", "template_id", "at"),
        belongs_to("message_templates", "template_id", ondelete="CASCADE"),
        one_of("what", WHAT),
        one_of("source", SOURCES),
    )

    template_id: Mapped[uuid.UUID]
    what: Mapped[str]
    before: Mapped[str]
    after: Mapped[str]
    source: Mapped[str]
    actor: Mapped[dict[str, Any] | None]
    facts: Mapped[dict[str, Any] | None]
    at: Mapped[dt.datetime] = mapped_column(default=now)

    @classmethod
    def of(cls, template_id: uuid.UUID) -> Select[Self]:
        """The newest first."""
        return select(cls).where(cls.template_id == template_id).order_by(cls.at.desc(), cls.id.desc())

    @classmethod
    def latest(cls, template_id: uuid.UUID, what: str) -> Self | None:
        return db.session.scalar(cls.of(template_id).where(cls.what == what).limit(1))

    @classmethod
    def approvals_of(cls, template_id: uuid.UUID) -> Select[Any]:
        """Whether it ever could be sent, as far as is recorded."""
        could = or_(cls.before.in_(SENDABLE), cls.after.in_(SENDABLE))
        return select(cls.id).where(cls.template_id == template_id, cls.what == "status", could)

    @classmethod
    def has_news_since_submission(cls, template_id: uuid.UUID) -> bool:
        """Whether a status has become known since the last version left. Ids are in the order of recording, while
        Meta's times are whole seconds of another clock."""
        mine = cls.template_id == template_id
        left = select(cls.id).where(mine, cls.what == "version", cls.after == "submitting")
        since = db.session.scalar(left.order_by(cls.id.desc()).limit(1))
        news = select(cls.id).where(mine, cls.what == "status", cls.source.in_(("webhook", "sync")))
        return exists(news.where(cls.id > since) if since else news)

    @classmethod
    def record(
        cls,
        template_id: uuid.UUID,
        what: str,
        before: str,
        after: str,
        *,
        source: str,
        by: Actor | None = None,
        facts: dict[str, Any] | None = None,
        at: dt.datetime | None = None,
    ) -> None:
        change = cls(template_id=template_id, what=what, before=before, after=after, source=source)
        change.actor, change.facts, change.at = by.as_json() if by else None, facts, at or now()
        db.session.add(change)
        if what == "version":
            happened(VERSION_KINDS[before, after], template_id, by=by)
            return
        happened("template.changed", template_id, by=by, what=what, before=before, after=after, source=source)

    @property
    def is_metas(self) -> bool:
        """Whether Meta made it, and no one here."""
        return self.source != "member"

    @property
    def by(self) -> Actor | None:
        return Actor.read(self.actor)
