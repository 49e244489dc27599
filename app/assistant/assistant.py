"""The assistant of a business and its versions. A version never changes; a conversation keeps the one it began with."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Index, Select, UniqueConstraint, false, func, select, text, update
from sqlalchemy.orm import Mapped, mapped_column

from app.message_templates.uses import Use, uses_templates
from app.tenancy import Actor, TenantModel, belongs_to, current_tenant_id, db, later, now, of_tenant, one_of, uuid7
from app.words import N_

from .phrases import DISCLOSURES, LANGUAGES

# How passages become vectors: not at all, by a model on this machine, or by the business's provider.
EMBEDDINGS = ("", "local", "provider")
MODES = ("off", "suggests", "approval", "alone")
LONGEST_INSTRUCTIONS = 20_000
LONGEST_TEXT = 500
MOST_TOPICS, MOST_CONTACTS, MOST_HOSTS = 50, 200, 50
Hours = Literal["always", "closed", "nobody_online"]
Tone = Literal["friendly", "neutral", "formal"]


class Tools(BaseModel):
    """What it may do beside writing. Everything is off until a person switches it on."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    contact_fields: bool = False
    # Voice is personal data, and each file costs a call: it listens and looks only where a person said so.
    hears: bool = False
    sees: bool = False
    tags: list[uuid.UUID] = []
    teams: list[uuid.UUID] = []
    templates: list[str] = []
    actions: list[uuid.UUID] = []
    # Names of `lookups.LOOKUPS`: what it may read of the customer whom it answers.
    lookups: list[str] = []


class Setup(BaseModel):
    """All that a version says."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    name: str = ""
    # What it is for, in the business's words: Meta allows a business's own assistant, and no general one.
    purpose: str = ""
    instructions: str = Field(default="", max_length=LONGEST_INSTRUCTIONS)
    tone: Tone = "friendly"
    # Codes it may answer in; empty: any.
    languages: list[str] = []
    disclosure: dict[str, str] = {}
    hand_over_text: dict[str, str] = {}
    closed_text: dict[str, str] = {}
    topics: list[str] = []
    # Hosts to which it may link beside those in its knowledge.
    hosts: list[str] = []
    model: str = ""
    # Where: empty lists are everywhere and everybody.
    numbers: list[uuid.UUID] = []
    teams: list[uuid.UUID] = []
    # The links, buttons and ads by which a customer first came.
    entry_points: list[uuid.UUID] = []
    contacts: list[str] = []
    percentage: int = 100
    hours: Hours = "always"
    # When people take over.
    hand_over_team: uuid.UUID | None = None
    debounce_seconds: int = 4
    most_turns: int = 20
    most_per_hour: int = 12
    money_per_day: int = 2_000_000
    # Since it was last resolved; None: only the day's counts.
    money_per_conversation: int | None = None
    most_tokens: int = 1_000
    tools: Tools = Tools()

    def disclosure_in(self, language: str, business: str) -> str:
        """The sentence that says that it is no person; "" where the business confirmed none."""
        chosen = self.disclosure.get(language) or self.disclosure.get("en") or next(iter(self.disclosure.values()), "")
        return chosen.replace("{business}", business)

    @property
    def discloses(self) -> bool:
        """Whether there is a disclosure in every language that it may answer in (EU AI Act, Article 50(1))."""
        return all(self.disclosure.get(code, "").strip() for code in self.languages or LANGUAGES)

    def language_for(self, code: str) -> str:
        """The language to answer in: the customer's where it is allowed, else the first of those that are."""
        if not self.languages:
            return code
        return code if code in self.languages else self.languages[0]


