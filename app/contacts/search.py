"""Finds a contact by what somebody remembers: part of a name, of a number, of a field, a username.

Row security lets only leakproof operators reach an index, so the words are stored in rows of their own, folded and
compared by bytes: a search is a range of an index, however many contacts there are.
"""

from __future__ import annotations

import json
import re
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Index, Select, Text, and_, exists, func, literal_column, select, text, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Mapped, aliased, mapped_column

from app.folding import fold
from app.meta.spellings import other_spellings
from app.meta.written_numbers import LONGEST, SHORTEST, NotRead, is_in_use, normalise, read
from app.tenancy import TenantModel, belongs_to, current_tenant_id, db, uuid7

# Raise it whenever terms are made differently: contacts of an older version are indexed anew in the background.
VERSION = 1
OUTDATED = "terms_version < 1"
AT_ONCE = 500
LONGEST_TERM = 60
MOST_WORDS = 8
MOST_VALUES = 20
COMMON = 5_000
# A number is found by any run of digits in it, but for its very last ones alone.
SHORTEST_END = 4
PHONE = re.compile(r"\+?[\d\s().\-/]+")
# Jean-Luc is written Jean Luc too; C-1042 is one word.
BETWEEN_WORDS = re.compile(r"\s+|(?<=[^\W\d])-(?=[^\W\d])")
# What a number has that is written whole: a plus, a link or an address of WhatsApp's, what a spreadsheet made of it.
WHOLE = re.compile(r"\+|^00|^tel:|wa\.me/|phone=|@(?:s\.whatsapp|c\.us)|^['=\"]+\d|^\d{7,}[.,]0+$", re.IGNORECASE)
ABOVE = "\U0010ffff"
# Scripts that put no spaces between words: such a word is found by any part of it.
UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]"
)
ARABIC_OR_HEBREW = re.compile("[\u0590-\u08ff]")
ARTICLE = "ال"


class ContactTerm(TenantModel):
    """A search term of a contact, matched by its beginning."""

    __table_args__ = (
        belongs_to("contacts", "contact_id", ondelete="CASCADE"),
        Index("uq_contact_terms_contact", "tenant_id", "contact_id", "term", unique=True),
        Index("ix_contact_terms_term", "tenant_id", "term", "contact_id"),
    )

    contact_id: Mapped[uuid.UUID]
    term: Mapped[str] = mapped_column(Text(collation="C"))


def terms_of(name: str, identities: Iterable[tuple[str, str]], values: Iterable[str] = ()) -> set[str]:
    terms = set(name_terms(name))
    for kind, value in identities:
        if kind == "wa_id":
            terms.update(phone_terms(value))
        elif kind == "username":
            terms.add(fold(value))
    for value in values:
        terms.update(name_terms(value))
    return {term[:LONGEST_TERM] for term in terms if term}


def name_terms(name: str) -> Iterator[str]:
    """From each word on, from each part of a word that people may begin with, and all of it without spaces."""
    words = fold(name).split()[:MOST_WORDS]
    for start, word in enumerate(words):
        yield " ".join(words[start:])
        yield from inner_terms(word)
    if len(words) > 1 and all(UNSPACED.search(word) or ARABIC_OR_HEBREW.search(word) for word in words):
        joined = "".join(words)
        yield joined
        if UNSPACED.search(joined):
            yield from inner_terms(joined)


def inner_terms(word: str) -> Iterator[str]:
    """王小明 by 小明, الزهراء by زهراء, Jean-Luc by Luc, O'Brien by obrien."""
    word = word[:LONGEST_TERM]
    if UNSPACED.search(word):
        yield from (word[start:] for start in range(1, len(word)))
    elif ARABIC_OR_HEBREW.match(word):
        yield from (word[start:] for start in range(1, min(5, len(word) - 1)))
    parts = re.split(r"[\W_]+", word)
    if len(parts) > 1:
        yield from ("".join(parts[start:]) for start in range(len(parts)))


def whole_name_term(name: str) -> str:
    """The term of a name that has all its words."""
    return " ".join(fold(name).split()[:MOST_WORDS])[:LONGEST_TERM]


def phone_terms(wa_id: str) -> Iterator[str]:
    """A number from its plus, and from each of its digits, in every spelling."""
    for spelling in (wa_id, *other_spellings(wa_id)):
        yield f"+{spelling}"
        yield from (spelling[start:] for start in range(max(1, len(spelling) - SHORTEST_END + 1)))


def index(contact_ids: Iterable[uuid.UUID | str]) -> None:
    """Rebuilds the search terms and sort keys of these contacts; merged and erased ones get none."""
    ids = sorted({str(id) for id in contact_ids})
    if not ids:
        return
    db.session.flush()
    given: dict[str, Any] = {"ids": ids, "tenant": current_tenant_id(), "version": VERSION}
    names: dict[str, str] = {}
    identities: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for id, name, kind, value in db.session.execute(INDEXED, given):
        names[id] = name
        identities[id].append((kind, value))
    values: dict[str, list[str]] = defaultdict(list)
    searched = set(db.session.scalars(SEARCHED_FIELDS, given))
    for id, field_id, value in db.session.execute(FIELD_VALUES, given) if searched else ():
        if field_id in searched:
            values[id].append(value)
    terms = [
        {"id": str(uuid7()), "contact": id, "term": term}
        for id, name in names.items()
        for term in sorted(terms_of(name, identities[id], values[id][:MOST_VALUES]))
    ]
    db.session.execute(DELETE_TERMS, given)
    db.session.execute(NEW_TERMS, {"rows": json.dumps(terms), "tenant": current_tenant_id()})
    sorted_by = [{"id": id, "name": whole_name_term(names.get(id, ""))} for id in ids]
    db.session.execute(MARK, {"rows": json.dumps(sorted_by), "tenant": current_tenant_id(), "version": VERSION})


