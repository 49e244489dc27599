"""Notes on a contact, links to other programs, and the log of what was done to the contact."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.tenancy import Actor, TenantModel, User, belongs_to, db, now, one_of

LINK_KINDS = ("property", "order", "deal", "other")
ACTS = ("created", "imported", "renamed", "exported", "erased")


class ContactNote(TenantModel):
    """A note on a contact that only the team sees."""

    __table_args__ = (
        belongs_to("contacts", "contact_id", ondelete="CASCADE"),
        Index("ix_contact_notes_contact", "tenant_id", "contact_id", text("id desc")),
    )

    contact_id: Mapped[uuid.UUID]
    body: Mapped[str]
    author_id: Mapped[uuid.UUID | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    author: Mapped[User | None] = relationship(
        viewonly=True, primaryjoin="foreign(ContactNote.author_id) == User.id", lazy="joined"
    )


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
    """Something that a team member did to a contact, and when."""

    __table_args__ = (
        belongs_to("contacts", "contact_id", ondelete="CASCADE"),
        one_of("kind", ACTS),
        Index("ix_contact_events_contact", "tenant_id", "contact_id", text("id desc")),
    )

    contact_id: Mapped[uuid.UUID]
    kind: Mapped[str]
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    by_id: Mapped[uuid.UUID | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)

    @classmethod
    def record(cls, contact_id: uuid.UUID, kind: str, *, by: Actor | User, **details: Any) -> None:
        user_id = by.user_id if isinstance(by, Actor) else by.id
        db.session.add(cls(contact_id=contact_id, kind=kind, details=details, by_id=user_id))
