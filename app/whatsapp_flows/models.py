"""Flows and their versions. A published version is never changed at Meta: a new one is another flow there."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import uuid
from typing import Any, Self

from sqlalchemy import Index, Select, UniqueConstraint, false, func, select, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.meta import flow_json as meta
from app.meta import outgoing
from app.meta.flow_calls import Fetched
from app.meta.outgoing import Outgoing
from app.signing import new_secret
from app.tenancy import Actor, TenantModel, announce, belongs_to, db, exists, now, one_of, uuid7
from app.tenancy.sealed import Sealed
from app.wabas.models import Waba

LONGEST_NAME = 200
# Not at Meta yet, and deleted there. Every other status is Meta's word.
LOCAL, GONE = "LOCAL", "DELETED"
SENDABLE = ("PUBLISHED", "THROTTLED")
EDITABLE = (LOCAL, "DRAFT")
# What is being done with a version at Meta, for the job that does it.
TASKS = ("", "upload", "publish", "deprecate", "delete")
MOST_NOTICES = 50


class NameTaken(ValueError):
    """The account has a form of this name."""


class WhatsappFlow(TenantModel):
    """A form, made here or found at Meta. `field_map` says which contact field takes which answer."""

    __table_args__ = (
        belongs_to("wabas", "waba_id"),
        UniqueConstraint("tenant_id", "waba_id", "name"),
        one_of("source", ("here", "meta")),
    )

    waba_id: Mapped[uuid.UUID]
    name: Mapped[str]
    source: Mapped[str]
    categories: Mapped[list[str]] = mapped_column(default=list)
    field_map: Mapped[dict[str, Any]] = mapped_column(default=dict)
    # Where a form with choices from a program asks for them, and with which secret the calls are signed.
    lookup_url: Mapped[str] = mapped_column(default="", server_default="")
    # Instead of a program: one of `lookups.SOURCES`.
    lookup_source: Mapped[str] = mapped_column(default="", server_default="")
    lookup_secret = Sealed()
    lookup_secret_ciphertext: Mapped[bytes | None]
    is_archived: Mapped[bool] = mapped_column(default=False, server_default=false())
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    versions: Mapped[list[FlowVersion]] = relationship(viewonly=True, order_by="FlowVersion.number.desc()")
    waba: Mapped[Waba] = relationship(viewonly=True)

    @classmethod
    def listed(cls) -> Select[Self]:
        return select(cls).where(cls.is_archived.is_(False)).order_by(cls.created_at.desc(), cls.id.desc())

    @classmethod
    def begin(
        cls, waba_id: uuid.UUID, name: str, categories: list[str], screens: list[dict[str, Any]], *, by: Actor
    ) -> Self:
        """A form with its first version, not at Meta yet. Raises `NameTaken`."""
        if exists(select(cls.id).where(cls.waba_id == waba_id, cls.name == name)):
            raise NameTaken
        flow = cls(id=uuid7(), waba_id=waba_id, name=name, source="here", categories=categories)
        db.session.add(flow)
        db.session.flush()
        FlowVersion.begin(flow, screens, by=by)
        return flow

    @property
    def newest(self) -> FlowVersion:
        return self.versions[0]

    @property
    def sendable(self) -> FlowVersion | None:
        """The newest version that Meta lets out."""
        return next((version for version in self.versions if version.is_sendable), None)

    @property
    def edition(self) -> str:
        """What an editor began with: it differs once somebody else has saved something else."""
        held = json.dumps([self.newest.screens, self.field_map], sort_keys=True)
        return hashlib.sha256(held.encode()).hexdigest()[:20]

    @property
    def is_editable(self) -> bool:
        """Whether its screens are ours to change."""
        return self.source == "here"

    def point_at(self, url: str) -> str:
        """Sets where its choices come from. Returns the secret that signs the calls, where a new one was made."""
        is_new = bool(url) and url != self.lookup_url
        self.lookup_url = url
        if not url:
            self.lookup_secret = None
        if not is_new:
            return ""
        self.lookup_secret = secret = new_secret()
        return secret

    def edit(self, screens: list[dict[str, Any]], *, by: Actor) -> FlowVersion:
        """Changes the draft, or begins a new version where the last one was published."""
        version = self.newest.refresh_locked()
        if version.status not in EDITABLE:
            return FlowVersion.begin(self, screens, by=by)
        if version.task:
            raise Busy
        version.write(screens)
        return version


class Busy(ValueError):
    """The version is on its way to Meta."""


class FlowVersion(TenantModel):
    """One text of a form, and what it is at Meta. `screens` is empty where it was made elsewhere."""

    __table_args__ = (
        belongs_to("whatsapp_flows", "flow_id", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "flow_id", "number"),
        Index("uq_flow_versions_meta_id", "tenant_id", "meta_id", unique=True, postgresql_where=text("meta_id <> ''")),
        Index("ix_flow_versions_task", "task_at", postgresql_where=text("task <> ''")),
        one_of("task", TASKS),
    )

    flow_id: Mapped[uuid.UUID]
    number: Mapped[int]
    meta_id: Mapped[str] = mapped_column(default="", server_default="")
    status: Mapped[str] = mapped_column(default=LOCAL)
    # Both may be large: read when they are needed.
    screens: Mapped[list[dict[str, Any]]] = mapped_column(default=list, deferred=True)
    flow_json: Mapped[dict[str, Any]] = mapped_column(default=dict, deferred=True)
    # What Meta finds wrong with it, and why the last thing that was done with it failed.
    problems: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    error: Mapped[dict[str, Any] | None]
    preview_url: Mapped[str] = mapped_column(default="", server_default="")
    preview_expires_at: Mapped[dt.datetime | None]
    # What a job is to do at Meta, how often it has tried, and when it may try again.
    task: Mapped[str] = mapped_column(default="", server_default="")
    task_attempts: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    task_at: Mapped[dt.datetime | None]
    published_at: Mapped[dt.datetime | None]
    created_by: Mapped[dict[str, Any] | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    flow: Mapped[WhatsappFlow] = relationship(viewonly=True)

    @classmethod
    def begin(cls, flow: WhatsappFlow, screens: list[dict[str, Any]], *, by: Actor | None) -> Self:
        last = db.session.scalar(select(func.max(cls.number)).where(cls.flow_id == flow.id)) or 0
        version = cls(id=uuid7(), flow_id=flow.id, number=last + 1, status=LOCAL, created_by=by and by.as_json())
        version.write(screens)
        db.session.add(version)
        db.session.flush()
        db.session.expire(flow, ["versions"])
        return version

    @classmethod
    def with_meta_id(cls, meta_id: str) -> Self | None:
        return db.session.scalar(select(cls).where(cls.meta_id == meta_id)) if meta_id else None

    @property
    def name_at_meta(self) -> str:
        """Unique in the account, as Meta wants it."""
        return self.flow.name if self.number == 1 else f"{self.flow.name} ({self.number})"

    @property
    def is_sendable(self) -> bool:
        return self.status in SENDABLE and not self.task

    def message(self, body: str, button: str, header: str = "", footer: str = "") -> Outgoing:
        """The message that offers it. Where customers' phones ask us, the first screen comes from the data endpoint."""
        more: dict[str, Any] = {"header": header, "footer": footer}
        first = meta.screen_id(0) if self.screens else ""
        return outgoing.flow(body, button, self.meta_id, screen=first, exchanges=self.is_live, **more)

    @property
    def is_editable(self) -> bool:
        return self.status in EDITABLE

    @property
    def is_live(self) -> bool:
        """Whether customers' phones ask us while it is being filled in."""
        return meta.is_live(self.screens)

    @property
    def mistakes(self) -> list[meta.Problem]:
        """What Meta would refuse in it."""
        return meta.problems_of(self.screens)

    @property
    def questions(self) -> list[meta.Question]:
        return meta.questions_in(self.flow_json)

    def write(self, screens: list[dict[str, Any]]) -> None:
        self.screens = screens
        self.flow_json = meta.build(screens) if screens else {}
        self.problems, self.error = [], None

    def takes(self, task: str) -> bool:
        """Whether this can be done with it now, as it is."""
        match task:
            case "upload" | "publish":
                return self.is_editable and bool(self.screens) and not self.mistakes
            case "deprecate":
                return self.status in ("PUBLISHED", "THROTTLED", "BLOCKED")
        return self.is_editable

    def begin_task(self, task: str) -> None:
        """Has a job do it at Meta (`flows.run`). Raises `Busy`."""
        version = self.refresh_locked()
        if version.task:
            raise Busy
        version.task, version.task_attempts, version.task_at, version.error = task, 0, now(), None
        self.announce()

    def turn(self, status: str) -> None:
        """Takes a status that was read from Meta."""
        if status and status != self.status:
            FlowNotice.add(self, "FLOW_STATUS_CHANGE", {"old_status": self.status, "new_status": status})
            self.status = status
            if status == "PUBLISHED":
                self.published_at = self.published_at or now()
        self.announce()

    def take(self, fetched: Fetched) -> None:
        """Stores what Meta says of it at this moment."""
        self.turn(fetched.status)
        self.problems = [problem.as_dict() for problem in fetched.problems]
        self.preview_url = fetched.preview_url or self.preview_url
        self.preview_expires_at = fetched.preview_expires_at or self.preview_expires_at

    def announce(self) -> None:
        announce("flow", self.flow_id)

    @property
    def notices(self) -> list[FlowNotice]:
        """What Meta reported of it, newest first."""
        query = (
            select(FlowNotice)
            .where(FlowNotice.version_id == self.id)
            .order_by(FlowNotice.at.desc(), FlowNotice.id.desc())
        )
        return list(db.session.scalars(query.limit(MOST_NOTICES)))


