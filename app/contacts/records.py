"""Notes on a contact, links to other programs, and the log of what was done to the contact."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, Self

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.tenancy import Actor, TenantModel, User, belongs_to, db, now, one_of, uuid7
from app.tenancy.actor import KINDS as ACTORS

LINK_KINDS = ("property", "order", "deal", "other")
ACTS = ("created", "imported", "renamed", "exported", "erased")


class ContactNote(TenantModel):
    """A note on a contact that only the team sees."""

    __table_args__ = (
        belongs_to("contacts", "contact_id", ondelete="CASCADE"),
        one_of("author_kind", ACTORS),
        Index("ix_contact_notes_contact", "tenant_id", "contact_id", text("id desc")),
    )

    contact_id: Mapped[uuid.UUID]
    body: Mapped[str]
    # Null means an agent, from before 0046.
    author_kind: Mapped[str | None]
    author_id: Mapped[uuid.UUID | None]
    author_name: Mapped[str | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    author: Mapped[User | None] = relationship(
        viewonly=True, primaryjoin="foreign(ContactNote.author_id) == User.id", lazy="joined"
    )

    @classmethod
    def write(cls, contact_id: uuid.UUID, body: str, *, by: Actor) -> Self:
        note = cls(id=uuid7(), contact_id=contact_id, body=body, **by.columns("author"))
        db.session.add(note)
        db.session.flush()
        return note

    @property
    def written_by(self) -> Actor | None:
        return Actor.stored(self.author_kind, self.author_id, self.author.name if self.author else self.author_name)


class ContactLink(TenantModel):
    """A link to a record of the contact in another program: an order, a property, a deal."""

    __table_args__ = (
        belongs_to("contacts", "contact_id", ondelete="CASCADE"),
        one_of("kind", LINK_KINDS),
        Index("ix_contact_links_contact", "tenant_id", "contact_id"),
    )

    contact_id: Mapped[uuid.UUID]
    kind: Mapped[str]
    title: Mapped[str]
    url: Mapped[str]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)


class ContactEvent(TenantModel):
    """Something that was done to a contact, by whom, and when."""

    __table_args__ = (
        belongs_to("contacts", "contact_id", ondelete="CASCADE"),
        one_of("kind", ACTS),
        one_of("by_kind", ACTORS),
        Index("ix_contact_events_contact", "tenant_id", "contact_id", text("id desc")),
    )

    contact_id: Mapped[uuid.UUID]
    kind: Mapped[str]
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    # Null means an agent, from before 0046.
    by_kind: Mapped[str | None]
    by_id: Mapped[uuid.UUID | None]
    by_name: Mapped[str | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)

    @classmethod
    def record(cls, contact_id: uuid.UUID, kind: str, *, by: Actor, **details: Any) -> None:
        db.session.add(cls(contact_id=contact_id, kind=kind, details=details, **by.columns("by")))

    @property
    def by(self) -> Actor | None:
        return Actor.stored(self.by_kind, self.by_id, self.by_name)
