"""Vectors of passages, and the ones nearest to a question's. Any Postgres does: no extension is needed.

A vector is stored twice. `code` says of each component how many of LEVELS it exceeds, one bit a level, so the bits by
which two codes differ approximate how far the vectors are apart; Postgres counts them for all passages of a tenant.
`numbers` are the components in a byte each, with which the nearest CANDIDATES are compared again.
"""

from __future__ import annotations

import datetime as dt
import math
import uuid
from array import array
from bisect import bisect_left
from collections.abc import Sequence
from operator import mul
from statistics import NormalDist

from sqlalchemy import Index, delete, text
from sqlalchemy.dialects.postgresql import BIT
from sqlalchemy.orm import Mapped, mapped_column

from app.tenancy import TenantModel, belongs_to, current_tenant_id, database_now, db

Vector = Sequence[float]
# The components of a normalised vector spread like a bell of this width, times one over the root of their count.
LEVELS = tuple(NormalDist().inv_cdf(place / 8) for place in range(1, 8))
BITS = tuple("1" * many + "0" * (len(LEVELS) - many) for many in range(len(LEVELS) + 1))
LONGEST = 4_096
# With 200 of them the right five are missed twice as often (`make bench`), each hundred more takes 3 ms.
CANDIDATES = 400
# Passages that say how near any text is to the question: models differ much in that.
SAMPLE, SMALLEST_SAMPLE = 32, 4
# How much of the way from there to the same meaning a passage has to go.
NEAR = 0.15


class PassageVector(TenantModel):
    """Of a passage, whose id it has. Vectors of two models cannot be compared."""

    __table_args__ = (
        belongs_to("knowledge_passages", "id", ondelete="CASCADE"),
        Index("ix_passage_vectors_source", "tenant_id", "source_id"),
    )

    source_id: Mapped[uuid.UUID]
    model: Mapped[str]
    code: Mapped[str] = mapped_column(BIT(varying=True))
    numbers: Mapped[bytes]
    # As in the passage, so that a search reads one table.
    is_live: Mapped[bool]
    valid_from: Mapped[dt.datetime | None]
    valid_until: Mapped[dt.datetime | None]

    @classmethod
    def store(cls, model: str, vectors: dict[uuid.UUID, Vector]) -> None:
        """Those of passages that are still there."""
        tenant_id = current_tenant_id()
        for id, vector in sorted(vectors.items()):
            values = {"tenant_id": tenant_id, "id": id, "model": model, "code": code_of(vector)}
            db.session.execute(STORE, values | {"numbers": packed(vector)})

    @classmethod
    def forget_others(cls, model: str) -> None:
        """Those of models that are no longer used; all where `model` is empty."""
        db.session.execute(delete(cls).where(cls.model != model))


def nearest(model: str, question: Vector) -> list[tuple[uuid.UUID, float]]:
    """The passages that mean something near to it, nearest first, each with how near from 0 to 1.

    How alike two texts are that have nothing in common depends on the model, so nearness counts from there.
    """
    mine = {"tenant_id": current_tenant_id(), "model": model, "bits": len(question) * len(LEVELS), "at": database_now()}
    sample = [likeness(question, row.numbers) for row in db.session.execute(ANY, mine | {"most": SAMPLE})]
    if len(sample) < SMALLEST_SAMPLE:
        return []
    usual = math.fsum(sample) / len(sample)
    rows = db.session.execute(NEAREST, mine | {"code": code_of(question), "most": CANDIDATES})
    scores = [(row.id, (likeness(question, row.numbers) - usual) / max(1 - usual, 1e-6)) for row in rows]
    return sorted((one for one in scores if one[1] >= NEAR), key=lambda one: (-one[1], one[0]))


def normalised(vector: Vector) -> Vector:
    length = math.sqrt(math.fsum(each * each for each in vector))
    return [each / length for each in vector] if length else list(vector)


def code_of(vector: Vector) -> str:
    """Its components as bits, for a vector of length 1."""
    levels = [level / math.sqrt(len(vector)) for level in LEVELS]
    return "".join(BITS[bisect_left(levels, each)] for each in vector)


def packed(vector: Vector) -> bytes:
    """Its components in a byte each, in steps of a 127th of the largest."""
    largest = max(map(abs, vector), default=0) or 1
    return array("b", (round(each / largest * 127) for each in vector)).tobytes()


def likeness(question: Vector, numbers: bytes) -> float:
    """The cosine of the angle between them."""
    other = array("b", numbers)
    length = math.hypot(*other)
    return sum(map(mul, question, other)) / length if length else 0.0


STORE = text("""
    insert into passage_vectors (tenant_id, id, source_id, model, code, numbers, is_live, valid_from, valid_until)
    select p.tenant_id, p.id, p.source_id, :model, cast(:code as bit varying), :numbers, p.is_live, p.valid_from,
        p.valid_until
    from knowledge_passages p where p.tenant_id = :tenant_id and p.id = :id
    on conflict (tenant_id, id) do update set model = excluded.model, code = excluded.code, numbers = excluded.numbers,
        is_live = excluded.is_live, valid_from = excluded.valid_from, valid_until = excluded.valid_until
""")
# The vectors of a model that count now, nearest first; and any of them. Index: the primary key, led by the tenant.
# All of a tenant's are read: an index of vectors finds less where it is filtered by tenant.
NEAREST = text("""
    select v.id, v.numbers from passage_vectors v
    where v.tenant_id = :tenant_id and v.model = :model and length(v.code) = :bits and v.is_live
        and (v.valid_from is null or v.valid_from <= :at) and (v.valid_until is null or v.valid_until > :at)
    order by bit_count(v.code # cast(:code as bit varying)), v.id limit :most
""")
ANY = text("""
    select v.id, v.numbers from passage_vectors v
    where v.tenant_id = :tenant_id and v.model = :model and length(v.code) = :bits and v.is_live
        and (v.valid_from is null or v.valid_from <= :at) and (v.valid_until is null or v.valid_until > :at)
    order by v.id limit :most
""")
