"""What the assistant may say: sources, and the passages that their texts are cut into."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from typing import Any, Self

from sqlalchemy import Index, Select, Text, UniqueConstraint, delete, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.inbox.files.deletions import delete_later
from app.tenancy import (
    Actor,
    TenantModel,
    belongs_to,
    current_tenant_id,
    db,
    later,
    now,
    of_tenant,
    one_of,
    uuid7,
)

from .assistant import Assistant
from .cutting import Piece, cut
from .terms import terms_of
from .vectors import PassageVector

KINDS = ("question", "text", "file", "page", "canned")
# A source waits for a reader, is read, and then is ready or failed with words.
STATES = ("waiting", "reading", "ready", "failed")
LONGEST_QUESTION, LONGEST_BODY, LONGEST_TITLE = 300, 100_000, 200
MOST_SOURCES = 2_000
LEASE = dt.timedelta(minutes=5)
RETRIES = 3


class KnowledgeSource(TenantModel):
    """A question with its answer, a text, a file, a page of the web, or all canned replies."""

    __table_args__ = (
        of_tenant(),
        one_of("kind", KINDS),
        one_of("state", STATES),
        UniqueConstraint("tenant_id", "external_id"),
        Index("ix_knowledge_sources_due", "next_read_at", postgresql_where=text("next_read_at is not null")),
    )

    kind: Mapped[str]
    title: Mapped[str]
    # The answer, the text, or what was read from the file or the page.
    body: Mapped[str] = mapped_column(default="")
    language: Mapped[str] = mapped_column(default="")
    valid_from: Mapped[dt.datetime | None]
    valid_until: Mapped[dt.datetime | None]
    is_enabled: Mapped[bool] = mapped_column(default=True)
    # Of a page: its address, and after how many hours it is read again (0: only by hand).
    url: Mapped[str] = mapped_column(default="")
    refresh_hours: Mapped[int] = mapped_column(default=0)
    # Of a file.
    filename: Mapped[str] = mapped_column(default="")
    storage_key: Mapped[str | None]
    # What programs call it, so that sending it again changes it.
    external_id: Mapped[str | None]
    state: Mapped[str] = mapped_column(default="waiting")
    # What went wrong last: a key of `words.PROBLEMS`.
    problem: Mapped[str] = mapped_column(default="")
    attempts: Mapped[int] = mapped_column(default=0)
    next_read_at: Mapped[dt.datetime | None]
    read_at: Mapped[dt.datetime | None]
    content_hash: Mapped[str] = mapped_column(default="")
    created_by: Mapped[dict[str, Any] | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)

    @classmethod
    def newest_first(cls) -> Select[Self]:
        return select(cls).order_by(cls.id.desc())

    @classmethod
    def add(cls, kind: str, title: str, *, by: Actor, body: str = "", **more: Any) -> Self:
        """Adds a source. What is typed can be found at once; the rest a worker reads."""
        made = cls(id=uuid7(), tenant_id=current_tenant_id(), kind=kind, title=title, body=body, **more)
        made.created_by = by.as_json()
        db.session.add(made)
        db.session.flush()
        made.begin()
        return made

    @classmethod
    def canned(cls) -> Self | None:
        return db.session.scalar(select(cls).where(cls.kind == "canned"))

    @classmethod
    def unused(cls) -> Select[Self]:
        """Those that are not ready."""
        return select(cls).where(cls.state != "ready")

    @classmethod
    def is_full(cls) -> bool:
        return db.session.scalars(select(func.count()).select_from(cls)).one() >= MOST_SOURCES

    @property
    def is_typed(self) -> bool:
        return self.kind in ("question", "text")

    def begin(self) -> None:
        """Has it read, from the start."""
        self.attempts = 0
        if self.is_typed:
            self.store([Piece(self.title, self.body)] if self.kind == "question" else cut(self.body, self.title))
            return
        self.state, self.next_read_at = "waiting", now()
        later("assistant.read_source", self.id)

    def claim(self) -> bool:
        """Takes it for reading. A reader that dies loses it after LEASE."""
        db.session.flush()
        self.refresh_locked()
        if self.next_read_at is None or self.next_read_at > now():
            return False
        self.state, self.attempts, self.next_read_at = "reading", self.attempts + 1, now() + LEASE
        return True

    def store(self, pieces: list[Piece]) -> None:
        """Replaces its passages, unless nothing changed, and makes it ready. What gives orders is left out."""
        usable = [piece for piece in pieces if not piece.gives_orders]
        left_out, pieces = len(usable) < len(pieces), usable
        written = "\x1f".join(f"{piece.heading}\x1e{piece.body}" for piece in pieces)
        digest = hashlib.sha256(written.encode()).hexdigest()
        self.state, self.problem = "ready", "gives_orders" if left_out else ""
        self.attempts, self.read_at = 0, now()
        self.next_read_at = self.read_at + dt.timedelta(hours=self.refresh_hours) if self.refresh_hours else None
        if digest != self.content_hash:
            self.content_hash = digest
            db.session.execute(delete(KnowledgePassage).where(KnowledgePassage.source_id == self.id))
            db.session.add_all(KnowledgePassage.of(self, place, piece) for place, piece in enumerate(pieces))
            Assistant.embed_later()
        self.show_passages()

    def fail(self, problem: str, *, is_final: bool) -> None:
        """Earlier passages stay: an old page is better than none. Tried again, except where that cannot help."""
        self.state, self.problem = "failed", problem
        tries_again = not is_final and self.attempts < RETRIES
        wait = dt.timedelta(minutes=5 * self.attempts) if tries_again else dt.timedelta(hours=self.refresh_hours)
        self.next_read_at = now() + wait if wait else None

    def switch(self, *, is_enabled: bool) -> None:
        self.is_enabled = is_enabled
        self.show_passages()

    def show_passages(self) -> None:
        """Passages know by themselves whether and when they count, so that retrieval reads one table."""
        db.session.flush()
        values = {"is_live": self.is_enabled, "valid_from": self.valid_from, "valid_until": self.valid_until}
        for table in (KnowledgePassage, PassageVector):
            mine = update(table).where(table.source_id == self.id).values(**values)
            db.session.execute(mine, execution_options={"synchronize_session": False})

    def forget_file(self) -> None:
        """Deletes its file after the commit."""
        delete_later([self.storage_key])

    def remove(self) -> None:
        self.forget_file()
        db.session.delete(self)

    @property
    def is_expired(self) -> bool:
        return bool(self.valid_until and self.valid_until <= now())

    @property
    def passage_count(self) -> int:
        query = select(func.count()).select_from(KnowledgePassage).where(KnowledgePassage.source_id == self.id)
        return db.session.scalars(query).one()

    @classmethod
    def has_some(cls) -> bool:
        counts = or_(cls.valid_until.is_(None), cls.valid_until > now())
        return bool(db.session.scalar(select(cls.id).where(cls.is_enabled, cls.state == "ready", counts).limit(1)))


class KnowledgePassage(TenantModel):
    """A few hundred tokens of a source, with the headings above them, and the terms it is found by."""

    __table_args__ = (
        belongs_to("knowledge_sources", "source_id", ondelete="CASCADE"),
        Index("ix_knowledge_passages_source", "tenant_id", "source_id"),
        # A list of new entries beside the index would be read by every search, of any tenant.
        Index("ix_knowledge_passages_terms", "terms", postgresql_using="gin", postgresql_with={"fastupdate": "off"}),
    )

    source_id: Mapped[uuid.UUID]
    position: Mapped[int]
    heading: Mapped[str]
    body: Mapped[str]
    # Each begins with the tenant's mark, so that a search reads one tenant's.
    terms: Mapped[list[str]] = mapped_column(ARRAY(Text))
    is_live: Mapped[bool] = mapped_column(default=True)
    valid_from: Mapped[dt.datetime | None]
    valid_until: Mapped[dt.datetime | None]

    @classmethod
    def of_source(cls, source_id: uuid.UUID) -> Select[Self]:
        return select(cls).where(cls.source_id == source_id).order_by(cls.position)

    @classmethod
    def of(cls, source: KnowledgeSource, place: int, piece: Piece) -> Self:
        mark = tenant_mark(source.tenant_id)
        terms = [f"{mark}:{term}" for term in terms_of(f"{piece.heading}\n{piece.body}")]
        made = cls(id=uuid7(), source_id=source.id, position=place, heading=piece.heading, body=piece.body)
        made.terms = terms
        return made


def tenant_mark(tenant_id: uuid.UUID) -> str:
    """As `find_passages` makes it."""
    return str(tenant_id)[-6:]
