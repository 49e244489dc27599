"""What was written for a template: one version that is being worked on, and all that were ever submitted."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any, Self

from sqlalchemy import Index, Select, UniqueConstraint, func, select, text
from sqlalchemy.orm import Mapped, mapped_column

from app.meta.message_templates import Template
from app.tenancy import Actor, TenantModel, belongs_to, db, now, one_of, uuid7

# Being written; waiting for somebody here to approve it; on its way to Meta; in review there, and what came of it.
STATES = ("draft", "awaiting", "submitting", "submitted", "approved", "rejected")
OPEN = ("draft", "awaiting", "submitting")
# Statuses of Meta's that end a review.
PASSED = ("APPROVED", "REINSTATED", "FLAGGED")
# How long a submission may take before another job looks what became of it.
LEASE = dt.timedelta(minutes=2)
EDITS_A_DAY, EDITS_A_MONTH = 1, 10


class EditedMeanwhile(ValueError):
    """Somebody else has saved this version since it was read. `theirs` is how it is now."""

    def __init__(self, theirs: TemplateVersion) -> None:
        super().__init__("edited meanwhile")
        self.theirs = theirs


@dataclass(frozen=True, slots=True)
class Content:
    """What one writes of a template. Name and language are the template's."""

    category: str
    is_named: bool
    components: list[dict[str, Any]]
    ttl_seconds: int | None = None

    @property
    def parameter_format(self) -> str:
        return "NAMED" if self.is_named else "POSITIONAL"


class TemplateVersion(TenantModel):
    """One text of a template. `number` counts those that were submitted. A file of a header or card is named by its
    `TemplateSample`, under `example.sample`; Meta's handle takes its place on the way.
    """

    __table_args__ = (
        Index(
            "uq_template_versions_open",
            "tenant_id",
            "template_id",
            unique=True,
            postgresql_where=text("state in ('draft', 'awaiting', 'submitting')"),
        ),
        UniqueConstraint("tenant_id", "template_id", "number"),
        Index("ix_template_versions_leased", "lease_until", postgresql_where=text("state = 'submitting'")),
        belongs_to("message_templates", "template_id", ondelete="CASCADE"),
        one_of("state", STATES),
    )

    template_id: Mapped[uuid.UUID]
    number: Mapped[int | None]
    state: Mapped[str] = mapped_column(default="draft")
    # Counts the times it was saved, so that nobody overwrites what they have not seen.
    revision: Mapped[int] = mapped_column(default=1)
    category: Mapped[str]
    parameter_format: Mapped[str]
    components: Mapped[list[dict[str, Any]]]
    ttl_seconds: Mapped[int | None]
    edited_by: Mapped[dict[str, Any] | None]
    edited_at: Mapped[dt.datetime] = mapped_column(default=now)
    submitted_by: Mapped[dict[str, Any] | None]
    submitted_at: Mapped[dt.datetime | None]
    # Whether it replaces a text that was approved, which Meta allows once a day.
    is_edit: Mapped[bool] = mapped_column(default=False)
    settled_at: Mapped[dt.datetime | None]
    lease_until: Mapped[dt.datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    # Why Meta did not take it: a `MetaError` as data, or the reason of the rejection.
    error: Mapped[dict[str, Any] | None]

    @classmethod
    def of(cls, template_id: uuid.UUID) -> Select[Self]:
        """The newest first."""
        return select(cls).where(cls.template_id == template_id).order_by(cls.id.desc())

    @classmethod
    def open_of(cls, template_id: uuid.UUID, *, locked: bool = False) -> Self | None:
        """The one that is being worked on."""
        query = cls.of(template_id).where(cls.state.in_(OPEN))
        return db.session.scalar(query.with_for_update() if locked else query)

    @classmethod
    def in_review(cls, template_id: uuid.UUID) -> Self | None:
        return db.session.scalar(cls.of(template_id).where(cls.state == "submitted").limit(1))

    @classmethod
    def begin(cls, template_id: uuid.UUID, content: Content, *, by: Actor | None) -> Self:
        version = cls(id=uuid7(), template_id=template_id, state="draft", revision=1)
        version.write(content, by)
        db.session.add(version)
        return version

    @property
    def content(self) -> Content:
        return Content(self.category, self.parameter_format == "NAMED", self.components, self.ttl_seconds)

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @property
    def author(self) -> Actor | None:
        return Actor.read(self.edited_by)

    @property
    def submitter(self) -> Actor | None:
        return Actor.read(self.submitted_by)

    def definition(self, name: str, language: str) -> Template:
        """As Meta would have it, with what is not known to Meta yet left out."""
        is_named = self.parameter_format == "NAMED"
        return Template(name, language, self.category, self.state, is_named, self.components, self.ttl_seconds)

    def write(self, content: Content, by: Actor | None) -> None:
        self.category, self.components, self.ttl_seconds = content.category, content.components, content.ttl_seconds
        self.parameter_format = content.parameter_format
        self.edited_by, self.edited_at = by.as_json() if by else None, now()

    def save(self, content: Content, *, revision: int, by: Actor) -> None:
        """Raises EditedMeanwhile unless this is the revision that was read, or the text is the same."""
        if content == self.content:
            return
        if revision != self.revision:
            raise EditedMeanwhile(self)
        self.write(content, by)
        self.revision += 1
        self.state, self.error = "draft", None

    def leave(self, by: Actor, *, is_edit: bool) -> None:
        """It goes to Meta now."""
        latest = select(func.max(TemplateVersion.number)).where(TemplateVersion.template_id == self.template_id)
        self.number = self.number or (db.session.scalar(latest) or 0) + 1
        self.state, self.error, self.is_edit = "submitting", None, is_edit
        self.submitted_by, self.submitted_at = by.as_json(), now()
        self.lease_until, self.attempts = now() + LEASE, 0

    def come_back(self, error: dict[str, Any]) -> None:
        """Meta did not take it: it can be changed and submitted again."""
        self.state, self.error, self.lease_until = "draft", error, None
        self.revision += 1

    def arrive(self) -> None:
        """Meta has it, in review."""
        self.state, self.lease_until = "submitted", None

    def settle(self, status: str, facts: dict[str, Any] | None, at: dt.datetime) -> None:
        """The template got this status at Meta while this version was in review."""
        if status in PASSED:
            self.state, self.settled_at = "approved", at
        elif status == "REJECTED":
            self.state, self.settled_at, self.error = "rejected", at, facts


@dataclass(frozen=True, slots=True)
class EditLimit:
    """Meta lets one edit an approved template once a day and ten times in thirty days."""

    edits: list[dt.datetime]
    at: dt.datetime

    @classmethod
    def of(cls, template_id: uuid.UUID) -> Self:
        mine = TemplateVersion.template_id == template_id, TemplateVersion.is_edit
        recent = select(TemplateVersion.submitted_at).where(
            *mine,
            TemplateVersion.state.in_(("submitted", "approved", "rejected")),
            TemplateVersion.submitted_at > now() - dt.timedelta(days=30),
        )
        return cls(sorted(at for at in db.session.scalars(recent) if at), now())

    @property
    def left(self) -> int:
        """How many more within thirty days."""
        return max(EDITS_A_MONTH - len(self.edits), 0)

    @property
    def next_at(self) -> dt.datetime | None:
        """When the next edit is allowed; None: now."""
        waits = [self.edits[-1] + dt.timedelta(days=1)] if self.edits else []
        if self.left == 0:
            waits.append(self.edits[-EDITS_A_MONTH] + dt.timedelta(days=30))
        return next_at if waits and (next_at := max(waits)) > self.at else None
