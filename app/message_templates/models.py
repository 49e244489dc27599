"""The message templates of each WABA, as Meta last fetched them."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, Self

from sqlalchemy import Select, UniqueConstraint, delete, select
from sqlalchemy.orm import Mapped, mapped_column

from app.meta import message_templates as meta
from app.meta.errors import MetaError
from app.meta.payload import mapping
from app.tenancy import TenantModel, announce, belongs_to, db, exists, happened, later, now
from app.wabas.models import Waba

FRESH = dt.timedelta(minutes=10)
ASKED = dt.timedelta(seconds=30)
MOST_OFFERED = 200


class TemplateList(TenantModel):
    """When a WABA's templates were last asked for, and what came of it."""

    __table_args__ = (UniqueConstraint("tenant_id", "waba_id"), belongs_to("wabas", "waba_id"))

    waba_id: Mapped[uuid.UUID]
    asked_at: Mapped[dt.datetime | None]
    fetched_at: Mapped[dt.datetime | None]
    error: Mapped[dict[str, Any] | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)

    @classmethod
    def of(cls, waba_id: uuid.UUID) -> Self:
        known = db.session.scalar(select(cls).where(cls.waba_id == waba_id))
        return known or cls(waba_id=waba_id)

    @classmethod
    def fresh(cls, waba_id: uuid.UUID) -> Self:
        """What is known of a WABA's templates; Meta is asked again when that is old."""
        known = cls.of(waba_id)
        if known.is_due:
            known.ask()
            later("message_templates.fetch", waba_id)
        return known

    @classmethod
    def refresh_all(cls) -> None:
        for waba_id in db.session.scalars(select(Waba.id)):
            cls.fresh(waba_id)

    @property
    def is_loading(self) -> bool:
        """Whether the first answer of Meta's is still to come."""
        return self.fetched_at is None and self.error is None

    @property
    def is_due(self) -> bool:
        """Whether Meta should be asked again, and nobody is at it. A list with nothing to send is soon asked again."""
        fresh = FRESH if exists(MessageTemplate.sendable_of(self.waba_id)) else ASKED
        is_old = self.fetched_at is None or self.fetched_at < now() - fresh
        return is_old and (self.asked_at is None or self.asked_at < now() - ASKED)

    def ask(self) -> None:
        self.asked_at = now()
        db.session.add(self)

    def store(self, templates: list[tuple[str, meta.Template]]) -> None:
        """What Meta fetched now; what it did not tell is gone."""
        stored = {(one.name, one.language): one for one in db.session.scalars(MessageTemplate.of(self.waba_id))}
        for meta_id, fetched in templates:
            row = stored.pop((fetched.name, fetched.language), None) or MessageTemplate(waba_id=self.waba_id)
            row.copy(meta_id, fetched)
            db.session.add(row)
        db.session.execute(delete(MessageTemplate).where(MessageTemplate.id.in_([one.id for one in stored.values()])))
        self.fetched_at, self.error = now(), None
        announce("templates", self.waba_id)
        happened("template.refreshed", self.waba_id)

    def fail(self, error: MetaError) -> None:
        self.error = error.as_dict()
        announce("templates", self.waba_id)


class MessageTemplate(TenantModel):
    """One template in one language."""

    __table_args__ = (UniqueConstraint("tenant_id", "waba_id", "name", "language"), belongs_to("wabas", "waba_id"))

    waba_id: Mapped[uuid.UUID]
    meta_id: Mapped[str]
    name: Mapped[str]
    language: Mapped[str]
    category: Mapped[str]
    status: Mapped[str]
    parameter_format: Mapped[str]
    components: Mapped[list[dict[str, Any]]]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    # When somebody here last sent it: what is used is offered first.
    used_at: Mapped[dt.datetime | None]

    @classmethod
    def of(cls, waba_id: uuid.UUID) -> Select[Self]:
        return select(cls).where(cls.waba_id == waba_id).order_by(cls.name, cls.language)

    @classmethod
    def sendable(cls, waba_id: uuid.UUID) -> list[Self]:
        """The first MOST_OFFERED of those that Meta lets one send."""
        return list(db.session.scalars(cls.sendable_of(waba_id).limit(MOST_OFFERED)))

    @classmethod
    def sendable_of(cls, waba_id: uuid.UUID) -> Select[Self]:
        return cls.of(waba_id).where(cls.status.in_(meta.SENDABLE))

    @classmethod
    def sendable_called(cls, waba_id: uuid.UUID, name: str, language: str) -> Self | None:
        called = cls.of(waba_id).where(cls.name == name, cls.language == language, cls.status.in_(meta.SENDABLE))
        return db.session.scalar(called)

    @classmethod
    def whole(cls) -> list[Self]:
        """Those of any WABA that go out as they are, with nothing to fill in: one for each name and language."""
        sendable = (
            select(cls)
            .where(cls.status.in_(meta.SENDABLE))
            .order_by(cls.name, cls.language, cls.id)
            .limit(MOST_OFFERED)
        )
        found = [one for one in db.session.scalars(sendable) if one.definition.goes_as_it_is]
        return list({one.key: one for one in found}.values())

    @property
    def is_sendable(self) -> bool:
        return self.status in meta.SENDABLE

    @property
    def key(self) -> str:
        """Names it in a form, and in every WABA that has it."""
        return f"{self.name}|{self.language}"

    @classmethod
    def sent_as(cls, waba_id: uuid.UUID, raw: dict[str, Any]) -> Self | None:
        """The one that a message names, as messages name them."""
        language = mapping(raw.get("language")).get("code")
        named = cls.name == str(raw.get("name")), cls.language == str(language)
        return db.session.scalar(select(cls).where(cls.waba_id == waba_id, *named))

    def use(self) -> None:
        self.used_at = now()

    def copy(self, meta_id: str, fetched: meta.Template) -> None:
        self.meta_id, self.name, self.language = meta_id, fetched.name, fetched.language
        self.category, self.status, self.components = fetched.category, fetched.status, fetched.components
        self.parameter_format = "NAMED" if fetched.is_named else "POSITIONAL"

    @property
    def definition(self) -> meta.Template:
        is_named = self.parameter_format == "NAMED"
        return meta.Template(self.name, self.language, self.category, self.status, is_named, self.components)

    @property
    def title(self) -> str:
        return self.name.replace("_", " ").capitalize()
