"""Finding a contact by what somebody remembers of them: part of a name, a number in any spelling, a username.

Row security lets only leakproof operators reach an index, so what may be searched for stands in rows of its own, folded
and compared by bytes: a search is a range of an index, however many contacts there are.
"""

from __future__ import annotations

import json
import re
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import phonenumbers
from sqlalchemy import ColumnElement, Index, Select, Text, and_, exists, func, select, text, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Mapped, aliased, mapped_column

from app.meta.spellings import other_spellings
from app.tenancy import TenantModel, belongs_to, current_tenant_id, db, uuid7

from .names import fold

LONGEST_TERM = 60
MOST_WORDS = 8
COMMON = 5_000
# A number may be remembered by its end, so it stands there backwards too. The sign sorts after every letter we fold to
# and is no part of a name or number.
BACKWARDS = "~"
SHORTEST_END = 4
PHONE = re.compile(r"\+?[\d\s().\-/]+")
ABOVE = "\U0010ffff"


class ContactTerm(TenantModel):
    """One thing by which a contact is found."""

    __table_args__ = (
        belongs_to("contacts", "contact_id", ondelete="CASCADE"),
        Index("uq_contact_terms_contact", "tenant_id", "contact_id", "term", unique=True),
        Index("ix_contact_terms_term", "tenant_id", "term", "contact_id"),
    )

    contact_id: Mapped[uuid.UUID]
    term: Mapped[str] = mapped_column(Text(collation="C"))


def terms_of(name: str, identities: Iterable[tuple[str, str]]) -> set[str]:
    words = fold(name).split()[:MOST_WORDS]
    found = {" ".join(words[start:]) for start in range(len(words))}
    for kind, value in identities:
        if kind == "wa_id":
            found.update(phone_terms(value))
        elif kind == "username":
            found.add(fold(value))
    return {term[:LONGEST_TERM] for term in found if term}


def whole_name_term(name: str) -> str:
    """The term of a name that has all its words."""
    return " ".join(fold(name).split()[:MOST_WORDS])[:LONGEST_TERM]


def phone_terms(wa_id: str) -> Iterator[str]:
    """A number with its country, without, in its other spellings, and from its end."""
    for spelling in (wa_id, *other_spellings(wa_id)):
        yield spelling
        yield BACKWARDS + spelling[::-1]
        if national := national_digits(spelling):
            yield national


def national_digits(wa_id: str) -> str:
    try:
        return str(phonenumbers.parse(f"+{wa_id}").national_number)
    except phonenumbers.NumberParseException:
        return ""


def index(contact_ids: Iterable[uuid.UUID | str]) -> None:
    """Writes anew by what these contacts are found; those that went into others, or were erased, by nothing."""
    ids = sorted({str(id) for id in contact_ids})
    if not ids:
        return
    db.session.flush()
    names: dict[str, str] = {}
    known: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for id, name, kind, value in db.session.execute(SHOWN, {"ids": ids, "tenant": current_tenant_id()}):
        names[id] = name
        known[id].append((kind, value))
    terms = [
        {"id": str(uuid7()), "contact": id, "term": term}
        for id, name in names.items()
        for term in sorted(terms_of(name, known[id]))
    ]
    rows = {"ids": ids, "rows": json.dumps(terms), "tenant": current_tenant_id()}
    db.session.execute(FORGET, rows)
    db.session.execute(NEW_TERMS, rows)


SHOWN = text("""
    select c.id::text, c.name, i.kind, i.value
    from contacts c left join contact_identities i on i.tenant_id = :tenant and i.contact_id = c.id
    where c.tenant_id = :tenant and c.id = any(cast(:ids as uuid[]))
      and c.merged_into_id is null and c.erased_at is null
    order by c.id for no key update of c
""")
FORGET = text("delete from contact_terms where tenant_id = :tenant and contact_id = any(cast(:ids as uuid[]))")
NEW_TERMS = text("""
    insert into contact_terms (tenant_id, id, contact_id, term)
    select :tenant, id, contact, term
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, contact uuid, term text)
    on conflict (tenant_id, contact_id, term) do nothing
""")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of what was found ended, as text `<term>|<id>`."""

    term: str
    id: uuid.UUID

    @classmethod
    def read(cls, value: str | None) -> Place | None:
        term, _, id = (value or "").rpartition("|")
        try:
            return cls(term[:LONGEST_TERM], uuid.UUID(id))
        except ValueError:
            return None

    def __str__(self) -> str:
        return f"{self.term}|{self.id}"


def find(query: str, limit: int, after: Place | None = None, *, only: ColumnElement[bool] | None = None) -> list[Place]:
    """The contacts that match, in the order of what matched. `only` is a condition upon `ContactTerm.contact_id`."""
    found: list[Place] = []
    seen: set[uuid.UUID] = set()
    for start in starts_of(query):
        if after and after.term >= start + ABOVE:
            continue
        statement = matching(start, rest_of(query, start), after).limit(limit - len(found))
        if only is not None:
            statement = statement.where(only)
        for term, contact_id in db.session.execute(statement):
            if contact_id not in seen:
                seen.add(contact_id)
                found.append(Place(term, contact_id))
        if len(found) >= limit:
            break
    return found


def starts_of(query: str) -> list[str]:
    """With what a term has to begin; of several words, the rarest leads."""
    if digits := digits_of(query):
        ends = [BACKWARDS + digits[::-1]] if len(digits) >= SHORTEST_END else []
        return [digits, *ends]
    words = words_of(query)
    return [min(words, key=commonness)] if len(words) > 1 else words


def rest_of(query: str, start: str) -> list[str]:
    return [] if digits_of(query) else [word for word in words_of(query) if word != start]


def words_of(query: str) -> list[str]:
    return [word[:LONGEST_TERM] for word in fold(query.lstrip("@ ")).split()[:MOST_WORDS]]


def commonness(word: str) -> int:
    """How many terms begin like this, counted up to COMMON."""
    some = select(ContactTerm.id).where(begins(ContactTerm.term, word)).limit(COMMON).subquery()
    return db.session.scalars(select(func.count()).select_from(some)).one()


def digits_of(query: str) -> str:
    """The number somebody typed, without what is only a way of writing it. Nothing, where it is no number."""
    query = query.strip()
    if not PHONE.fullmatch(query):
        return ""
    digits = re.sub(r"\D", "", query)
    return (digits if query.startswith("+") else digits.lstrip("0"))[:LONGEST_TERM]


def begins(term: InstrumentedAttribute[str], start: str) -> ColumnElement[bool]:
    return and_(term >= start, term < start + ABOVE)


def matching(start: str, rest: list[str], after: Place | None) -> Select[str, uuid.UUID]:
    """Each contact once, by the first of its terms that begins like this."""
    earlier = aliased(ContactTerm)
    mine = (earlier.contact_id == ContactTerm.contact_id, earlier.term < ContactTerm.term, earlier.term >= start)
    query = select(ContactTerm.term, ContactTerm.contact_id).where(
        begins(ContactTerm.term, start), ~exists().where(*mine).correlate(ContactTerm)
    )
    for word in rest:
        other = aliased(ContactTerm)
        theirs = other.contact_id == ContactTerm.contact_id, begins(other.term, word)
        query = query.where(exists().where(*theirs).correlate(ContactTerm))
    if after and after.term >= start:
        query = query.where(tuple_(ContactTerm.term, ContactTerm.contact_id) > tuple_(after.term, after.id))
    return query.order_by(ContactTerm.term, ContactTerm.contact_id)
