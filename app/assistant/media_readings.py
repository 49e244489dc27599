"""What a model heard in a voice message, or saw in a picture: read once, and stored with the file."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from typing import Any, Self

from sqlalchemy import Index, UniqueConstraint, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.inbox.conversations import Message
from app.inbox.files.media import Media
from app.tenancy import Actor, TenantModel, announce, belongs_to, current_tenant_id, db, later, now, one_of, uuid7

KINDS = ("audio", "image")
STATES = ("waiting", "reading", "ready", "failed")
# A reader that has it longer than this has died.
LEASE = dt.timedelta(minutes=3)
MOST_ATTEMPTS = 3
RETRY = dt.timedelta(minutes=1)
LONGEST_WORDS = 20_000


class MediaReading(TenantModel):
    """One per file. It goes with the file."""

    __table_args__ = (
        belongs_to("media", "media_id", ondelete="CASCADE"),
        belongs_to("conversations", "conversation_id", ondelete="CASCADE"),
        one_of("kind", KINDS),
        one_of("state", STATES),
        UniqueConstraint("tenant_id", "media_id"),
        Index("ix_media_readings_conversation", "tenant_id", "conversation_id"),
        Index("ix_media_readings_due", "next_at", postgresql_where=text("next_at is not null")),
    )

    media_id: Mapped[uuid.UUID]
    message_id: Mapped[uuid.UUID]
    conversation_id: Mapped[uuid.UUID]
    kind: Mapped[str]
    state: Mapped[str] = mapped_column(default="waiting")
    words: Mapped[str] = mapped_column(default="")
    model: Mapped[str] = mapped_column(default="")
    # What went wrong last: a key of `words.PROBLEMS`.
    problem: Mapped[str] = mapped_column(default="")
    attempts: Mapped[int] = mapped_column(default=0)
    # When it is due, or until when a reader has it.
    next_at: Mapped[dt.datetime | None]
    # Who asked for it; null: the assistant needs it.
    asked_by: Mapped[dict[str, Any] | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    media: Mapped[Media] = relationship(viewonly=True)

    @classmethod
    def of_conversation(cls, conversation_id: uuid.UUID) -> dict[uuid.UUID, Self]:
        """By the message that each is about."""
        rows = db.session.scalars(select(cls).where(cls.conversation_id == conversation_id))
        return {one.message_id: one for one in rows}

    @classmethod
    def words_in(cls, messages: Iterable[Message]) -> dict[uuid.UUID, str]:
        """What was read, by message."""
        ids = [message.id for message in messages if message.media]
        query = select(cls.message_id, cls.words).where(cls.message_id.in_(ids), cls.state == "ready")
        return {row.message_id: row.words for row in db.session.execute(query)} if ids else {}

    @classmethod
    def want(cls, message: Message, *, by: Actor | None = None) -> Self:
        """The reading of a message's file: begun, or where a person asks and it had failed, begun again."""
        assert message.media
        values = {"tenant_id": current_tenant_id(), "id": uuid7(), "media_id": message.media.id, "state": "waiting"}
        values |= {"message_id": message.id, "conversation_id": message.conversation_id, "kind": message.media.kind}
        values |= {"words": "", "model": "", "problem": "", "attempts": 0, "next_at": now(), "created_at": now()}
        values["asked_by"] = by.as_json() if by else None
        db.session.execute(insert(cls).values(values).on_conflict_do_nothing())
        made = db.session.scalars(select(cls).where(cls.media_id == message.media.id)).one().refresh_locked()
        if by and made.state == "failed":
            made.state, made.attempts, made.next_at = "waiting", 0, now()
        return made

    def read_later(self) -> None:
        later("assistant.read_media", self.id)

    @property
    def is_under_way(self) -> bool:
        return self.state in ("waiting", "reading")

    def claim(self) -> bool:
        """Takes it for reading. A reader that dies loses it after LEASE."""
        db.session.flush()
        self.refresh_locked()
        if self.next_at is None or self.next_at > now():
            return False
        self.state, self.attempts, self.next_at = "reading", self.attempts + 1, now() + LEASE
        return True

    def finish(self, words: str, model: str) -> None:
        self.state, self.words, self.model = "ready", words.replace("\x00", "").strip()[:LONGEST_WORDS], model
        self.problem, self.next_at = "", None
        announce("conversation", self.conversation_id)

    def fail(self, problem: str, *, is_final: bool) -> None:
        """Tried again in a while, except where that cannot help."""
        self.problem = problem
        if is_final or self.attempts >= MOST_ATTEMPTS:
            self.state, self.next_at = "failed", None
        else:
            self.state, self.next_at = "waiting", now() + RETRY * self.attempts
        announce("conversation", self.conversation_id)
