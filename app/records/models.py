"""Records of other systems, whom they are about, and how their stages changed."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Any, Self

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, Index, Select, UniqueConstraint, delete, false, or_, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.contacts.models import Contact
from app.inbox.conversations import Conversation
from app.tenancy import (
    Actor,
    TenantModel,
    announce,
    belongs_to,
    current_tenant_id,
    db,
    happened,
    happened_each,
    now,
    of_tenant,
    one_of,
    uuid7,
)
from app.tenancy.actor import KINDS as ACTORS

from . import search
from .attributes import Attribute, money, read_attributes
from .stages import LONGEST_STAGE, RecordStage, key_of

# The source of what a member entered by hand.
HERE = "here"
# Names of sources as people write them; any other is called what it calls itself.
NAMES = {"hubspot": "HubSpot", "pipedrive": "Pipedrive"}
LONGEST_ID, LONGEST_SOURCE, LONGEST_TITLE, LONGEST_OWNER = 200, 40, 200, 100
# What its source has not confirmed for so long may be out of date.
STALE_AFTER = dt.timedelta(days=30)
# Of one record or contact.
MOST_LINKS, MOST_SHOWN = 200, 20


class TooManyLinks(ValueError):
    """The record, or the contact, has as many links as it may have."""


@dataclass(frozen=True, slots=True)
class Values:
    """What a source says of a record. Texts are within their lengths, and the link is checked."""

    title: str
    url: str = ""
    attributes: list[dict[str, Any]] = field(default_factory=list)
    stage: str = ""
    amount_micros: int | None = None
    currency: str = ""
    owner_name: str = ""

    def as_columns(self) -> dict[str, Any]:
        return {one.name: getattr(self, one.name) for one in fields(self)}


class Record(TenantModel):
    """Something in another system: a lead, a deal, a property, an order, an appointment. Unique by source and id."""

    __table_args__ = (
        of_tenant(),
        one_of("type", ("lead", "deal", "property", "order", "appointment", "contact", "other")),
        UniqueConstraint("tenant_id", "source", "type", "external_id", name="uq_records_external"),
        Index("ix_records_stage", "tenant_id", "type", "stage_key", text("staged_at desc"), text("id desc")),
    )

    type: Mapped[str]
    source: Mapped[str]
    external_id: Mapped[str]
    title: Mapped[str]
    url: Mapped[str] = mapped_column(default="")
    attributes: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    stage: Mapped[str] = mapped_column(default="")
    stage_key: Mapped[str] = mapped_column(default="")
    amount_micros: Mapped[int | None]
    currency: Mapped[str] = mapped_column(default="")
    owner_name: Mapped[str] = mapped_column(default="")
    # Whether a connection of ours copies it, so that it is changed only there.
    is_mirrored: Mapped[bool] = mapped_column(default=False, server_default=false())
    staged_at: Mapped[dt.datetime] = mapped_column(default=now)
    # When its source confirmed it last, and since when the source no longer has it.
    seen_at: Mapped[dt.datetime] = mapped_column(default=now)
    gone_at: Mapped[dt.datetime | None]
    updated_at: Mapped[dt.datetime] = mapped_column(default=now)
    created_at: Mapped[dt.datetime] = mapped_column(default=now)

    @classmethod
    def with_external_id(cls, source: str, type: str, external_id: str) -> Self | None:
        same = cls.source == source, cls.type == type, cls.external_id == external_id
        return db.session.scalar(select(cls).where(*same))

    @classmethod
    def upsert(
        cls, source: str, type: str, external_id: str, values: Values, *, by: Actor, is_mirrored: bool = False
    ) -> tuple[Self, bool]:
        """Creates or changes the one record with this id, and whether it is new. Locks it."""
        made = insert(cls).values(
            tenant_id=current_tenant_id(),
            id=uuid7(),
            source=source,
            type=type,
            external_id=external_id,
            title="",
            attributes=[],
            is_mirrored=is_mirrored,
        )
        is_new = bool(db.session.scalar(made.on_conflict_do_nothing().returning(cls.id)))
        record = cls.with_external_id(source, type, external_id)
        assert record
        record.refresh_locked()
        record.is_mirrored = is_mirrored
        record.confirm(values, by=by, is_new=is_new)
        return record, is_new

    @classmethod
    def create_here(cls, type: str, external_id: str, values: Values, *, by: Actor) -> Self:
        """A record that a member enters by hand; the one with this id, if there is one."""
        return cls.upsert(HERE, type, external_id or str(uuid7()), values, by=by)[0]

    def confirm(self, values: Values, *, by: Actor, is_new: bool = False) -> None:
        """Takes what the source says now. What is the same changes nothing but when it was confirmed."""
        self.seen_at, was_gone, self.gone_at = now(), self.gone_at is not None, None
        before = {name: getattr(self, name) for name in values.as_columns()}
        changed = before != values.as_columns()
        for name, value in values.as_columns().items():
            if name != "stage":
                setattr(self, name, value)
        if is_new:
            self.note("created", by)
        self.take_stage(values.stage, by, is_new=is_new)
        if changed or is_new or was_gone:
            self.changed(by, before["stage"], is_new=is_new)
        if before["title"] != self.title or is_new:
            search.index(self.id, self.title, self.external_id)

    def move(self, stage: str, *, by: Actor) -> bool:
        """Moves it to another stage; whether that is one."""
        self.refresh_locked()
        before = self.stage
        if not self.take_stage(stage, by):
            return False
        self.changed(by, before)
        return True

    def take_stage(self, stage: str, by: Actor, *, is_new: bool = False) -> bool:
        before, stage = self.stage, stage[:LONGEST_STAGE].strip()
        self.stage, is_moved = stage, key_of(stage) != self.stage_key
        if not is_moved:
            return False
        self.stage_key, self.staged_at = key_of(stage), now()
        if not is_new:
            self.note("stage", by, before=before, after=stage)
        self.notify_automations(before, by)
        return True

    def notify_automations(self, before: str, by: Actor) -> None:
        """A happening for each customer that it is about: automations run in their conversations."""
        facts = {"record_id": str(self.id), "type": self.type, "stage": self.stage, "stage_before": before}
        db.session.flush()
        contacts = db.session.scalars(select(RecordLink.contact_id).where(*self.present_links()).limit(MOST_LINKS))
        rows: list[tuple[object, dict[str, Any]]] = [(contact_id, facts) for contact_id in contacts]
        happened_each("record.staged", rows, actors=[by] * len(rows))

    def changed(self, by: Actor, stage_before: str, *, is_new: bool = False) -> None:
        self.updated_at = now()
        facts: dict[str, Any] = {"type": self.type, "source": self.source, "stage": self.stage}
        happened("record.changed", self.id, by=by, **facts, stage_before=stage_before, is_new=is_new)
        self.announce()

    def mark_gone(self) -> None:
        """Its source no longer has it."""
        if self.gone_at is None:
            self.gone_at = now()
            self.announce()

    def announce(self) -> None:
        """Pages that show it, also beside a conversation, update themselves."""
        announce("record", self.id)
        mine = select(RecordLink.contact_id).where(*self.present_links()).limit(MOST_SHOWN)
        talks = select(Conversation.id).where(Conversation.contact_id.in_(mine))
        for id in db.session.scalars(talks.limit(MOST_SHOWN)):
            announce("beside", id)

    def note(self, kind: str, by: Actor, **facts: str) -> None:
        change = RecordChange(id=uuid7(), record_id=self.id, kind=kind, facts=facts, at=now(), **by.columns("by"))
        db.session.add(change)

    def present_links(self) -> tuple[ColumnElement[bool], ...]:
        return RecordLink.record_id == self.id, RecordLink.removed_at.is_(None)

    @property
    def is_stale(self) -> bool:
        """Whether its source no longer has it, or has not confirmed it for long."""
        return self.gone_at is not None or (self.source != HERE and self.seen_at < now() - STALE_AFTER)

    @property
    def source_words(self) -> str:
        return str(_("Entered by hand")) if self.source == HERE else NAMES.get(self.source, self.source)

    @property
    def money(self) -> str:
        return "" if self.amount_micros is None else money(self.amount_micros, self.currency)

    @property
    def details(self) -> list[Attribute]:
        return read_attributes(self.attributes)

    @property
    def outcome(self) -> str:
        return RecordStage.outcome_of(self.type, self.stage)

    def history(self) -> Select[RecordChange]:
        return select(RecordChange).where(RecordChange.record_id == self.id).order_by(RecordChange.id.desc())

    def links(self) -> Select[RecordLink]:
        return select(RecordLink).where(*self.present_links()).order_by(RecordLink.id)

    def link(
        self, contact_id: uuid.UUID, *, by: Actor, conversation_id: uuid.UUID | None = None, is_automatic: bool = False
    ) -> RecordLink | None:
        """Links it to a contact, once; with a conversation, it is shown in that one alone. Raises `TooManyLinks`.

        What a person has removed is not linked again where `is_automatic`; then there is no link.
        """
        db.session.flush()
        link = self.link_to(contact_id)
        if link and link.removed_at and is_automatic:
            return None
        if link and not link.removed_at:
            link.conversation_id = link.conversation_id if is_automatic else conversation_id
            return link
        self.refuse_too_many(contact_id)
        if link is None:
            values: dict[str, Any] = {"record_id": self.id, "contact_id": contact_id, "created_at": now()}
            made = insert(RecordLink).values(tenant_id=current_tenant_id(), id=uuid7(), **values, **by.columns("by"))
            db.session.execute(made.on_conflict_do_nothing())
            link = self.link_to(contact_id)
        assert link
        link.removed_at, link.conversation_id = None, conversation_id
        self.note_link("linked", link, by)
        return link

    def link_to(self, contact_id: uuid.UUID) -> RecordLink | None:
        """Its link to a contact, also one that was removed."""
        mine = RecordLink.record_id == self.id, RecordLink.contact_id == contact_id
        return db.session.scalar(select(RecordLink).where(*mine))

    def refuse_too_many(self, contact_id: uuid.UUID) -> None:
        for mine in (RecordLink.record_id == self.id, RecordLink.contact_id == contact_id):
            some = select(RecordLink.id).where(mine, RecordLink.removed_at.is_(None)).limit(MOST_LINKS)
            if len(db.session.scalars(some).all()) >= MOST_LINKS:
                raise TooManyLinks

    def unlink(self, link: RecordLink, *, by: Actor) -> None:
        """The row stays, so that no connection links the same again."""
        if link.removed_at is None:
            self.note_link("unlinked", link, by)
            db.session.flush()
            self.announce()
            link.removed_at = now()

    def note_link(self, kind: str, link: RecordLink, by: Actor) -> None:
        self.note(kind, by, contact_id=str(link.contact_id))
        facts = {"type": self.type, "source": self.source, "stage": self.stage, "contact_id": link.contact_id}
        happened(f"record.{kind}", self.id, by=by, **facts)
        db.session.flush()
        self.announce()

    def remove(self) -> None:
        self.announce()
        db.session.execute(delete(Record).where(Record.id == self.id))


class RecordLink(TenantModel):
    """Whom a record is about: a contact, in all conversations with them or in one."""

    __table_args__ = (
        belongs_to("records", "record_id", ondelete="CASCADE"),
        belongs_to("contacts", "contact_id", ondelete="CASCADE"),
        belongs_to("conversations", "conversation_id", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "record_id", "contact_id", name="uq_record_links_record"),
        one_of("by_kind", ACTORS),
        Index("ix_record_links_contact", "tenant_id", "contact_id"),
        Index("ix_record_links_conversation", "tenant_id", "conversation_id"),
    )

    record_id: Mapped[uuid.UUID]
    contact_id: Mapped[uuid.UUID]
    conversation_id: Mapped[uuid.UUID | None]
    by_kind: Mapped[str | None]
    by_id: Mapped[uuid.UUID | None]
    by_name: Mapped[str | None]
    removed_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    record: Mapped[Record] = relationship(viewonly=True)
    contact: Mapped[Contact] = relationship(viewonly=True)

    @property
    def by(self) -> Actor | None:
        return Actor.stored(self.by_kind, self.by_id, self.by_name)


class RecordChange(TenantModel):
    """Something that happened to a record: it was made, changed its stage, was linked or unlinked."""

    __table_args__ = (
        belongs_to("records", "record_id", ondelete="CASCADE"),
        one_of("kind", ("created", "stage", "linked", "unlinked")),
        one_of("by_kind", ACTORS),
        Index("ix_record_changes_record", "tenant_id", "record_id", text("id desc")),
    )

    record_id: Mapped[uuid.UUID]
    kind: Mapped[str]
    facts: Mapped[dict[str, Any]]
    by_kind: Mapped[str | None]
    by_id: Mapped[uuid.UUID | None]
    by_name: Mapped[str | None]
    at: Mapped[dt.datetime] = mapped_column(default=now)

    @property
    def by(self) -> Actor | None:
        return Actor.stored(self.by_kind, self.by_id, self.by_name)


def of_contact(contact_id: uuid.UUID, conversation_id: uuid.UUID | None = None) -> Select[Record]:
    """The records about a contact, the last changed first; with a conversation, those that are shown in it."""
    mine = [RecordLink.contact_id == contact_id, RecordLink.removed_at.is_(None)]
    if conversation_id:
        mine.append(or_(RecordLink.conversation_id.is_(None), RecordLink.conversation_id == conversation_id))
    same = (RecordLink.tenant_id == Record.tenant_id) & (RecordLink.record_id == Record.id)
    return select(Record).join(RecordLink, same).where(*mine).order_by(Record.staged_at.desc(), Record.id.desc())


def erase_records(contact_ids: Iterable[uuid.UUID]) -> None:
    """Of erased contacts: their links, and the records that are about no one else. A property is no person's."""
    ids = list(contact_ids)
    theirs = select(RecordLink.record_id).where(RecordLink.contact_id.in_(ids))
    others = select(RecordLink.record_id).where(RecordLink.contact_id.not_in(ids), RecordLink.record_id.in_(theirs))
    unshared = Record.id.in_(theirs), Record.id.not_in(others), Record.type != "property"
    db.session.execute(delete(Record).where(*unshared), execution_options={"synchronize_session": False})
    db.session.execute(delete(RecordLink).where(RecordLink.contact_id.in_(ids)))
