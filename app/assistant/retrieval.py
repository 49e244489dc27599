"""Finds the passages that a question is about. The SQL is `find_passages` (migration 0053)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from app.tenancy import database_now, db

from .terms import question_terms

MOST = 5
# How much of what was asked a passage has to have, weighed by how rare each word is. Below that it is about another
# thing.
THRESHOLD = 0.3


@dataclass(frozen=True, slots=True)
class Match:
    """A passage and how well it fits, from 0 to 1. `key` is what the model calls it."""

    key: str
    id: uuid.UUID
    source_id: uuid.UUID
    title: str
    heading: str
    body: str
    score: float

    @property
    def text(self) -> str:
        return f"{self.heading}\n{self.body}" if self.heading else self.body

    def as_json(self) -> dict[str, Any]:
        return {
            "key": self.key,
            "id": str(self.id),
            "source_id": str(self.source_id),
            "title": self.title,
            "score": round(self.score, 3),
        }


def find(texts: Sequence[str], most: int = MOST, threshold: float = THRESHOLD) -> list[Match]:
    """The passages that fit what was written, best first; none where none fits well enough."""
    terms = question_terms(texts)
    if not terms:
        return []
    rows = db.session.execute(FIND, {"terms": terms, "at": database_now(), "most": most}).all()
    fitting = [row for row in rows if row.score >= threshold]
    return [
        Match(f"p{place}", row.id, row.source_id, row.title, row.heading, row.body, row.score)
        for place, row in enumerate(fitting, 1)
    ]


FIND = text("""
    select f.id, f.source_id, f.heading, f.body, f.score, s.title
    from find_passages(cast(:terms as text[]), :at, :most) f
    join knowledge_sources s on s.tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid
        and s.id = f.source_id
    order by f.score desc, f.id
""")