class FlowNotice(TenantModel):
    """Something that Meta reported of a version: a status, errors on phones or of the data endpoint."""

    __table_args__ = (
        belongs_to("flow_versions", "version_id", ondelete="CASCADE"),
        Index("ix_flow_notices_version", "tenant_id", "version_id", text("at desc")),
        UniqueConstraint("tenant_id", "version_id", "event", "at"),
    )

    version_id: Mapped[uuid.UUID]
    event: Mapped[str]
    facts: Mapped[dict[str, Any]]
    at: Mapped[dt.datetime] = mapped_column(default=now)

    @classmethod
    def add(cls, version: FlowVersion, event: str, facts: dict[str, Any], at: dt.datetime | None = None) -> None:
        """Adds it once, whatever is posted again."""
        moment = at or now()
        same = cls.version_id == version.id, cls.event == event, cls.at == moment
        if not exists(select(cls.id).where(*same)):
            db.session.add(cls(id=uuid7(), version_id=version.id, event=event[:60], facts=facts, at=moment))
            db.session.flush()


class FlowList(TenantModel):
    """When the forms of an account were last read from Meta; its id is the account's."""

    __table_args__ = (belongs_to("wabas", "id", ondelete="CASCADE"),)

    fetched_at: Mapped[dt.datetime | None]
    error: Mapped[dict[str, Any] | None]

    @classmethod
    def of(cls, waba_id: uuid.UUID) -> Self:
        made = cls.find(waba_id) or cls(id=waba_id)
        db.session.add(made)
        return made
