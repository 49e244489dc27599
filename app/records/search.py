"""Finds records by the beginning of each word of their title, or of their id in the other system.

Row security lets only leakproof operators reach an index, so the words are rows of their own, folded and compared by
bytes.
"""

from __future__ import annotations

import json
import re
import uuid

from sqlalchemy import Index, Select, Text, select, text
from sqlalchemy.orm import Mapped, mapped_column

from app.contacts.search import name_terms
from app.folding import fold
from app.tenancy import TenantModel, belongs_to, current_tenant_id, db, uuid7

LONGEST_TERM, MOST_TERMS, MOST_WORDS, LONGEST_QUERY = 60, 100, 5, 100
ABOVE = "\U0010ffff"


class RecordTerm(TenantModel):
    """A search term of a record, matched by its beginning."""

    __table_args__ = (
        belongs_to("records", "record_id", ondelete="CASCADE"),
        Index("uq_record_terms_record", "tenant_id", "record_id", "term", unique=True),
        Index("ix_record_terms_term", "tenant_id", "term", "record_id"),
    )

    record_id: Mapped[uuid.UUID]
    term: Mapped[str] = mapped_column(Text(collation="C"))


def terms_of(title: str, external_id: str) -> list[str]:
    terms = [fold(external_id), *name_terms(title)]
    terms += [part for part in re.split(r"[\W_]+", fold(external_id)) if part]
    return list(dict.fromkeys(term[:LONGEST_TERM] for term in terms if term))[:MOST_TERMS]


def index(record_id: uuid.UUID, title: str, external_id: str) -> None:
    """Writes the terms of a record anew."""
    db.session.flush()
    rows = [{"id": str(uuid7()), "term": term} for term in terms_of(title, external_id)]
    given = {"record": record_id, "tenant": current_tenant_id()}
    db.session.execute(DELETE_TERMS, given)
    db.session.execute(NEW_TERMS, given | {"rows": json.dumps(rows)})


def matching(query: str) -> Select[uuid.UUID] | None:
    """The ids of the records that have every word of a query; None where it has none."""
    words = fold(query[:LONGEST_QUERY]).split()[:MOST_WORDS]
    narrowed: Select[uuid.UUID] | None = None
    for word in sorted(words, key=len):
        begins = RecordTerm.term >= word[:LONGEST_TERM], RecordTerm.term < word[:LONGEST_TERM] + ABOVE
        one = select(RecordTerm.record_id).where(*begins)
        narrowed = one if narrowed is None else one.where(RecordTerm.record_id.in_(narrowed))
    return narrowed


DELETE_TERMS = text("delete from record_terms where tenant_id = :tenant and record_id = :record")
NEW_TERMS = text("""
    insert into record_terms (tenant_id, id, record_id, term)
    select :tenant, id, :record, term from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, term text)
    on conflict (tenant_id, record_id, term) do nothing
""")
