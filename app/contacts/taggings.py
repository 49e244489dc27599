"""Adds a tag to many contacts at once, or removes it, in a way that can be undone."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from typing import Self

from sqlalchemy import select
from sqlalchemy.orm import Mapped, mapped_column

from app.tenancy import Actor, TenantModel, User, belongs_to, db, now

from .models import Contact
from .tags import Tag

MOST_AT_ONCE = 1_000


class ContactTagging(TenantModel):
    """`contact_ids` are the contacts that changed: undoing it leaves the others, and later changes by others, alone."""

    __table_args__ = (belongs_to("tags", "tag_id", ondelete="CASCADE"),)

    tag_id: Mapped[uuid.UUID]
    is_added: Mapped[bool]
    contact_ids: Mapped[list[str]] = mapped_column(default=list)
    by_id: Mapped[uuid.UUID]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    undone_at: Mapped[dt.datetime | None]

    @classmethod
    def apply(cls, tag: Tag, contact_ids: Iterable[uuid.UUID], *, is_added: bool, by: User) -> Self:
        """Ids that are no contact of this business are passed over."""
        wanted = select(Contact.id).where(Contact.id.in_(list(contact_ids)[:MOST_AT_ONCE]))
        listed = Contact.merged_into_id.is_(None), Contact.erased_at.is_(None)
        ids = list(db.session.scalars(wanted.where(*listed)))
        changed = (tag.put_on(*ids, by=Actor.agent(by)) if is_added else tag.take_off(*ids)) if ids else set()
        made = cls(tag_id=tag.id, is_added=is_added, contact_ids=sorted(map(str, changed)), by_id=by.id)
        db.session.add(made)
        db.session.flush()
        return made

    @property
    def count(self) -> int:
        return len(self.contact_ids)

    def undo(self, *, by: User) -> None:
        """Once only. A contact that was merged since is changed where it went."""
        self.refresh_locked()
        if self.undone_at is not None:
            return
        tag, ids = Tag.get_or_404(self.tag_id), [uuid.UUID(id) for id in self.contact_ids]
        still_here = list(
            db.session.scalars(select(Contact.id).where(Contact.id.in_(ids), Contact.erased_at.is_(None)))
        )
        if still_here and self.is_added:
            tag.take_off(*still_here)
        elif still_here:
            tag.put_on(*still_here, by=Actor.agent(by))
        self.undone_at = now()