class Assistant(TenantModel):
    """One per tenant: its mode and the version that is live."""

    __table_args__ = (
        of_tenant(),
        UniqueConstraint("tenant_id"),
        belongs_to("assistant_versions", "version_id"),
        one_of("mode", MODES),
        one_of("embedding", EMBEDDINGS),
        Index(
            "ix_assistants_embedding_due",
            "embedding_due_at",
            postgresql_where=text("embedding_due_at is not null"),
        ),
    )

    mode: Mapped[str] = mapped_column(default="off")
    version_id: Mapped[uuid.UUID | None]
    # Whether it proposes knowledge from resolved conversations.
    learns: Mapped[bool] = mapped_column(default=False, server_default=false())
    # What makes the vectors of passages, its model (empty: the usual one), when there is something to do, and what went
    # wrong last (a key of `words.PROBLEMS`).
    embedding: Mapped[str] = mapped_column(default="", server_default="")
    embedding_model: Mapped[str] = mapped_column(default="", server_default="")
    embedding_due_at: Mapped[dt.datetime | None]
    embedding_problem: Mapped[str] = mapped_column(default="", server_default="")
    created_at: Mapped[dt.datetime] = mapped_column(default=now)

    @classmethod
    def current(cls) -> Self | None:
        return db.session.scalar(select(cls))

    @classmethod
    def get_or_make(cls) -> Self:
        if (existing := cls.current()) is not None:
            return existing
        made = cls(id=uuid7(), tenant_id=current_tenant_id(), mode="off")
        db.session.add(made)
        db.session.flush()
        return made

    @property
    def version(self) -> AssistantVersion | None:
        """The live one."""
        return AssistantVersion.find(self.version_id)

    @property
    def draft(self) -> AssistantVersion | None:
        """The newest one, live or not."""
        return db.session.scalar(AssistantVersion.newest_first().limit(1))

    def save(self, setup: Setup, *, by: Actor) -> AssistantVersion:
        """Adds a version; the live one stays until this is published. Without a change there is none."""
        self.lock()
        last = self.draft
        if last and last.setup == setup:
            return last
        count = db.session.scalars(select(func.coalesce(func.max(AssistantVersion.number), 0))).one()
        made = AssistantVersion(id=uuid7(), number=count + 1, content=setup.model_dump(mode="json"))
        made.created_by = by.as_json()
        db.session.add(made)
        db.session.flush()
        return made

    def publish(self, version: AssistantVersion) -> None:
        """New conversations use it from now on."""
        self.lock()
        self.version_id = version.id
        if version.published_at is None:
            version.published_at = now()
        if self.mode == "alone" and not version.setup.discloses:
            self.mode = "suggests"

    def switch(self, mode: str) -> None:
        self.lock()
        self.mode = mode

    def embed_by(self, embedding: str, model: str) -> None:
        """Has all passages turned into vectors in this way from now on; "" forgets those there are."""
        self.lock()
        self.embedding, self.embedding_model, self.embedding_problem = embedding, model, ""
        self.embedding_due_at = now()
        later("assistant.embed")

    @classmethod
    def embed_later(cls) -> None:
        """Passages have changed."""
        mine = update(cls).where(cls.embedding != "").values(embedding_due_at=now(), embedding_problem="")
        changed = db.session.execute(mine.returning(cls.id), execution_options={"synchronize_session": False})
        if changed.first():
            later("assistant.embed")

    def claim_embedding(self, lease: dt.timedelta) -> bool:
        """Takes the passages that are due. A worker that dies loses them after the lease."""
        self.lock()
        if self.embedding_due_at is None or self.embedding_due_at > now():
            return False
        self.embedding_due_at = now() + lease
        return True

    def put_off_embedding(self, problem: str, pause: dt.timedelta | None) -> None:
        """Nothing more is to be done until then; without a pause, until passages change."""
        self.embedding_problem, self.embedding_due_at = problem, now() + pause if pause else None

    def lock(self) -> None:
        """Also where it was changed a moment ago: what is not written yet would be lost."""
        db.session.flush()
        self.refresh_locked()

    def actor(self, setup: Setup) -> Actor:
        return Actor("assistant", self.id, setup.name)


class AssistantVersion(TenantModel):
    """A set-up of the assistant as it was saved. Rows are added, and only ever marked as published."""

    __table_args__ = (of_tenant(), UniqueConstraint("tenant_id", "number"))

    number: Mapped[int]
    content: Mapped[dict[str, Any]]
    created_by: Mapped[dict[str, Any] | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    published_at: Mapped[dt.datetime | None]

    @classmethod
    def newest_first(cls) -> Select[Self]:
        return select(cls).order_by(cls.number.desc())

    @property
    def setup(self) -> Setup:
        return Setup.model_validate(self.content)

    @property
    def author(self) -> Actor | None:
        return Actor.read(self.created_by)


@uses_templates
def assistant_with(name: str, language: str) -> Iterator[Use]:
    """The assistant, where its live version or its draft may send a template."""
    assistant = Assistant.current()
    versions = [assistant.version, assistant.draft] if assistant else []
    if any(version and f"{name}|{language}" in version.setup.tools.templates for version in versions):
        yield Use(N_("Assistant"), endpoint="assistant.setup")


def first_setup(business: str) -> Setup:
    """What the pages begin with."""
    return Setup(name=business, disclosure=dict(DISCLOSURES))
