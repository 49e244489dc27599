"""Questions that could not be answered, with how often each came: what to add to the knowledge next."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import uuid
from typing import Self

from sqlalchemy import Index, Select, UniqueConstraint, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from app.tenancy import TenantModel, current_tenant_id, db, now, of_tenant, one_of, uuid7

from .terms import terms_of

STATES = ("open", "answered", "dismissed")
LONGEST = 300


class UnansweredQuestion(TenantModel):
    """Questions with the same terms are one. `question` is how it was asked last, without addresses and numbers."""

    __table_args__ = (
        of_tenant(),
        one_of("state", STATES),
        UniqueConstraint("tenant_id", "terms_hash"),
        Index("ix_unanswered_questions_open", "tenant_id", "count", postgresql_where=text("state = 'open'")),
    )

    terms_hash: Mapped[str]
    question: Mapped[str]
    language: Mapped[str] = mapped_column(default="")
    count: Mapped[int] = mapped_column(default=1)
    state: Mapped[str] = mapped_column(default="open")
    conversation_id: Mapped[uuid.UUID | None]
    first_at: Mapped[dt.datetime] = mapped_column(default=now)
    last_at: Mapped[dt.datetime] = mapped_column(default=now)

    @classmethod
    def count_one(cls, question: str, language: str, conversation_id: uuid.UUID | None) -> None:
        """Adds it, or counts it once more. One that was answered and comes again is open again."""
        terms = sorted(terms_of(question))
        if not terms:
            return
        digest = hashlib.sha256(" ".join(terms).encode()).hexdigest()
        at = now()
        values = {"tenant_id": current_tenant_id(), "id": uuid7(), "terms_hash": digest, "language": language}
        values |= {"question": anonymous(question), "count": 1, "state": "open", "conversation_id": conversation_id}
        new = insert(cls).values(values | {"first_at": at, "last_at": at})
        seen = {"count": cls.count + 1, "last_at": at, "state": "open", "question": new.excluded.question}
        seen["conversation_id"] = new.excluded.conversation_id
        db.session.execute(new.on_conflict_do_update(index_elements=["tenant_id", "terms_hash"], set_=seen))

    @classmethod
    def most_frequent(cls) -> Select[Self]:
        return select(cls).where(cls.state == "open").order_by(cls.count.desc(), cls.last_at.desc())


def anonymous(question: str) -> str:
    """Without emails, links and long numbers, which say who asked."""
    plain = re.sub(r"\S+@\S+|https?://\S+", "…", question)
    return re.sub(r"\+?\d[\d ()./-]{5,}\d", "…", plain)[:LONGEST]
