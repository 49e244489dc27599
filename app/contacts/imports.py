"""Contacts from a file of another program: read and checked by a job, reviewed by a person, imported as a whole."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, Index, Select, UniqueConstraint, delete, func, select, text
from sqlalchemy.orm import Mapped, mapped_column

from app.tenancy import TenantModel, User, belongs_to, current_tenant_id, db, now, of_tenant, one_of, uuid7
from app.words import N_

from .fields import MOST_FIELDS, ContactField
from .names import plain
from .refusals import Refusal
from .tables import MOST_BYTES, Unreadable
from .tables.columns import ONE_EACH

MOST_OPEN = 3
MOST_ATTEMPTS = 3
LASTS = dt.timedelta(days=7)
STATES = ("reading", "checking", "ready", "importing", "done", "failed")
BUSY = ("reading", "checking", "importing")
# In the words of the partial index.
IS_BUSY = "state in ('reading', 'checking', 'importing')"
NUMBER_CHOICES = ("first", "refuse")
FORMATS = ("", "csv", "xlsx", "vcard")


# Of one tenant, so that two files at once are counted.
LOCK = text("select pg_advisory_xact_lock(hashtextextended('contact imports', 0) # hashtextextended(:tenant, 0))")


class TooManyImports(Refusal):
    """Earlier imports have to be finished or discarded first."""


class ContactImport(TenantModel):
    """A person chooses `options`, `mapping`, `country`, `number_choice` and `evidence`; jobs write the rest."""

    __table_args__ = (
        of_tenant(),
        one_of("state", STATES),
        one_of("format", FORMATS),
        one_of("number_choice", NUMBER_CHOICES),
        Index("ix_contact_imports_busy", "created_at", postgresql_where=text(IS_BUSY)),
        Index("ix_contact_imports_old", "created_at", postgresql_where=text("not is_cleared")),
    )

    filename: Mapped[str]
    data: Mapped[bytes | None] = mapped_column(deferred=True)
    # What a person chose instead of what was guessed: encoding, delimiter, sheet, first_row.
    options: Mapped[dict[str, Any]] = mapped_column(default=dict)
    format: Mapped[str] = mapped_column(default="", server_default="")
    encoding: Mapped[str] = mapped_column(default="", server_default="")
    guessed_encoding: Mapped[str] = mapped_column(default="", server_default="")
    delimiter: Mapped[str] = mapped_column(default="", server_default="")
    sheet: Mapped[str] = mapped_column(default="", server_default="")
    sheets: Mapped[list[str]] = mapped_column(default=list)
    has_header: Mapped[bool] = mapped_column(default=True, server_default=text("true"))
    header: Mapped[list[str]] = mapped_column(default=list)
    # By column, as text: name, first_name, last_name, phone, tags, marketing, field:<id>, or new for a new field.
    mapping: Mapped[dict[str, Any]] = mapped_column(default=dict)
    # The country of numbers without a country code.
    country: Mapped[str] = mapped_column(default="", server_default="")
    number_choice: Mapped[str] = mapped_column(default="first", server_default="first")
    evidence: Mapped[str] = mapped_column(default="")
    state: Mapped[str] = mapped_column(default="reading")
    failure: Mapped[dict[str, Any]] = mapped_column(default=dict)
    counts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    outcome: Mapped[dict[str, Any]] = mapped_column(default=dict)
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    created_by_id: Mapped[uuid.UUID]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    finished_at: Mapped[dt.datetime | None]
    # Whether its rows are gone: people's data, which isn't needed after a week.
    is_cleared: Mapped[bool] = mapped_column(default=False, server_default=text("false"))

    @classmethod
    def begin(cls, filename: str, data: bytes, *, country: str, by: User) -> ContactImport:
        """Stores a file to be read by a job. Raises `Unreadable` or `TooManyImports`."""
        if not data:
            raise Unreadable(N_("The file is empty."))
        if len(data) > MOST_BYTES:
            raise Unreadable(
                N_("The file is larger than {count} MB. Split it into several files."), count=MOST_BYTES // 10**6
            )
        db.session.execute(LOCK, {"tenant": str(current_tenant_id())})
        if len(db.session.scalars(cls.unfinished().limit(MOST_OPEN)).all()) >= MOST_OPEN:
            raise TooManyImports(
                N_("Finish or discard an earlier import first. At most {count} can be open."), count=MOST_OPEN
            )
        made = cls(id=uuid7(), filename=plain(filename), data=data, country=country, created_by_id=by.id)
        db.session.add(made)
        return made

    @classmethod
    def unfinished(cls) -> Select[ContactImport]:
        return select(cls).where(cls.state.not_in(("done", "failed"))).order_by(cls.id.desc())

    @classmethod
    def claim(cls, id: object) -> ContactImport | None:
        """Locks an import that has work to be done, unless another job is at it."""
        due = select(cls).where(cls.id == id, cls.state.in_(BUSY)).with_for_update(skip_locked=True)
        return db.session.scalar(due.execution_options(populate_existing=True))

    @property
    def is_busy(self) -> bool:
        return self.state in BUSY

    @property
    def is_open(self) -> bool:
        """Whether it can still be changed or discarded."""
        return self.state in ("reading", "checking", "ready")

    @property
    def reason(self) -> str:
        """Why it failed, in the reader's language."""
        return Refusal.from_dict(self.failure).explain(_) if self.failure else ""

    @property
    def columns(self) -> dict[int, str]:
        return {int(column): target for column, target in self.mapping.items()}

    def reread(self, options: dict[str, str]) -> None:
        """Reads the file again, as a person says that it is written."""
        self.options, self.state, self.attempts = {key: value for key, value in options.items() if value}, "reading", 0

    def recheck(self, mapping: dict[str, str], *, country: str, number_choice: str, evidence: str) -> None:
        self.mapping = {column: target for column, target in mapping.items() if target}
        self.country, self.number_choice, self.evidence = country, number_choice, evidence
        self.state, self.attempts = "checking", 0

    def start(self) -> None:
        """Has a job import the rows without problems."""
        self.state, self.attempts = "importing", 0

    def fail(self, refusal: Refusal) -> None:
        self.state, self.failure, self.data, self.finished_at = "failed", refusal.as_dict(), None, now()

    def finish(self, outcome: dict[str, int]) -> None:
        """Deletes the imported rows; the skipped ones stay, for the page."""
        db.session.execute(delete(ImportRow).where(ImportRow.import_id == self.id, ImportRow.is_good))
        self.state, self.outcome, self.data, self.finished_at = "done", outcome, None, now()

    def clear(self) -> None:
        """Forgets the rows; of an import that was never run also that there was one."""
        mine = (ImportRow.tenant_id == self.tenant_id) & (ImportRow.import_id == self.id)
        db.session.execute(delete(ImportRow).where(mine))
        self.data, self.is_cleared = None, True
        if self.state != "done":
            db.session.delete(self)

    @property
    def blocker(self) -> str:
        """What has to be chosen differently before anything can be imported, in words."""
        targets = list(self.mapping.values())
        if "phone" not in targets:
            return str(_("Choose the column that holds the phone number."))
        single = [target for target in targets if target in ONE_EACH or target.startswith("field:")]
        if len(single) != len(set(single)):
            return str(_("Two columns are mapped to the same thing. Choose one of them."))
        if len(ContactField.all()) + targets.count("new") > MOST_FIELDS:
            return str(_("A business can have at most %(count)s fields.", count=MOST_FIELDS))
        if not self.evidence and self.counts.get("with_consent"):
            return str(_("Enter where and how these people agreed to marketing. It is stored with each consent."))
        return ""


