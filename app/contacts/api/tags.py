"""The tags and the fields of a business for programs."""

from __future__ import annotations

import uuid
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from app.api import Page, PageQuery, Place, Problem, Shape, check_match, endpoint, problem, scope
from app.api.pages import after, page_of
from app.contacts.fields import ContactField
from app.contacts.names import plain
from app.contacts.tags import LONGEST_TAG, Tag, TagExists
from app.tenancy import db
from app.words import N_

from .shapes import FieldShape, TagShape

READ = scope("contacts:read", N_("Read contacts, their tags, fields, notes and consents"))
WRITE = scope("tags:write", N_("Create, rename and delete tags"))
TAG = "Contacts"
# Of one business, by programs.
MOST_TAGS = 5_000
TAG_EXISTS = problem("tag_exists", 409, "Another tag has this name", N_("Use that tag, or choose another name."))
TOO_MANY_TAGS = problem(
    "too_many_tags", 409, "There are too many tags", N_("Delete tags that are no longer used, then try again.")
)
Color = Literal["grey", "green", "blue", "violet", "pink", "red", "amber", "teal"]


def visible(name: str) -> str:
    """On one line, without characters that disguise others. Raises ValueError where nothing is left."""
    if not (cleaned := plain(name)):
        raise ValueError("Use at least one visible character.")
    return cleaned


TagName = Annotated[str, Field(min_length=1, max_length=LONGEST_TAG), AfterValidator(visible)]


def make_tag(name: str) -> Tag:
    """The tag of that name, made where there is none. Raises a `Problem`."""
    if (existing := Tag.named(name)) is not None:
        return existing
    refuse_too_many()
    return Tag.get_or_make(name)


def refuse_too_many() -> None:
    some = select(Tag.id).limit(MOST_TAGS).subquery()
    if db.session.scalars(select(func.count()).select_from(some)).one() >= MOST_TAGS:
        raise Problem(TOO_MANY_TAGS)


class TagsQuery(PageQuery):
    name: Annotated[str, Field(max_length=LONGEST_TAG)] | None = Field(
        None, alias="filter[name]", description="Upper and lower case are the same."
    )


@endpoint("GET", "/tags", scope=READ, query=TagsQuery, gives=Page[TagShape], tag=TAG)
def list_tags(query: TagsQuery) -> Page[TagShape]:
    """List tags.

    Oldest first.
    """
    rows = select(Tag).where(func.lower(Tag.name) == func.lower(query.name)) if query.name else select(Tag)
    rows = after(rows, query.after, Tag.id, ascending=True).limit(query.limit + 1)
    return page_of(db.session.scalars(rows), query.limit, TagShape.of, lambda tag: Place(tag.id))


class NewTag(Shape):
    name: TagName
    color: Color | None = Field(None, description="One that fits the others where it is left out.")


@endpoint(
    "POST",
    "/tags",
    scope=WRITE,
    body=NewTag,
    gives=TagShape,
    status=201,
    tag=TAG,
    problems=(TAG_EXISTS, TOO_MANY_TAGS),
)
def create_tag(body: NewTag) -> TagShape:
    """Create a tag."""
    if Tag.named(body.name) is not None:
        raise Problem(TAG_EXISTS)
    refuse_too_many()
    tag = Tag.make(body.name)
    if tag is None:
        raise Problem(TAG_EXISTS)
    tag.color = body.color or tag.color
    return TagShape.of(tag)


@endpoint("GET", "/tags/<uuid:tag_id>", scope=READ, gives=TagShape, tag=TAG)
def get_tag(tag_id: uuid.UUID) -> TagShape:
    """Get a tag."""
    return TagShape.of(Tag.get_or_404(tag_id))


class TagChange(Shape):
    """A member that is left out stays as it is."""

    name: TagName | None = None
    color: Color | None = None


@endpoint("PATCH", "/tags/<uuid:tag_id>", scope=WRITE, body=TagChange, gives=TagShape, tag=TAG, problems=(TAG_EXISTS,))
def update_tag(tag_id: uuid.UUID, body: TagChange) -> TagShape:
    """Change a tag."""
    tag = Tag.get_or_404(tag_id).refresh_locked()
    check_match(TagShape.of(tag))
    try:
        with db.session.begin_nested():
            tag.change(body.name or tag.name, body.color or tag.color)
    # Or somebody else took the name a moment ago.
    except (TagExists, IntegrityError):
        raise Problem(TAG_EXISTS) from None
    return TagShape.of(tag)


@endpoint("DELETE", "/tags/<uuid:tag_id>", scope=WRITE, tag=TAG)
def delete_tag(tag_id: uuid.UUID) -> None:
    """Delete a tag.

    It is removed from every contact.
    """
    tag = Tag.get_or_404(tag_id).refresh_locked()
    check_match(TagShape.of(tag))
    tag.remove()


@endpoint("GET", "/contact-fields", scope=READ, query=PageQuery, gives=Page[FieldShape], tag=TAG)
def list_contact_fields(query: PageQuery) -> Page[FieldShape]:
    """List the fields of contacts.

    Oldest first. Fields are made in Settings, Fields.
    """
    rows = after(select(ContactField), query.after, ContactField.id, ascending=True).limit(query.limit + 1)
    return page_of(db.session.scalars(rows), query.limit, FieldShape.of, lambda field: Place(field.id))