def mark_outdated(contact_ids: Iterable[uuid.UUID | str]) -> None:
    """Marks contacts for indexing by a job: many at once would hold a transaction open too long."""
    ids = sorted({str(id) for id in contact_ids})
    db.session.execute(MARK_OUTDATED, {"ids": ids, "tenant": current_tenant_id()})


def is_outdated(contact: Any) -> ColumnElement[bool]:
    """In the words of the partial index `ix_contacts_terms_version`."""
    return contact.terms_version < literal_column(str(VERSION))  # type: ignore[no-any-return]


def outdated(contact: Any) -> Select[uuid.UUID]:
    return select(contact.id).where(is_outdated(contact)).order_by(contact.id)


INDEXED = text("""
    select c.id::text, c.name, i.kind, i.value
    from contacts c left join contact_identities i on i.tenant_id = :tenant and i.contact_id = c.id
    where c.tenant_id = :tenant and c.id = any(cast(:ids as uuid[]))
      and c.merged_into_id is null and c.erased_at is null
    order by c.id for no key update of c
""")
SEARCHED_FIELDS = text("""
    select id::text from contact_fields where tenant_id = :tenant and kind in ('text', 'choice', 'number')
""")
# Without a join: on tables that were never analysed its plan would be quadratic.
FIELD_VALUES = text("""
    select contact_id::text, field_id::text, value from contact_field_values
    where tenant_id = :tenant and contact_id = any(cast(:ids as uuid[])) and length(value) <= 200
""")
DELETE_TERMS = text("delete from contact_terms where tenant_id = :tenant and contact_id = any(cast(:ids as uuid[]))")
NEW_TERMS = text("""
    insert into contact_terms (tenant_id, id, contact_id, term)
    select :tenant, id, contact, term
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, contact uuid, term text)
    on conflict (tenant_id, contact_id, term) do nothing
""")
MARK_OUTDATED = text("""
    update contacts set terms_version = 0 where tenant_id = :tenant and id = any(cast(:ids as uuid[]))
""")
MARK = text("""
    update contacts c set sort_name = r.name, terms_version = :version
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, name text)
    where c.tenant_id = :tenant and c.id = r.id
""")


@dataclass(frozen=True, slots=True)
class Place:
    """The last hit of a page, as text `<term>|<id>`: the next page begins after it."""

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
    places: list[Place] = []
    seen: set[uuid.UUID] = set()
    for start in starts_of(query):
        if after and after.term >= start + ABOVE:
            continue
        statement = matching(start, rest_of(query, start), after).limit(limit - len(places))
        if only is not None:
            statement = statement.where(only)
        for term, contact_id in db.session.execute(statement):
            if contact_id not in seen:
                seen.add(contact_id)
                places.append(Place(term, contact_id))
        if len(places) >= limit:
            break
    return places


def starts_of(query: str) -> list[str]:
    """With what a term has to begin; of several words, the rarest leads."""
    if number := number_in(query):
        others = [f"+{each}" if number[0] == "+" else each for each in other_spellings(number.lstrip("+"))]
        return [number, *others]
    words = words_of(query)
    # عبد الرحمن is written عبدالرحمن too, and Mary Ann Maryann.
    return sorted({min(words, key=commonness), joined(query)}) if len(words) > 1 else words


def rest_of(query: str, start: str) -> list[str]:
    is_whole = number_in(query) or start == joined(query)
    return [] if is_whole else [word for word in words_of(query) if word != start]


def joined(query: str) -> str:
    return "".join(fold(query.lstrip("@ ")).split()[:MOST_WORDS])[:LONGEST_TERM]


def words_of(query: str) -> list[str]:
    """The words of a query. An Arabic article is left out: names are found with and without theirs."""
    words = BETWEEN_WORDS.split(fold(query.lstrip("@ ")))[:MOST_WORDS]
    return [without_article(word)[:LONGEST_TERM] for word in words if word]


def without_article(word: str) -> str:
    return word[len(ARTICLE) :] if word.startswith(ARTICLE) and len(word) > len(ARTICLE) + 1 else word


def commonness(word: str) -> int:
    """How many terms begin like this, counted up to COMMON."""
    some = select(ContactTerm.id).where(begins(ContactTerm.term, word)).limit(COMMON).subquery()
    return db.session.scalars(select(func.count()).select_from(some)).one()


def number_in(query: str) -> str:
    """The number somebody typed, in digits of whatever script, with its plus. Empty where it is none."""
    query = normalise(query[:LONGEST])
    if whole := whole_number_in(query):
        return whole
    if not PHONE.fullmatch(query):
        return ""
    digits = re.sub(r"\D", "", query)[:LONGEST_TERM]
    if query.startswith("+") or digits.startswith("00"):
        digits = digits.removeprefix("00")
        return f"+{digits}" if digits else ""
    return digits.lstrip("0")


def whole_number_in(query: str) -> str:
    """A number with its country's code, in whatever way programs and people write it. The beginning of one is none."""
    if not WHOLE.search(query) or sum(map(str.isdecimal, query)) < SHORTEST:
        return ""
    try:
        wa_id = read(query)
    except NotRead:
        return ""
    return f"+{wa_id}" if is_in_use(wa_id) else ""


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
