"""What the assistant could learn: a question and the team's answer, for a person to accept, edit or reject."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from typing import Any, Self

from sqlalchemy import Index, Select, UniqueConstraint, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from app.languages import detect
from app.tenancy import Actor, TenantModel, belongs_to, current_tenant_id, db, now, one_of, uuid7

from .knowledge import KnowledgeSource
from .terms import terms_of
from .unanswered import UnansweredQuestion

STATES = ("open", "accepted", "rejected")
# With so many open ones nothing more is learned until people have decided.
MOST_OPEN = 200


class KnowledgeProposal(TenantModel):
    """It is no knowledge until somebody accepts it. Questions with the same terms are one, and are proposed once."""

    __table_args__ = (
        belongs_to("conversations", "conversation_id", ondelete="CASCADE"),
        one_of("state", STATES),
        UniqueConstraint("tenant_id", "terms_hash"),
        Index("ix_knowledge_proposals_conversation", "tenant_id", "conversation_id"),
        Index("ix_knowledge_proposals_open", "tenant_id", "count", postgresql_where=text("state = 'open'")),
    )

    # Where the team answered it first.
    conversation_id: Mapped[uuid.UUID]
    terms_hash: Mapped[str]
    question: Mapped[str]
    answer: Mapped[str]
    language: Mapped[str] = mapped_column(default="")
    # In how many resolved conversations it came up.
    count: Mapped[int] = mapped_column(default=1)
    state: Mapped[str] = mapped_column(default="open")
    # The question without an answer that it settles, and the knowledge that it became.
    unanswered_id: Mapped[uuid.UUID | None]
    source_id: Mapped[uuid.UUID | None]
    settled_by: Mapped[dict[str, Any] | None]
    settled_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)

    @classmethod
    def open_ones(cls) -> Select[Self]:
        return select(cls).where(cls.state == "open").order_by(cls.count.desc(), cls.id.desc())

    @classmethod
    def is_full(cls) -> bool:
        query = select(func.count()).select_from(cls).where(cls.state == "open")
        return db.session.scalars(query).one() >= MOST_OPEN

    @classmethod
    def propose(
        cls, question: str, answer: str, conversation_id: uuid.UUID, unanswered_id: uuid.UUID | None = None
    ) -> None:
        """Adds it, or counts it once more. One that people decided about stays decided."""
        terms = sorted(terms_of(question))
        if not terms:
            return
        digest = hashlib.sha256(" ".join(terms).encode()).hexdigest()
        values = {"tenant_id": current_tenant_id(), "id": uuid7(), "conversation_id": conversation_id, "count": 1}
        values |= {"terms_hash": digest, "question": question, "answer": answer, "language": detect(question)}
        values |= {"state": "open", "unanswered_id": unanswered_id, "created_at": now()}
        seen = {"count": cls.count + 1}
        again = (
            insert(cls)
            .values(values)
            .on_conflict_do_update(
                index_elements=["tenant_id", "terms_hash"], set_=seen, where=cls.conversation_id != conversation_id
            )
        )
        db.session.execute(again)

    @property
    def is_open(self) -> bool:
        return self.state == "open"

    def accept(self, question: str, answer: str, *, by: Actor) -> KnowledgeSource:
        """Makes it knowledge, as a person worded it."""
        source = KnowledgeSource.add("question", question, body=answer, by=by, language=self.language)
        self.question, self.answer, self.source_id = question, answer, source.id
        if unanswered := UnansweredQuestion.find(self.unanswered_id):
            unanswered.state = "answered"
        self.settle("accepted", by=by)
        return source

    def reject(self, *, by: Actor) -> None:
        self.settle("rejected", by=by)

    def settle(self, state: str, *, by: Actor) -> None:
        self.state, self.settled_by, self.settled_at = state, by.as_json(), now()
