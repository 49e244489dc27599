"""What concerns all of a contact, for programs: merges, the person file, erasure, costs."""

from __future__ import annotations

import uuid
from typing import Self

from flask import Flask, Response, current_app, g
from pydantic import Field
from werkzeug.exceptions import NotFound

from app import zones
from app.api import Fault, Page, PageQuery, Place, Problem, Shape, current_key, endpoint, problem, scope
from app.api.declaring import Time
from app.api.pages import after, page_of
from app.billing.money import Money
from app.contacts.api.tags import READ, TAG
from app.contacts.records import ContactEvent
from app.inbox.api import reach
from app.inbox.api.reach import OUT_OF_REACH
from app.inbox.api.shapes import ActorShape
from app.people.costs import Costs
from app.people.erasure import erase
from app.people.merges import ContactMerge, NotLast, NotTwo
from app.people.person_file import person_file
from app.tenancy import db
from app.words import N_

from .contacts import WRITE

ERASE = scope("contacts:erase", N_("Erase people permanently"), is_risky=True)
EXPORT = scope("contacts:export", N_("Download everything about a person"), is_risky=True)
COSTS = "usage:read"
NOT_TWO = problem(
    "not_mergeable",
    409,
    "These contacts can't be merged, or separated",
    N_("They are one contact already, or one of them was erased."),
)
NOT_LAST = problem("later_merge", 409, "A later merge comes first", N_("Undo the merge in “merge_id” first."))


class MergeShape(Shape):
    """Two contacts that became one. `contact_id` is the one that stays."""

    id: uuid.UUID
    contact_id: uuid.UUID
    other_id: uuid.UUID
    by: ActorShape | None
    created_at: Time
    undone_at: Time | None
    undone_by: ActorShape | None

    @classmethod
    def of(cls, merge: ContactMerge) -> Self:
        return cls(
            id=merge.id,
            contact_id=merge.contact_id,
            other_id=merge.other_id,
            by=ActorShape.of(merge.by),
            created_at=merge.created_at,
            undone_at=merge.undone_at,
            undone_by=ActorShape.of(merge.undone_by),
        )


class NewMerge(Shape):
    other_id: uuid.UUID


@endpoint(
    "POST",
    "/contacts/<uuid:contact_id>/merges",
    scope=WRITE,
    body=NewMerge,
    gives=MergeShape,
    status=201,
    tag=TAG,
    problems=(NOT_TWO, OUT_OF_REACH),
)
def merge_contacts(contact_id: uuid.UUID, body: NewMerge) -> MergeShape:
    """Merge two contacts that are one person.

    The one that was created first stays, and gets what the other has. It can be undone.
    """
    contact = reach.find_whole_contact(contact_id)
    try:
        other = reach.find_whole_contact(body.other_id)
    except NotFound:
        fault = Fault("not_found", "There is no such contact.", pointer="/other_id")
        raise Problem("invalid_request", errors=[fault]) from None
    try:
        return MergeShape.of(ContactMerge.merge(contact, other, by=current_key().actor))
    except NotTwo:
        raise Problem(NOT_TWO) from None


@endpoint("GET", "/contacts/<uuid:contact_id>/merges", scope=READ, query=PageQuery, gives=Page[MergeShape], tag=TAG)
def list_contact_merges(contact_id: uuid.UUID, query: PageQuery) -> Page[MergeShape]:
    """List the merges of a contact, undone ones too.

    Newest first.
    """
    mine = ContactMerge.all_of(reach.find_contact(contact_id).id).order_by(None)
    rows = after(mine, query.after, ContactMerge.id).limit(query.limit + 1)
    return page_of(db.session.scalars(rows), query.limit, MergeShape.of, lambda merge: Place(merge.id))


@endpoint(
    "POST",
    "/contacts/<uuid:contact_id>/merges/<uuid:merge_id>/undo",
    scope=WRITE,
    gives=MergeShape,
    tag=TAG,
    problems=(NOT_TWO, NOT_LAST, OUT_OF_REACH),
)
def undo_contact_merge(contact_id: uuid.UUID, merge_id: uuid.UUID) -> MergeShape:
    """Undo a merge.

    Each of the two gets back what it had; what has arrived since stays.
    """
    contact, merge = reach.find_whole_contact(contact_id), ContactMerge.find(merge_id)
    if merge is None or contact.id not in (merge.contact_id, merge.other_id):
        raise NotFound
    try:
        merge.undo(by=current_key().actor)
    except NotTwo:
        raise Problem(NOT_TWO) from None
    except NotLast as error:
        raise Problem(NOT_LAST, more={"merge_id": str(error.later.id)}) from None
    return MergeShape.of(merge)


@endpoint("POST", "/contacts/<uuid:contact_id>/erasure", scope=ERASE, tag=TAG, problems=(OUT_OF_REACH,))
def erase_contact(contact_id: uuid.UUID) -> None:
    """Erase a person.

    Who they are and what was written and sent is deleted permanently. The count of messages, times and costs stay.
    """
    contact = reach.find_whole_contact(contact_id)
    if not contact.is_erased:
        erase(contact, by=current_key().actor)


@endpoint(
    "GET",
    "/contacts/<uuid:contact_id>/person-file",
    scope=EXPORT,
    files=("application/json",),
    tag=TAG,
    problems=(OUT_OF_REACH,),
)
def get_person_file(contact_id: uuid.UUID) -> Response:
    """Download everything about a person.

    For people who ask for their data (GDPR, article 15). The contact's activity shows each download.
    """
    contact = reach.find_whole_contact(contact_id)
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    body = person_file(app, g.tenant.id, contact, zones.UTC)
    ContactEvent.record(contact.id, "exported", by=current_key().actor)
    headers = {"Content-Disposition": f'attachment; filename="person-{contact.id}.json"'}
    return Response(body, content_type="application/json", headers=headers)


class AmountShape(Shape):
    micros: int = Field(description="In millionths of the currency.")
    currency: str

    @classmethod
    def of_all(cls, sums: list[Money]) -> list[Self]:
        return [cls(micros=money.micros, currency=money.currency) for money in sums]


class CategoryCosts(Shape):
    category: str
    messages: int
    amounts: list[AmountShape]
    unpriced: int


class CostsShape(Shape):
    """What Meta charged for the messages to one contact, at its list prices."""

    messages: int
    amounts: list[AmountShape] = Field(description="The sum in each currency.")
    unpriced: int = Field(description="How many of the messages have no known price.")
    categories: list[CategoryCosts]


@endpoint(
    "GET",
    "/contacts/<uuid:contact_id>/costs",
    scope=COSTS,
    gives=CostsShape,
    tag="Usage",
    problems=(OUT_OF_REACH,),
)
def get_contact_costs(contact_id: uuid.UUID) -> CostsShape:
    """Get what a contact has cost."""
    costs = Costs(reach.find_whole_contact(contact_id).id)
    categories = [
        CategoryCosts(
            category=row.category,
            messages=row.messages,
            amounts=AmountShape.of_all(row.sums),
            unpriced=row.unpriced,
        )
        for row in costs.rows
    ]
    amounts = AmountShape.of_all(costs.sums)
    return CostsShape(messages=costs.messages, amounts=amounts, unpriced=costs.unpriced, categories=categories)
