"""Finds the passages that a question is about: by its words (`find_passages`, migration 0053), and by its meaning where
the business has vectors made. Both rankings are fused by the places they give (reciprocal rank fusion)."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from app.tenancy import current_tenant_id, database_now, db

from .embedding import Question
from .terms import question_terms
from .vectors import nearest

MOST = 5
# How much of what was asked a passage has to have, weighed by how rare each word is. Below that it is about another
# thing.
THRESHOLD = 0.3
# The first places of two rankings count about the same.
FUSION = 60


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


def find(
    texts: Sequence[str], most: int = MOST, threshold: float = THRESHOLD, question: Question | None = None
) -> list[Match]:
    """The passages that fit what was written, best first; none where none fits well enough."""
    terms = question_terms(texts)
    by_words = scores_by_words(terms, most, threshold) if terms else {}
    by_meaning = dict(nearest(question.model, question.vector)[:most]) if question else {}
    points: dict[uuid.UUID, float] = defaultdict(float)
    for ranking in (by_words, by_meaning):
        for place, id in enumerate(ranking, 1):
            points[id] += 1 / (FUSION + place)
    scores = {id: max(by_words.get(id, 0), by_meaning.get(id, 0)) for id in points}
    best = sorted(points, key=lambda one: (-points[one], -scores[one], one))[:most]
    if not best:
        return []
    values = {"tenant_id": current_tenant_id(), "ids": best, "at": database_now()}
    rows = {row.id: row for row in db.session.execute(READ, values)}
    return [
        Match(f"p{place}", row.id, row.source_id, row.title, row.heading, row.body, scores[row.id])
        for place, row in enumerate((rows[id] for id in best if id in rows), 1)
    ]


def scores_by_words(terms: Sequence[str], most: int, threshold: float) -> dict[uuid.UUID, float]:
    """Best first."""
    rows = db.session.execute(FIND, {"terms": terms, "at": database_now(), "most": most})
    return {row.id: row.score for row in rows if row.score >= threshold}


FIND = text("""
    select f.id, f.score from find_passages(cast(:terms as text[]), :at, :most) f order by f.score desc, f.id
""")
READ = text("""
    select p.id, p.source_id, p.heading, p.body, s.title
    from knowledge_passages p
    join knowledge_sources s on s.tenant_id = p.tenant_id and s.id = p.source_id
    where p.tenant_id = :tenant_id and p.id = any(:ids) and p.is_live
        and (p.valid_from is null or p.valid_from <= :at) and (p.valid_until is null or p.valid_until > :at)
""")
