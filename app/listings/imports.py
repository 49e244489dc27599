"""Listings from a file: streamed by a job in chunks, each its own transaction, with every bad row reported."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import IO, Any, Self

from flask_babel import gettext as _
from sqlalchemy import Index, Select, UniqueConstraint, delete, false, select, text
from sqlalchemy.orm import Mapped, mapped_column

from app.api import ApiKey
from app.contacts.names import plain
from app.contacts.refusals import Refusal
from app.contacts.tables import Unreadable
from app.extensions import storage
from app.storage import StorageUnavailable, new_key
from app.tenancy import Actor, TenantModel, belongs_to, commit, current_tenant_id, db, now, of_tenant, one_of, uuid7
from app.tenancy.actor import KINDS as ACTORS
from app.words import N_

MOST_BYTES, MOST_ROWS = 100_000_000, 250_000
MOST_OPEN, MOST_ATTEMPTS = 3, 3
LASTS = dt.timedelta(days=7)
BUSY = ("waiting", "importing")
IS_BUSY = "state in ('waiting', 'importing')"
STATES = (*BUSY, "done", "failed")
SOURCES = ("upload", "api", "feed")
# Of one tenant, so that two files at once are counted.
LOCK = text("select pg_advisory_xact_lock(hashtextextended('listing imports', 0) # hashtextextended(:tenant, 0))")


class TooManyImports(Refusal):
    """Earlier imports have to be finished first."""


class ListingImport(TenantModel):
    """One file. `row` is the last row whose chunk is committed: killed anywhere, it goes on behind it."""

    __table_args__ = (
        of_tenant(),
        one_of("state", STATES),
        one_of("source", SOURCES),
        one_of("by_kind", ACTORS),
        Index("ix_listing_imports_busy", "worked_at", postgresql_where=text(IS_BUSY)),
        Index("ix_listing_imports_old", "created_at", postgresql_where=text("not is_cleared")),
        Index("ix_listing_imports_newest", "tenant_id", text("id desc")),
    )

    filename: Mapped[str]
    storage_key: Mapped[str] = mapped_column(default="", server_default="")
    format: Mapped[str] = mapped_column(default="", server_default="")
    encoding: Mapped[str] = mapped_column(default="", server_default="")
    delimiter: Mapped[str] = mapped_column(default="", server_default="")
    # What each column of a table holds, and the titles that say nothing to us.
    columns: Mapped[dict[str, Any]] = mapped_column(default=dict)
    ignored: Mapped[list[str]] = mapped_column(default=list)
    # Of prices without one, and whether listings that are missing in it are withdrawn.
    currency: Mapped[str] = mapped_column(default="", server_default="")
    withdraws: Mapped[bool] = mapped_column(default=False, server_default=false())
    state: Mapped[str] = mapped_column(default="waiting")
    failure: Mapped[dict[str, Any]] = mapped_column(default=dict)
    row: Mapped[int] = mapped_column(default=0, server_default="0")
    created: Mapped[int] = mapped_column(default=0, server_default="0")
    changed: Mapped[int] = mapped_column(default=0, server_default="0")
    same: Mapped[int] = mapped_column(default=0, server_default="0")
    bad: Mapped[int] = mapped_column(default=0, server_default="0")
    withdrawn: Mapped[int] = mapped_column(default=0, server_default="0")
    # Why nothing was withdrawn although that was chosen.
    guard: Mapped[dict[str, Any]] = mapped_column(default=dict)
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    source: Mapped[str]
    by_kind: Mapped[str]
    by_id: Mapped[uuid.UUID | None]
    by_name: Mapped[str | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    worked_at: Mapped[dt.datetime] = mapped_column(default=now)
    finished_at: Mapped[dt.datetime | None]
    is_cleared: Mapped[bool] = mapped_column(default=False, server_default=false())

    @classmethod
    def begin(cls, filename: str, file: IO[bytes], *, currency: str, withdraws: bool, source: str, by: Actor) -> Self:
        """Puts a file into storage for a job to read; commits before, as that takes a while.

        Raises `Unreadable`, `TooManyImports` and `StorageUnavailable`.
        """
        size = file.seek(0, 2)
        file.seek(0)
        if not size:
            raise Unreadable(N_("The file is empty."))
        if size > MOST_BYTES:
            raise Unreadable(
                N_("The file is larger than {count} MB. Split it into several files."), count=MOST_BYTES // 10**6
            )
        db.session.execute(LOCK, {"tenant": str(current_tenant_id())})
        if len(db.session.scalars(select(cls.id).where(cls.state.in_(BUSY)).limit(MOST_OPEN)).all()) >= MOST_OPEN:
            raise TooManyImports(
                N_("Wait for an earlier import. At most {count} can be on their way."), count=MOST_OPEN
            )
        made = cls(id=uuid7(), filename=plain(filename) or "listings", storage_key=new_key(current_tenant_id()))
        made.currency, made.withdraws, made.source = currency, withdraws, source
        for name, value in by.columns("by").items():
            setattr(made, name, value)
        db.session.add(made)
        commit()
        try:
            storage.put(made.storage_key, file)  # type: ignore[arg-type]
        except StorageUnavailable:
            db.session.delete(made)
            commit()
            raise
        return made

    @classmethod
    def newest(cls) -> Select[Self]:
        return select(cls).order_by(cls.id.desc())

    @classmethod
    def claim(cls, id: object) -> Self | None:
        """Locks an import that has work to be done, unless another job is at it."""
        due = select(cls).where(cls.id == id, cls.state.in_(BUSY)).with_for_update(skip_locked=True)
        return db.session.scalar(due.execution_options(populate_existing=True))

    @property
    def api_key(self) -> ApiKey | None:
        """The key that a program sent the file with."""
        return ApiKey.find(self.by_id) if self.by_kind == "api" else None

    @property
    def by(self) -> Actor:
        return Actor(self.by_kind, self.by_id, self.by_name or "")

    @property
    def is_busy(self) -> bool:
        return self.state in BUSY

    @property
    def good(self) -> int:
        return self.created + self.changed + self.same

    @property
    def reason(self) -> str:
        """Why it failed, in the reader's language."""
        return Refusal.from_dict(self.failure).explain(_) if self.failure else ""

    @property
    def guard_words(self) -> str:
        return Refusal.from_dict(self.guard).explain(_) if self.guard else ""

    def fail(self, refusal: Refusal) -> None:
        """What was stored stays stored; nothing is withdrawn."""
        self.state, self.failure = "failed", refusal.as_dict()
        self.end()

    def finish(self) -> None:
        self.state = "done"
        self.end()

    def end(self) -> None:
        self.finished_at = now()

    def clear(self) -> None:
        """Deletes the report; the row with its counts stays."""
        mine = ImportProblem.tenant_id == self.tenant_id, ImportProblem.import_id == self.id
        db.session.execute(delete(ImportProblem).where(*mine))
        self.is_cleared = True


class ImportProblem(TenantModel):
    """What is wrong with one row: its number in the file, the column, and why in words."""

    __tablename__ = "listing_import_problems"
    __table_args__ = (
        belongs_to("listing_imports", "import_id", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "import_id", "number"),
    )

    import_id: Mapped[uuid.UUID]
    number: Mapped[int]
    column: Mapped[str] = mapped_column(default="", server_default="")
    words: Mapped[str]
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)

    @classmethod
    def of(cls, import_id: uuid.UUID, after: int = 0) -> Select[Self]:
        return select(cls).where(cls.import_id == import_id, cls.number > after).order_by(cls.number)

    @property
    def reason(self) -> str:
        return Refusal(self.words, **self.facts).explain(_)
