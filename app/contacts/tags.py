"""Tags: one set per business, added to contacts."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Self

from sqlalchemy import Index, Select, UniqueConstraint, delete, func, literal, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Mapped, mapped_column

from app.tenancy import (
    Actor,
    TenantModel,
    belongs_to,
    current_tenant_id,
    db,
    happened_each,
    now,
    of_tenant,
    one_of,
    uuid7,
)
from app.tenancy.actor import KINDS as ACTORS

COLORS = ("grey", "green", "blue", "violet", "pink", "red", "amber", "teal")
LONGEST_TAG = 40
MOST_OFFERED = 200
ADDED_BY = ("added_by_kind", "added_by_id", "added_by_name")


class TagExists(Exception):
    """Another tag has that name."""


class Tag(TenantModel):
    __table_args__ = (
        of_tenant(),
        one_of("color", COLORS),
        Index("uq_tags_name", "tenant_id", text("lower(name)"), unique=True),
    )

    name: Mapped[str]
    color: Mapped[str] = mapped_column(default="grey")
    position: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[dt.datetime] = mapped_column(default=now)

    @classmethod
    def in_order(cls) -> Select[Self]:
        return select(cls).order_by(cls.position, func.lower(cls.name))

    @classmethod
    def named(cls, name: str) -> Self | None:
        return db.session.scalar(select(cls).where(func.lower(cls.name) == func.lower(name)))

    @classmethod
    def get_or_make(cls, name: str) -> Self:
        """The tag of that name, in whatever case; made where there is none."""
        tag = cls.named(name) or cls.make(name) or cls.named(name)
        assert tag
        return tag

    @classmethod
    def make(cls, name: str) -> Self | None:
        """A tag at the end of the list. None where there is one of that name, also one made a moment ago."""
        last = db.session.scalar(select(func.max(cls.position))) or 0
        values = {"tenant_id": current_tenant_id(), "id": uuid7(), "name": name, "position": last + 1}
        color = COLORS[(last + 1) % len(COLORS)]
        made = upsert(cls).values(values | {"color": color, "created_at": now()}).on_conflict_do_nothing()
        return cls.find(db.session.scalar(made.returning(cls.id)))

    @classmethod
    def offered(cls) -> list[Self]:
        """The first MOST_OFFERED, for lists to choose from."""
        return list(db.session.scalars(cls.in_order().limit(MOST_OFFERED)))

    @classmethod
    def counted(cls) -> Select[Self, int]:
        """Every tag, with how many contacts have it."""
        many = select(ContactTag.tag_id, func.count().label("count")).group_by(ContactTag.tag_id).subquery()
        return cls.in_order().add_columns(func.coalesce(many.c.count, 0)).outerjoin(many, many.c.tag_id == cls.id)

    def change(self, name: str, color: str) -> None:
        if (other := Tag.named(name)) is not None and other.id != self.id:
            raise TagExists
        self.name, self.color = name, color

    def put_on(self, *contact_ids: uuid.UUID, by: Actor | None = None) -> set[uuid.UUID]:
        """Returns who did not have it."""
        values = {"tenant_id": current_tenant_id(), "tag_id": self.id, "created_at": now()}
        values |= by.columns("added_by") if by else {}
        rows = [values | {"id": uuid7(), "contact_id": contact_id} for contact_id in sorted({*contact_ids})]
        added = upsert(ContactTag).values(rows).on_conflict_do_nothing().returning(ContactTag.contact_id)
        changed = {*db.session.scalars(added)} if rows else set()
        self.record("tag.added", changed, by)
        return changed

    def take_off(self, *contact_ids: uuid.UUID, by: Actor | None = None) -> set[uuid.UUID]:
        """Returns who had it."""
        here = (ContactTag.contact_id.in_(contact_ids)) & (ContactTag.tag_id == self.id)
        changed = {*db.session.scalars(delete(ContactTag).where(here).returning(ContactTag.contact_id))}
        self.record("tag.removed", changed, by)
        return changed

    def record(self, kind: str, contact_ids: set[uuid.UUID], by: Actor | None) -> None:
        rows = [(id, {"tag_id": str(self.id)}) for id in contact_ids]
        happened_each(kind, rows, actors=[by] * len(rows))

    def merge_into(self, other: Tag) -> None:
        """Whoever had this tag has the other one, once."""
        theirs = select(ContactTag.contact_id).where(ContactTag.tag_id == other.id)
        missing = select(
            ContactTag.tenant_id,
            func.gen_random_uuid(),
            ContactTag.contact_id,
            literal(other.id),
            *(getattr(ContactTag, name) for name in ADDED_BY),
            ContactTag.created_at,
        ).where(ContactTag.tag_id == self.id, ContactTag.contact_id.not_in(theirs))
        columns = ["tenant_id", "id", "contact_id", "tag_id", *ADDED_BY, "created_at"]
        db.session.execute(upsert(ContactTag).from_select(columns, missing).on_conflict_do_nothing())
        self.remove()

    def remove(self) -> None:
        db.session.delete(self)
        db.session.flush()


class ContactTag(TenantModel):
    """A tag on a contact."""

    __table_args__ = (
        belongs_to("contacts", "contact_id", ondelete="CASCADE"),
        belongs_to("tags", "tag_id", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "contact_id", "tag_id"),
        one_of("added_by_kind", ACTORS),
        Index("ix_contact_tags_tag", "tenant_id", "tag_id", text("contact_id desc")),
    )

    contact_id: Mapped[uuid.UUID]
    tag_id: Mapped[uuid.UUID]
    # Null means an agent where there is an id, from before 0046 or an import.
    added_by_kind: Mapped[str | None]
    added_by_id: Mapped[uuid.UUID | None]
    added_by_name: Mapped[str | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
