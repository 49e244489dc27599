"""Entry points for programs: list, get, upsert, delete, signed links, figures."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.exc import IntegrityError
from werkzeug.exceptions import NotFound

from app.api import (
    Created,
    Fault,
    Page,
    PageQuery,
    Place,
    Problem,
    Shape,
    check_match,
    current_key,
    endpoint,
    problem,
    scope,
)
from app.api.declaring import AddressTime, GivenTime, Time
from app.api.pages import after, page_of
from app.contacts.names import plain
from app.contacts.tags import Tag
from app.entry_points.links import link_to
from app.entry_points.models import (
    LONGEST_NAME,
    MOST_LANGUAGES,
    SLUG,
    EntryPoint,
    SlugTaken,
    TooManyEntryPoints,
)
from app.entry_points.reports import DIMENSIONS, figures
from app.entry_points.snippets import button_html
from app.entry_points.subjects import LONGEST_UTM
from app.team.models import Team
from app.tenancy import current_tenant_id, db, exists, now
from app.wabas.models import PhoneNumber
from app.words import N_

from .reach import reached
from .shapes import LANGUAGE_PATTERN, EntryPointShape, GivenSubject, TextShape

READ = scope("entry_points:read", N_("Read links and buttons, and what they bring"))
WRITE = scope("entry_points:write", N_("Create, change and delete links and buttons, and sign links"))
TAG = "Links and buttons"
MOST_TAGS = 20
LONGEST_SPAN = dt.timedelta(days=100)
SLUG_TAKEN = problem("slug_taken", 409, "Another link has this address", N_("Choose another slug."))
TOO_MANY = problem(
    "too_many_entry_points", 409, "There are too many links and buttons", N_("Delete some that are no longer used.")
)
Kind = Literal["link", "page", "qr", "widget", "email", "ad"]


def visible(name: str) -> str:
    if not (cleaned := plain(name)):
        raise ValueError("Use at least one visible character.")
    return cleaned


class EntryPointsQuery(PageQuery):
    kind: Kind | None = Field(None, alias="filter[kind]")
    phone_number_id: uuid.UUID | None = Field(None, alias="filter[phone_number_id]")


@endpoint("GET", "/entry-points", scope=READ, query=EntryPointsQuery, gives=Page[EntryPointShape], tag=TAG)
def list_entry_points(query: EntryPointsQuery) -> Page[EntryPointShape]:
    """List links and buttons.

    Oldest first.
    """
    rows = select(EntryPoint).where(reached_by_key())
    if query.kind:
        rows = rows.where(EntryPoint.kind == query.kind)
    if query.phone_number_id:
        rows = rows.where(EntryPoint.phone_number_id == query.phone_number_id)
    rows = after(rows, query.after, EntryPoint.id, ascending=True).limit(query.limit + 1)
    return page_of(db.session.scalars(rows), query.limit, EntryPointShape.of, lambda one: Place(one.id))


def find(external_id: str) -> EntryPoint:
    """By either id, if the key reaches its number."""
    entry_point = EntryPoint.called(external_id)
    mine = select(EntryPoint.id).where(reached_by_key())
    if entry_point is None or not exists(mine.where(EntryPoint.id == entry_point.id)):
        raise NotFound
    return entry_point


def reached_by_key() -> ColumnElement[bool]:
    return reached(EntryPoint.phone_number_id)


@endpoint("GET", "/entry-points/<external:external_id>", scope=READ, gives=EntryPointShape, tag=TAG)
def get_entry_point(external_id: str) -> EntryPointShape:
    """Get a link or button.

    By its `external_id`, or by its `id`.
    """
    return EntryPointShape.of(find(external_id))


class GivenEntryPoint(Shape):
    """Replaces all but the slug, which is given once."""

    name: Annotated[str, Field(min_length=1, max_length=LONGEST_NAME), AfterValidator(visible)]
    kind: Kind = "page"
    phone_number_id: uuid.UUID
    slug: Annotated[str, Field(max_length=60, pattern=SLUG.pattern)] | None = Field(
        None, description="Of the short link; made from the name where it is left out. Later ones are ignored."
    )
    texts: list[TextShape] = Field(default_factory=list, max_length=MOST_LANGUAGES, description="The usual one first.")
    team_id: uuid.UUID | None = None
    tag_ids: list[uuid.UUID] = Field(default_factory=list, max_length=MOST_TAGS)
    active_until: GivenTime | None = None

    def values(self) -> dict[str, Any]:
        """For an `EntryPoint`. Raises a `Problem` for ids of nothing."""
        faults = []
        if not exists(select(PhoneNumber.id).where(PhoneNumber.id == self.phone_number_id, reached(PhoneNumber.id))):
            faults.append(Fault("not_found", "There is no such number.", pointer="/phone_number_id"))
        if self.team_id and Team.find(self.team_id) is None:
            faults.append(Fault("not_found", "There is no such team.", pointer="/team_id"))
        here = set(db.session.scalars(select(Tag.id).where(Tag.id.in_(self.tag_ids)))) if self.tag_ids else set()
        for place, id in enumerate(self.tag_ids):
            if id not in here:
                faults.append(Fault("not_found", "There is no such tag.", pointer=f"/tag_ids/{place}"))
        if faults:
            raise Problem("invalid_request", errors=faults)
        return {
            "name": self.name,
            "kind": self.kind,
            "phone_number_id": self.phone_number_id,
            "texts": [text.model_dump() for text in self.texts],
            "team_id": self.team_id,
            "tag_ids": [str(id) for id in self.tag_ids],
            "active_until": self.active_until,
        }


@endpoint(
    "PUT",
    "/entry-points/<external:external_id>",
    scope=WRITE,
    body=GivenEntryPoint,
    gives=EntryPointShape,
    tag=TAG,
    problems=(SLUG_TAKEN, TOO_MANY),
    creates=True,
)
def upsert_entry_point(external_id: str, body: GivenEntryPoint) -> EntryPointShape | Created:
    """Create or replace a link or button.

    Under your own `external_id`: 201 where it is new, 200 where it was there.
    """
    values = body.values()
    lock(external_id)
    if EntryPoint.called(external_id) is not None:
        entry_point = find(external_id)
        check_match(EntryPointShape.of(entry_point.refresh_locked()))
        for name, value in values.items():
            setattr(entry_point, name, value)
        return EntryPointShape.of(entry_point)
    check_match(None)
    number = PhoneNumber.get_or_404(values.pop("phone_number_id"))
    try:
        with db.session.begin_nested():
            name = values.pop("name")
            made = EntryPoint.create(name, number, slug=body.slug or "", external_id=external_id, **values)
    except (SlugTaken, IntegrityError):
        raise Problem(SLUG_TAKEN) from None
    except TooManyEntryPoints:
        raise Problem(TOO_MANY) from None
    return Created(EntryPointShape.of(made))


def lock(external_id: str) -> None:
    """One program at a time makes the entry point of this name."""
    key = func.hashtextextended(f"entry point {current_tenant_id()} {external_id}", 0)
    db.session.execute(select(func.pg_advisory_xact_lock(key)))


@endpoint("DELETE", "/entry-points/<external:external_id>", scope=WRITE, tag=TAG)
def delete_entry_point(external_id: str) -> None:
    """Delete a link or button.

    Its short link stops working at once. Conversations stay.
    """
    find(external_id).remove()


class NewLink(Shape):
    """`object` is what the page is about. It is signed: no one can change it in the address."""

    object: GivenSubject | None = None
    language: Annotated[str, Field(max_length=12, pattern=LANGUAGE_PATTERN)] | None = Field(None, examples=["fr"])
    utm_source: Annotated[str, Field(max_length=LONGEST_UTM)] | None = None
    utm_medium: Annotated[str, Field(max_length=LONGEST_UTM)] | None = None
    utm_campaign: Annotated[str, Field(max_length=LONGEST_UTM)] | None = None
    utm_term: Annotated[str, Field(max_length=LONGEST_UTM)] | None = None
    utm_content: Annotated[str, Field(max_length=LONGEST_UTM)] | None = None

    @model_validator(mode="after")
    def check_price(self) -> NewLink:
        about = self.object
        if about and about.price and (subject := about.subject()) and subject.price_micros is None:
            raise ValueError("Give a price with its currency, such as XOF.")
        return self


class LinkShape(Shape):
    """An address for a page, and the button that leads there as HTML. Neither is stored, so neither counts."""

    address: str
    html: str


@endpoint(
    "POST",
    "/entry-points/<external:external_id>/links",
    scope=WRITE,
    body=NewLink,
    gives=LinkShape,
    status=201,
    tag=TAG,
)
def create_link(external_id: str, body: NewLink) -> LinkShape:
    """Sign a link.

    About one object, such as a property, with its title and price.
    """
    entry_point = find(external_id)
    values = body.model_dump(exclude={"object", "language"}, exclude_none=True)
    more = values | ({"lang": body.language} if body.language else {})
    address = link_to(entry_point, body.object.parameters() if body.object else {}, more)
    language = (body.language or next(iter(entry_point.languages), "en")).partition("-")[0]
    return LinkShape(address=address, html=button_html(entry_point, language, address))


class FiguresQuery(Shape):
    by: Literal["entry_point", "object", "page", "campaign"] = "entry_point"
    since: AddressTime | None = Field(None, description="30 days before `until` where it is left out.")
    until: AddressTime | None = Field(None, description="Now where it is left out.")


class FigureShape(Shape):
    """Of one entry point, object, page or campaign. `key` is its id: of an object, a JSON array of type and id."""

    key: str
    title: str
    clicks: int
    conversations: int
    replied: int
    resolved: int


class FiguresShape(Shape):
    since: Time
    until: Time
    by: str
    data: list[FigureShape] = Field(max_length=500)


def figures_for(query: FiguresQuery, entry_point_id: uuid.UUID | None) -> FiguresShape:
    until = query.until or now()
    since = query.since or until - dt.timedelta(days=30)
    if not since < until <= since + LONGEST_SPAN:
        fault = Fault("invalid", "Give a span of at most 100 days.", parameter="since")
        raise Problem("invalid_request", errors=[fault])
    rows: Iterable[Any] = figures(query.by, since, until, entry_point_id)
    shapes = [FigureShape(**{name: getattr(row, name) for name in FigureShape.model_fields}) for row in rows]
    assert query.by in DIMENSIONS
    return FiguresShape(since=since, until=until, by=query.by, data=shapes)


@endpoint(
    "GET",
    "/entry-points/<external:external_id>/figures",
    scope=READ,
    query=FiguresQuery,
    gives=FiguresShape,
    tag=TAG,
)
def get_entry_point_figures(external_id: str, query: FiguresQuery) -> FiguresShape:
    """Get what a link or button brought.

    Clicks, conversations, those with a reply, those that are resolved now.
    """
    return figures_for(query, find(external_id).id)


@endpoint("GET", "/entry-point-figures", scope=READ, query=FiguresQuery, gives=FiguresShape, tag=TAG)
def list_figures(query: FiguresQuery) -> FiguresShape:
    """Get what all links and buttons brought.

    At most 500 rows, those with most conversations first. Not for a team's key.
    """
    if current_key().kind == "team":
        raise NotFound
    return figures_for(query, None)
