"""Automations, their published versions, their runs with every step, and why the others did not run."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
import uuid
from typing import Any, Self

from sqlalchemy import ForeignKey, Index, Select, UniqueConstraint, delete, exists, false, func, select, text, true
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.inbox.conversations import Conversation
from app.signing import new_secret
from app.tenancy import (
    Actor,
    GlobalModel,
    TenantModel,
    belongs_to,
    current_tenant_id,
    database_now,
    db,
    now,
    of_tenant,
    one_of,
    uuid7,
)
from app.tenancy.actor import KINDS as ACTORS
from app.tenancy.sealed import Sealed

from .definitions import Definition
from .parts import Step, Trigger

MOST_AUTOMATIONS = 200
LONGEST_NAME = 80
REPEATS = ("always", "once", "days")
RUN_STATES = ("running", "waiting", "done", "stopped", "failed")
ACTIVE_STATES = ("running", "waiting")
# What a run waits for.
WAITS = ("time", "reply", "call")
# Traces and finished runs are deleted after this.
RETENTION = dt.timedelta(days=30)
RUNS_RETENTION = dt.timedelta(days=180)
# A run that a worker left behind goes on after this.
LEASE = dt.timedelta(seconds=30)
HOURLY_LIMIT, MOST_HOURLY = 20, 200


class TooManyAutomations(Exception):
    """The business has as many as it may have."""


class AutomationSettings(TenantModel):
    """There is a row once somebody has changed something, or an HTTP step was signed."""

    __tablename__ = "automation_settings"
    __table_args__ = (of_tenant(), UniqueConstraint("tenant_id"))

    # How many automatic messages one customer gets in an hour at most.
    hourly_limit: Mapped[int] = mapped_column(default=HOURLY_LIMIT, server_default=text("20"))
    # Signs the requests of HTTP steps.
    secret = Sealed()
    secret_ciphertext: Mapped[bytes | None]

    @classmethod
    def current(cls) -> Self:
        return db.session.scalar(select(cls)) or cls(hourly_limit=HOURLY_LIMIT)

    @classmethod
    def stored(cls) -> Self:
        """The row, locked, made where there is none."""
        row = {"tenant_id": current_tenant_id(), "id": uuid7(), "hourly_limit": HOURLY_LIMIT}
        db.session.execute(upsert(cls).values(row).on_conflict_do_nothing())
        return db.session.scalars(select(cls).with_for_update()).one()

    @classmethod
    def signing_secret(cls) -> str:
        """The secret of HTTP steps, made when it is needed first."""
        if (secret := cls.current().secret) is None:
            settings = cls.stored()
            secret = settings.secret or settings.renew_secret()
        return str(secret)

    def renew_secret(self) -> str:
        self.secret = new_secret()
        return str(self.secret)


class Automation(TenantModel):
    """What is edited is its `draft`; what runs is the version that was published last."""

    __table_args__ = (
        of_tenant(),
        one_of("repeats", REPEATS),
        Index("ix_automations_on", "tenant_id", "trigger_kind", postgresql_where=text("is_on and removed_at is null")),
    )

    name: Mapped[str]
    is_on: Mapped[bool] = mapped_column(default=False, server_default=false())
    # Its place among the others; the smaller comes first.
    position: Mapped[int] = mapped_column(default=0)
    # Whether those after it are left out once it runs.
    stops: Mapped[bool] = mapped_column(default=True, server_default=true())
    # Whether it also begins while a person has the conversation. What it sends is refused then.
    runs_beside_people: Mapped[bool] = mapped_column(default=False, server_default=false())
    # How often it runs for one customer: always, once, or once in `repeat_days`.
    repeats: Mapped[str] = mapped_column(default="always", server_default="always")
    repeat_days: Mapped[int] = mapped_column(default=1, server_default=text("1"))
    draft: Mapped[dict[str, Any]]
    version_number: Mapped[int] = mapped_column(default=0)
    version_id: Mapped[uuid.UUID | None]
    # The published version's trigger, by which happenings find it.
    trigger_kind: Mapped[str] = mapped_column(default="", server_default="")
    # Since when it has been on: what was so before does not begin it.
    on_since: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    changed_at: Mapped[dt.datetime] = mapped_column(default=now)
    removed_at: Mapped[dt.datetime | None]

    @classmethod
    def in_order(cls) -> Select[Self]:
        return select(cls).where(cls.removed_at.is_(None)).order_by(cls.position, cls.created_at, cls.id)

    @classmethod
    def find(cls, id: object) -> Self | None:
        results = super().find(id)
        return results if results and results.removed_at is None else None

    @classmethod
    def create(cls, name: str, definition: Definition, **settings: Any) -> Self:
        """Adds one that is off, at the end. Raises `TooManyAutomations`."""
        db.session.execute(
            select(func.pg_advisory_xact_lock(func.hashtextextended(f"automations {current_tenant_id()}", 0)))
        )
        there = list(db.session.scalars(cls.in_order()))
        if len(there) >= MOST_AUTOMATIONS:
            raise TooManyAutomations
        last = max((one.position for one in there), default=0)
        made = cls(id=uuid7(), name=name[:LONGEST_NAME], position=last + 1, draft=definition.as_json(), **settings)
        db.session.add(made)
        db.session.flush()
        return made

    @classmethod
    def listening(cls, kinds: set[str]) -> list[tuple[Self, AutomationVersion]]:
        """Those that are on and begin with one of these triggers, in their order, each with its version."""
        query = select(cls, AutomationVersion).join(AutomationVersion, AutomationVersion.id == cls.version_id)
        on = cls.is_on, cls.removed_at.is_(None), cls.trigger_kind.in_(sorted(kinds))
        rows = db.session.execute(query.where(*on).order_by(cls.position, cls.created_at, cls.id))
        return [(automation, version) for automation, version in rows]

    @property
    def actor(self) -> Actor:
        return Actor("automation", self.id, self.name)

    @property
    def definition(self) -> Definition:
        """The draft."""
        return Definition.read(self.draft)

    @property
    def version(self) -> AutomationVersion | None:
        """The published one."""
        return AutomationVersion.find(self.version_id) if self.version_id else None

    @property
    def has_changes(self) -> bool:
        """Whether the draft differs from what is published."""
        version = self.version
        return version is None or version.content != self.draft

    @property
    def versions(self) -> Select[AutomationVersion]:
        mine = select(AutomationVersion).where(AutomationVersion.automation_id == self.id)
        return mine.order_by(AutomationVersion.number.desc())

    @property
    def runs(self) -> Select[AutomationRun]:
        return AutomationRun.newest_first().where(AutomationRun.automation_id == self.id)

    def edit(self, definition: Definition) -> None:
        self.draft, self.changed_at = definition.as_json(), now()

    def publish(self, *, by: Actor) -> AutomationVersion:
        """Makes the draft the version that runs, with the row locked. Runs that have begun go on with theirs."""
        definition = self.definition
        version = AutomationVersion(id=uuid7(), automation_id=self.id, content=definition.as_json(), **by.columns("by"))
        version.number = self.version_number + 1
        db.session.add(version)
        db.session.flush()
        self.version_number, self.version_id, self.trigger_kind = version.number, version.id, definition.trigger.kind
        self.changed_at = now()
        return version

    def switch(self, *, is_on: bool) -> None:
        if (can_be_on := is_on and self.version_id is not None) and not self.is_on:
            self.on_since = now()
        self.is_on = can_be_on

    def move(self, by: int) -> None:
        """Swaps its place with the one before or after it."""
        there = list(db.session.scalars(type(self).in_order().with_for_update()))
        place = next(place for place, one in enumerate(there) if one.id == self.id)
        if 0 <= place + by < len(there):
            there[place], there[place + by] = there[place + by], there[place]
        for position, one in enumerate(there, 1):
            one.position = position

    def remove(self) -> None:
        """Its runs end, and stay as rows for a while."""
        self.is_on, self.removed_at = False, now()
        for run in db.session.scalars(self.runs.where(AutomationRun.state.in_(ACTIVE_STATES)).with_for_update()):
            run.finish("stopped", "removed")

    def open_address(self) -> str:
        """A new secret part of the address that another program calls; the one before stops working."""
        token = secrets.token_urlsafe(32)
        mine = AutomationRoute.tenant_id == self.tenant_id, AutomationRoute.automation_id == self.id
        route = db.session.scalar(select(AutomationRoute).where(*mine))
        if route is None:
            route = AutomationRoute(tenant_id=self.tenant_id, automation_id=self.id)
            db.session.add(route)
        route.secret_hash = hash_of(token)
        return token

    @property
    def has_address(self) -> bool:
        return bool(db.session.scalar(select(exists().where(AutomationRoute.automation_id == self.id))))


def hash_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


class AutomationRoute(GlobalModel):
    """Which automation an address is for, by the hash of its secret part."""

    __tablename__ = "automation_routes"
    is_reference = True
    __table_args__ = (Index("ix_automation_routes_automation_id", "automation_id"),)

    secret_hash: Mapped[str] = mapped_column(primary_key=True)
    tenant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"))
    automation_id: Mapped[uuid.UUID]


READ: dict[uuid.UUID, Definition] = {}
MOST_READ = 2_000


class AutomationVersion(TenantModel):
    """What was published. It never changes."""

    __table_args__ = (
        belongs_to("automations", "automation_id", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "automation_id", "number"),
        one_of("by_kind", ACTORS),
    )

    automation_id: Mapped[uuid.UUID]
    number: Mapped[int]
    content: Mapped[dict[str, Any]]
    by_kind: Mapped[str | None]
    by_id: Mapped[uuid.UUID | None]
    by_name: Mapped[str | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)

    @property
    def definition(self) -> Definition:
        """Read once in a process: it never changes."""
        if (parsed := READ.get(self.id)) is None:
            if len(READ) >= MOST_READ:
                READ.clear()
            parsed = READ[self.id] = Definition.read(self.content)
        return parsed


class AutomationRun(TenantModel):
    """One automation at work in one conversation. `key` names the happening, so that each begins a run once at most."""

    __table_args__ = (
        belongs_to("automations", "automation_id", ondelete="CASCADE"),
        belongs_to("automation_versions", "version_id", ondelete="CASCADE"),
        belongs_to("conversations", "conversation_id", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "automation_id", "key"),
        one_of("state", RUN_STATES),
        one_of("waits_for", WAITS),
        Index("ix_automation_runs_due", "next_at", postgresql_where=text("state in ('running', 'waiting')")),
        Index("ix_automation_runs_conversation", "tenant_id", "conversation_id", "id"),
        Index("ix_automation_runs_automation", "tenant_id", "automation_id", "id"),
        Index(
            "ix_automation_runs_waiting",
            "tenant_id",
            "conversation_id",
            postgresql_where=text("state in ('running', 'waiting')"),
        ),
    )

    automation_id: Mapped[uuid.UUID]
    version_id: Mapped[uuid.UUID]
    contact_id: Mapped[uuid.UUID]
    conversation_id: Mapped[uuid.UUID]
    key: Mapped[str]
    # The message that began it, if one did, and what else is known of the happening.
    message_id: Mapped[uuid.UUID | None]
    state: Mapped[str] = mapped_column(default="running")
    # The step that comes next, or that waits; null at the end.
    step_id: Mapped[uuid.UUID | None]
    waits_for: Mapped[str | None]
    # When it goes on: at the end of a wait, or where a worker that was at it has died.
    next_at: Mapped[dt.datetime | None]
    # How often the step that waits has been repeated.
    attempts: Mapped[int] = mapped_column(default=0)
    # Answers of the customer and of HTTP steps, by name.
    values: Mapped[dict[str, Any]] = mapped_column(default=dict)
    # The message by which the customer ended the wait.
    reply_id: Mapped[uuid.UUID | None]
    # Why it ended, where not at its last step.
    reason: Mapped[str] = mapped_column(default="")
    # By how many automations in a row it was begun.
    depth: Mapped[int] = mapped_column(default=0)
    started_at: Mapped[dt.datetime] = mapped_column(default=now)
    ended_at: Mapped[dt.datetime | None]
    automation: Mapped[Automation] = relationship(viewonly=True)
    conversation: Mapped[Conversation] = relationship(viewonly=True)

    @classmethod
    def newest_first(cls) -> Select[Self]:
        return select(cls).order_by(cls.id.desc())

    @classmethod
    def active_in(cls, conversation_id: uuid.UUID) -> Select[Self]:
        return select(cls).where(cls.conversation_id == conversation_id, cls.state.in_(ACTIVE_STATES)).order_by(cls.id)

    @classmethod
    def begin(cls, automation: Automation, version: AutomationVersion, **facts: Any) -> Self | None:
        """Begins a run, unless this happening has begun one of this automation. Returns None then."""
        first = version.definition.first()
        row = {"id": uuid7(), "tenant_id": current_tenant_id(), "automation_id": automation.id, "state": "running"}
        row |= {"version_id": version.id, "step_id": first and first.id, "next_at": now() + LEASE, "started_at": now()}
        row |= {"attempts": 0, "reason": "", "values": {}, "depth": 0}
        made = upsert(cls).values(row | facts).on_conflict_do_nothing().returning(cls.id)
        return cls.find(id) if (id := db.session.scalar(made)) else None

    @property
    def version(self) -> AutomationVersion:
        return AutomationVersion.get_or_404(self.version_id)

    @property
    def is_active(self) -> bool:
        return self.state in ACTIVE_STATES

    @property
    def steps(self) -> list[AutomationStep]:
        mine = select(AutomationStep).where(AutomationStep.run_id == self.id)
        return list(db.session.scalars(mine.order_by(AutomationStep.position)))

    def go_to(self, step: Step | None) -> None:
        """Continues with a step; at the end it is done."""
        self.waits_for, self.attempts = None, 0
        if step is None:
            self.finish("done")
        else:
            self.state, self.step_id, self.next_at = "running", step.id, now() + LEASE

    def wait(self, what: str, until: dt.datetime | None) -> None:
        self.state, self.waits_for, self.next_at = "waiting", what, until

    def receive(self, message_id: uuid.UUID) -> None:
        """The customer has replied: the step that waits for it goes on."""
        self.state, self.reply_id, self.next_at = "running", message_id, now() + LEASE

    @property
    def is_due(self) -> bool:
        """Whether it can go on now."""
        return self.state == "running" or bool(self.next_at and self.next_at <= now())

    def finish(self, state: str, reason: str = "") -> None:
        if self.is_active:
            self.state, self.reason, self.ended_at = state, reason, now()
            self.step_id = self.waits_for = self.next_at = None

    def record(self, step: Step, result: str, *, seen: dict[str, Any] | None = None, words: str = "") -> AutomationStep:
        """Adds what a step did to the run's story."""
        last = db.session.scalar(select(func.max(AutomationStep.position)).where(AutomationStep.run_id == self.id)) or 0
        made = AutomationStep(run_id=self.id, position=last + 1, step_id=step.id, kind=step.kind, result=result)
        made.seen, made.words = seen or {}, words
        db.session.add(made)
        db.session.flush()
        return made


