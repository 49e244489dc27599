"""The list of templates: one row for each name and account, with the languages that it has."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, true, tuple_
from sqlalchemy.orm import defer

from app.meta.template_calls import AUTO_GENERATED
from app.tenancy import Paged, as_uuid, db

from .models import GONE, MessageTemplate
from .versions import OPEN, TemplateVersion

PAGE = 50
LONGEST_QUERY = 100
# Templates that Meta puts into every new account.
SAMPLES = (MessageTemplate.name == "hello_world", MessageTemplate.name.startswith("sample_", autoescape=True))
FILTERS = ("status", "category", "language", "folder", "account")


@dataclass(slots=True)
class Entry:
    """One template in all its languages. `open_states` are those of versions that are being worked on."""

    name: str
    waba_id: uuid.UUID
    rows: list[MessageTemplate] = field(default_factory=list)
    open_states: dict[uuid.UUID, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return self.rows[0].title

    @property
    def categories(self) -> list[str]:
        return list(dict.fromkeys(row.category for row in self.rows))

    @property
    def quality(self) -> str | None:
        """The worst of its languages."""
        scores = {row.quality_score for row in self.rows}
        return next((score for score in ("RED", "YELLOW", "GREEN") if score in scores), None)

    @property
    def used_at(self) -> dt.datetime | None:
        return max((row.used_at for row in self.rows if row.used_at), default=None)

    @property
    def folders(self) -> list[str]:
        return sorted({row.folder for row in self.rows if row.folder})

    @property
    def is_hidden(self) -> bool:
        return all(row.is_hidden for row in self.rows)


@dataclass(slots=True)
class TemplateListing:
    """What an address asks for. `arguments` make the same address again."""

    query: str = ""
    status: str = ""
    category: str = ""
    language: str = ""
    folder: str = ""
    account: uuid.UUID | None = None
    has_samples: bool = False

    @classmethod
    def read(cls, arguments: Mapping[str, Any]) -> TemplateListing:
        """What makes no sense finds nothing, or is passed over."""
        status, category, language, folder = (str(arguments.get(name) or "")[:200] for name in FILTERS[:4])
        query = str(arguments.get("q") or "").strip()[:LONGEST_QUERY]
        account, has_samples = as_uuid(arguments.get("account")), bool(arguments.get("samples"))
        return cls(query, status, category, language, folder, account, has_samples)

    @property
    def arguments(self) -> dict[str, str]:
        arguments = {name: getattr(self, name) for name in FILTERS} | {"q": self.query}
        arguments["samples"] = "1" if self.has_samples else ""
        return {name: str(value) for name, value in arguments.items() if value}

    @property
    def is_narrowed(self) -> bool:
        return bool(self.arguments.keys() - {"samples"})

    def load(self) -> tuple[Paged, list[Entry]]:
        """The page that the address asks for: its names in one statement, their languages in another."""
        named = select(MessageTemplate.name, MessageTemplate.waba_id).where(*self.conditions())
        page = Paged.of(named.group_by(MessageTemplate.name, MessageTemplate.waba_id).order_by(*ORDER), PAGE)
        return page, entries(page.rows, with_deleted=self.status == GONE)

    def conditions(self) -> Iterable[ColumnElement[bool]]:
        yield MessageTemplate.source != AUTO_GENERATED
        if self.query:
            words = self.query.lower().replace(" ", "_")
            yield MessageTemplate.name.contains(words, autoescape=True)
        elif not self.has_samples:
            yield ~or_(*SAMPLES)
        yield MessageTemplate.status == self.status if self.status else MessageTemplate.status != GONE
        if self.category:
            yield MessageTemplate.category == self.category
        if self.language:
            yield MessageTemplate.language == self.language
        if self.folder:
            yield MessageTemplate.folder == self.folder
        if self.account:
            yield MessageTemplate.waba_id == self.account


ORDER = (MessageTemplate.name, MessageTemplate.waba_id)


def entries(named: Iterable[tuple[str, uuid.UUID]], *, with_deleted: bool = False) -> list[Entry]:
    """All languages of these templates, with the state of what is being written."""
    by_key = {(name, waba_id): Entry(name, waba_id) for name, waba_id in named}
    key = tuple_(MessageTemplate.name, MessageTemplate.waba_id)
    is_open = and_(
        TemplateVersion.tenant_id == MessageTemplate.tenant_id,
        TemplateVersion.template_id == MessageTemplate.id,
        TemplateVersion.state.in_(OPEN),
    )
    listed = (
        select(MessageTemplate, TemplateVersion.state)
        .outerjoin(TemplateVersion, is_open)
        .where(key.in_(list(by_key)), MessageTemplate.source != AUTO_GENERATED)
        .where(true() if with_deleted else MessageTemplate.status != GONE)
        .options(defer(MessageTemplate.components))
        .order_by(MessageTemplate.language)
    )
    for template, state in db.session.execute(listed) if by_key else ():
        entry = by_key[template.name, template.waba_id]
        entry.rows.append(template)
        if state:
            entry.open_states[template.id] = state
    return [entry for entry in by_key.values() if entry.rows]


@dataclass(frozen=True, slots=True)
class Choices:
    """What the list can be narrowed to."""

    statuses: list[str]
    languages: list[str]
    folders: list[str]
    count: int
    sample_count: int

    @classmethod
    def load(cls) -> Choices:
        columns = (MessageTemplate.status, MessageTemplate.language, MessageTemplate.folder)
        samples = func.count().filter(or_(*SAMPLES), MessageTemplate.status != GONE)
        query: Any = select(*(func.array_agg(column.distinct()) for column in columns), func.count(), samples)
        *lists, count, sample_count = db.session.execute(query.where(MessageTemplate.source != AUTO_GENERATED)).one()
        statuses, languages, folders = (sorted(filter(None, each or ())) for each in lists)
        return cls(statuses, languages, folders, count, sample_count)