class ImportRow(TenantModel):
    """One row of the file: its cells, and what they come to by the mapping."""

    __tablename__ = "contact_import_rows"
    __table_args__ = (
        belongs_to("contact_imports", "import_id", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "import_id", "number"),
        Index(
            "ix_contact_import_rows_bad",
            "tenant_id",
            "import_id",
            "number",
            postgresql_where=text("problems <> '[]'::jsonb"),
        ),
    )

    import_id: Mapped[uuid.UUID]
    number: Mapped[int]
    cells: Mapped[list[str]] = mapped_column(default=list)
    # What is wrong with the row before any column is looked at.
    damage: Mapped[dict[str, Any]] = mapped_column(default=dict)
    wa_id: Mapped[str] = mapped_column(default="")
    name: Mapped[str] = mapped_column(default="")
    tags: Mapped[list[str]] = mapped_column(default=list)
    marketing: Mapped[bool | None]
    # By the target of the column: field:<id>, or new:<column>.
    field_values: Mapped[dict[str, Any]] = mapped_column(default=dict)
    problems: Mapped[list[dict[str, Any]]] = mapped_column(default=list)

    is_good: ColumnElement[bool] = text("problems = '[]'::jsonb")  # type: ignore[assignment]
    is_bad: ColumnElement[bool] = text("problems <> '[]'::jsonb")  # type: ignore[assignment]

    @classmethod
    def of(cls, import_id: uuid.UUID, after: int = 0) -> Select[ImportRow]:
        return select(cls).where(cls.import_id == import_id, cls.number > after).order_by(cls.number)

    @property
    def reasons(self) -> list[tuple[str, str]]:
        """(title of the column, what is wrong) in the reader's language."""
        return [(problem.get("column", ""), Refusal.from_dict(problem).explain(_)) for problem in self.problems]


def count_rows(import_id: uuid.UUID, *conditions: Any) -> int:
    return db.session.scalars(
        select(func.count()).select_from(ImportRow).where(ImportRow.import_id == import_id, *conditions)
    ).one()