class AutomationStep(TenantModel):
    """What one step of a run did: its result, what it went by, and words where something was refused."""

    __table_args__ = (
        belongs_to("automation_runs", "run_id", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "run_id", "position"),
    )

    run_id: Mapped[uuid.UUID]
    position: Mapped[int]
    step_id: Mapped[uuid.UUID]
    kind: Mapped[str]
    result: Mapped[str]
    seen: Mapped[dict[str, Any]] = mapped_column(default=dict)
    # A key of gettext with its facts in `seen`, or what another program said.
    words: Mapped[str] = mapped_column(default="")
    at: Mapped[dt.datetime] = mapped_column(default=now)


class AutomationTrace(TenantModel):
    """What every automation made of one happening: for each, whether it began and, if not, why not.

    `decisions` are `{"automation", "version", "why", …}` in the order in which they were made. `key` names the
    happening, so that it is decided once.
    """

    __table_args__ = (
        belongs_to("conversations", "conversation_id", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "key"),
        Index("ix_automation_traces_conversation", "tenant_id", "conversation_id", "id"),
        Index("ix_automation_traces_at", "at", postgresql_using="brin"),
    )

    conversation_id: Mapped[uuid.UUID]
    message_id: Mapped[uuid.UUID | None]
    key: Mapped[str]
    kind: Mapped[str]
    decisions: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    at: Mapped[dt.datetime] = mapped_column(default=now)

    @classmethod
    def claim(cls, conversation_id: uuid.UUID, key: str, kind: str, message_id: uuid.UUID | None) -> Self | None:
        """A row for a happening that was not decided yet; None where it was."""
        row = {"id": uuid7(), "tenant_id": current_tenant_id(), "conversation_id": conversation_id, "key": key}
        row |= {"kind": kind, "message_id": message_id, "decisions": [], "at": now()}
        made = upsert(cls).values(row).on_conflict_do_nothing().returning(cls.id)
        return cls.find(id) if (id := db.session.scalar(made)) else None

    @classmethod
    def of_message(cls, message_id: uuid.UUID, conversation_id: uuid.UUID) -> list[Self]:
        mine = cls.conversation_id == conversation_id, cls.message_id == message_id
        return list(db.session.scalars(select(cls).where(*mine).order_by(cls.id)))


def forget_old(most: int) -> bool:
    """Deletes the tenant's old traces and runs. Returns whether more are left."""
    at = database_now()
    old_traces = select(AutomationTrace.id).where(AutomationTrace.at < at - RETENTION).limit(most)
    ended = AutomationRun.ended_at < at - RUNS_RETENTION
    old_runs = select(AutomationRun.id).where(ended).limit(most)
    left = False
    for model, old in ((AutomationTrace, old_traces), (AutomationRun, old_runs)):
        ids = list(db.session.scalars(old))
        if ids:
            db.session.execute(delete(model).where(model.id.in_(ids)))
        left |= len(ids) == most
    return left


def triggers_of(happening: str) -> set[str]:
    """The kinds of triggers that listen to a kind of happening."""
    return {kind for kind, trigger in Trigger.registry.items() if happening in trigger.happenings}
