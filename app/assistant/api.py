"""The assistant's knowledge for programs: a source by the id that their own system has for it."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field
from sqlalchemy import func, select
from werkzeug.exceptions import NotFound

from app.api import Page, PageQuery, Place, Problem, Shape, check_match, current_key, endpoint, problem, scope
from app.api.declaring import GivenTime, Time
from app.api.pages import after, page_of
from app.tenancy import current_tenant_id, db
from app.words import N_

from .knowledge import LONGEST_BODY, LONGEST_QUESTION, KnowledgeSource
from .words import PROBLEMS

READ = scope("knowledge:read", N_("Read what the assistant knows"))
WRITE = scope("knowledge:write", N_("Change what the assistant knows"))
TAG = "Assistant"
TOO_MANY = problem(
    "too_many_sources", 409, "There are too many sources", N_("Delete sources that are no longer used, then try again.")
)
LONGEST_ID = 100
Language = Literal["", "en", "es", "pt", "fr", "de", "ar"]


class SourceShape(Shape):
    """A source of the assistant's knowledge."""

    id: str = Field(max_length=40)
    external_id: str | None = Field(max_length=LONGEST_ID, description="The id that a program gave it.")
    kind: Literal["question", "text", "file", "page", "canned"]
    title: str = Field(max_length=LONGEST_QUESTION)
    body: str = Field(max_length=LONGEST_BODY, description="Of a file or page, what was read of it.")
    language: Language
    valid_from: Time | None
    valid_until: Time | None
    is_enabled: bool
    state: Literal["waiting", "reading", "ready", "failed"]
    problem: str = Field(max_length=300, description="What went wrong last, in words; empty where nothing did.")
    read_at: Time | None

    @classmethod
    def of(cls, one: KnowledgeSource) -> Self:
        names = ("external_id", "kind", "title", "body", "language", "valid_from", "valid_until", "is_enabled", "state")
        values = {name: getattr(one, name) for name in (*names, "read_at")}
        return cls(id=str(one.id), problem=PROBLEMS.get(one.problem, one.problem), **values)


class GivenSource(Shape):
    """What a program says of a source. What is left out is as it would be in a new one."""

    kind: Literal["question", "text"] = Field("text", description="A question's body is its answer.")
    title: Annotated[str, Field(min_length=1, max_length=LONGEST_QUESTION)]
    body: Annotated[str, Field(min_length=1, max_length=LONGEST_BODY)]
    language: Language = ""
    valid_from: GivenTime | None = None
    valid_until: GivenTime | None = None
    is_enabled: bool = True


@endpoint("GET", "/knowledge", scope=READ, query=PageQuery, gives=Page[SourceShape], tag=TAG)
def list_sources(query: PageQuery) -> Page[SourceShape]:
    """List what the assistant knows.

    Newest first.
    """
    rows = after(select(KnowledgeSource), query.after, KnowledgeSource.id).limit(query.limit + 1)
    return page_of(db.session.scalars(rows), query.limit, SourceShape.of, lambda one: Place(one.id))


@endpoint("GET", "/knowledge/<external_id>", scope=READ, gives=SourceShape, tag=TAG)
def get_source(external_id: str) -> SourceShape:
    """Get a source by the id that you gave it."""
    source = with_id(external_id)
    if source is None:
        raise NotFound
    return SourceShape.of(source)


@endpoint(
    "PUT",
    "/knowledge/<external_id>",
    scope=WRITE,
    body=GivenSource,
    gives=SourceShape,
    tag=TAG,
    problems=(TOO_MANY,),
)
def put_source(external_id: str, body: GivenSource) -> SourceShape:
    """Create or replace a source.

    The same content again changes nothing, so a program may send everything it has whenever it likes.
    """
    if len(external_id) > LONGEST_ID:
        raise Problem("invalid_request", f"An id may have {LONGEST_ID} characters.")
    lock(external_id)
    source = with_id(external_id)
    check_match(SourceShape.of(source.refresh_locked()) if source else None)
    if source is None:
        if KnowledgeSource.is_full():
            raise Problem(TOO_MANY)
        source = KnowledgeSource.add(
            body.kind, body.title, body=body.body, by=current_key().actor, external_id=external_id
        )
    source.kind, source.title, source.body, source.language = body.kind, body.title, body.body, body.language
    source.valid_from, source.valid_until, source.is_enabled = body.valid_from, body.valid_until, body.is_enabled
    source.begin()
    source.show_passages()
    return SourceShape.of(source)


@endpoint("DELETE", "/knowledge/<external_id>", scope=WRITE, tag=TAG)
def delete_source(external_id: str) -> None:
    """Delete a source.

    The assistant no longer says anything from it.
    """
    source = with_id(external_id)
    if source is None:
        raise NotFound
    check_match(SourceShape.of(source.refresh_locked()))
    source.remove()


def lock(external_id: str) -> None:
    """One program at a time makes the source of this id."""
    key = func.hashtextextended(f"knowledge {current_tenant_id()} {external_id}", 0)
    db.session.execute(select(func.pg_advisory_xact_lock(key)))


def with_id(external_id: str) -> KnowledgeSource | None:
    return db.session.scalar(select(KnowledgeSource).where(KnowledgeSource.external_id == external_id))
