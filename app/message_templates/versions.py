"""What was written for a template: one version that is being worked on, and all that were ever submitted."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Self

from sqlalchemy import Index, Select, UniqueConstraint, func, select, text
from sqlalchemy.orm import Mapped, mapped_column

from app.meta import payload
from app.meta.message_templates import MOST_CHARACTERS, SENDABLE, Template
from app.meta.payload import mapping, sequence
from app.tenancy import Actor, TenantModel, belongs_to, db, now, one_of, uuid7

from .changes import TemplateChange

# Being written; waiting for somebody here to approve it; on its way to Meta; in review there, and what came of it.
STATES = ("draft", "awaiting", "submitting", "submitted", "approved", "rejected")
OPEN = ("draft", "awaiting", "submitting")
ARRIVED = ("submitted", "approved", "rejected")
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

    @property
    def readable(self) -> list[dict[str, Any]]:
        """As much of the components as a page may have to show."""
        return [mapping(part) for part in payload.bounded(self.components, MOST_CHARACTERS)]


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
    # Counts the times it was saved, so that no one overwrites what they have not seen.
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
    # What an owner wrote when sending it back to be changed.
    note: Mapped[str] = mapped_column(default="", server_default="")

    @classmethod
    def of(cls, template_id: uuid.UUID) -> Select[Self]:
        """The newest first: what was not submitted yet, then by number."""
        return (
            select(cls).where(cls.template_id == template_id).order_by(cls.number.desc().nulls_first(), cls.id.desc())
        )

    @classmethod
    def open_of(cls, template_id: uuid.UUID, *, is_fresh: bool = False) -> Self | None:
        """The one that is being worked on; `is_fresh`: locked, and read again if it was read before."""
        query = cls.of(template_id).where(cls.state.in_(OPEN))
        locked = query.with_for_update(key_share=True).execution_options(populate_existing=True)
        return db.session.scalar(locked if is_fresh else query)

    @classmethod
    def awaiting(cls) -> Select[Self]:
        """Those that wait for an owner, the oldest first."""
        return select(cls).where(cls.state == "awaiting").order_by(cls.edited_at, cls.id)

    @classmethod
    def count_awaiting(cls) -> int:
        return db.session.scalars(select(func.count()).where(cls.state == "awaiting")).one()

    @classmethod
    def submitted(cls, template_id: uuid.UUID) -> Select[Self]:
        """Those that Meta has got, the newest first."""
        return cls.of(template_id).where(cls.state.in_(ARRIVED))

    @classmethod
    def in_review(cls, template_id: uuid.UUID) -> Self | None:
        return db.session.scalar(cls.of(template_id).where(cls.state == "submitted").limit(1))

    @classmethod
    def begin(cls, template_id: uuid.UUID, content: Content, *, by: Actor | None) -> Self:
        version = cls(id=uuid7(), template_id=template_id, state="draft", revision=1)
        version.write(content, by)
        db.session.add(version)
        return version

    @classmethod
    def adopt(cls, template_id: uuid.UUID, content: Content, *, state: str, at: dt.datetime) -> None:
        """Stores a text that was made elsewhere as the first version."""
        version = cls.begin(template_id, content, by=None)
        version.state, version.number, version.edited_at = state, 1, at
        db.session.flush()

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

    def save(self, content: Content, *, revision: int, by: Actor, is_renamed: bool = False) -> None:
        """Raises EditedMeanwhile unless this is the revision that was read, or nothing is different."""
        if content == self.content and not is_renamed:
            return
        if revision != self.revision:
            raise EditedMeanwhile(self)
        self.write(content, by)
        self.revision += 1
        self.state, self.error = "draft", None

    def turn(self, state: str, *, source: str, by: Actor | None = None, facts: dict[str, Any] | None = None) -> None:
        before, self.state = self.state, state
        TemplateChange.record(self.template_id, "version", before, state, source=source, by=by, facts=facts)

    def wait_for_approval(self, by: Actor) -> None:
        """It may go to Meta once an owner agrees."""
        self.edited_by, self.note = by.as_json(), ""
        self.turn("awaiting", source="member", by=by)

    def send_back(self, note: str, by: Actor) -> None:
        """An owner wants it changed first."""
        self.note = note
        self.turn("draft", source="member", by=by, facts={"note": note} if note else None)

    def leave(self, by: Actor, *, is_edit: bool) -> None:
        """It goes to Meta now."""
        latest = select(func.max(TemplateVersion.number)).where(TemplateVersion.template_id == self.template_id)
        self.number = self.number or (db.session.scalar(latest) or 0) + 1
        self.error, self.note, self.is_edit = None, "", is_edit
        self.turn("submitting", source="member", by=by)
        self.submitted_by, self.submitted_at = by.as_json(), now()
        self.lease_until, self.attempts = now() + LEASE, 0

    def come_back(self, error: dict[str, Any]) -> None:
        """Meta did not take it: it can be changed and submitted again."""
        self.error, self.lease_until = error, None
        self.turn("draft", source="submission", facts={"title": error.get("title"), "fix": error.get("fix")})
        self.revision += 1

    def arrive(self) -> None:
        """Meta has it, in review."""
        self.state, self.lease_until = "submitted", None

    def settle(self, status: str, facts: dict[str, Any] | None, at: dt.datetime) -> None:
        """The template got this status at Meta while this version was in review."""
        if status in SENDABLE:
            self.state, self.settled_at = "approved", at
        elif status == "REJECTED":
            self.state, self.settled_at, self.error = "rejected", at, facts


def says_the_same(there: Iterable[dict[str, Any]], wanted: Iterable[dict[str, Any]]) -> bool:
    """Whether these are the same components: Meta writes examples, files and links anew, never words and addresses."""
    return [*words_in(there)] == [*words_in(wanted)]


def words_in(components: Iterable[dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    """What a customer reads and taps. A button for a code is made as OTP and read back as a link."""
    for part in map(mapping, components):
        kind = str(part.get("type") or "card").upper()
        is_code = kind == "OTP" or "whatsapp.com/otp/" in str(part.get("url"))
        facts = ("text",) if is_code else ("format", "text", "url", "phone_number", "flow_id")
        words = ("OTP" if is_code else kind, *(str(part.get(name) or "") for name in facts))
        nested = [*sequence(part.get("buttons")), *sequence(part.get("cards")), *sequence(part.get("components"))]
        if any(words[1:]) or is_code:
            yield words
        yield from words_in(nested)


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
            TemplateVersion.state.in_(ARRIVED),
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
