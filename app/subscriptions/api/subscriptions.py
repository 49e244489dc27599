"""Subscriptions for programs: list, get, put by the id of their own system, renew, cancel."""

from __future__ import annotations

import datetime as dt
import uuid

from flask import request
from pydantic import Field
from werkzeug.exceptions import NotFound

from app.api import Created, Fault, Page, PageQuery, Place, Problem, check_match, current_key, endpoint, scope
from app.api.pages import after, page_of
from app.inbox.api import reach
from app.inbox.api.reach import OUT_OF_REACH
from app.subscriptions.models import Subscription
from app.tenancy import db
from app.words import N_

from .shapes import GivenSubscription, Renewal, Status, SubscriptionShape, SubscriptionSummary

READ = scope("subscriptions:read", N_("Read subscriptions and their reminders"))
WRITE = scope("subscriptions:write", N_("Report, renew and cancel subscriptions"))
TAG = "Subscriptions"


class SubscriptionsQuery(PageQuery):
    contact_id: uuid.UUID | None = Field(None, alias="filter[contact_id]")
    status: Status | None = Field(None, alias="filter[status]")
    ends_after: dt.date | None = Field(None, description="Only those whose last day is later.")
    ends_before: dt.date | None = Field(None, description="Only those whose last day is earlier.")


@endpoint("GET", "/subscriptions", scope=READ, query=SubscriptionsQuery, gives=Page[SubscriptionSummary], tag=TAG)
def list_subscriptions(query: SubscriptionsQuery) -> Page[SubscriptionSummary]:
    """List subscriptions.

    The newest first.
    """
    rows = Subscription.by_end().order_by(None).where(reach.contact_reached(Subscription.contact_id))
    if query.contact_id:
        rows = rows.where(Subscription.contact_id == query.contact_id)
    if query.status:
        rows = rows.where(Subscription.status == query.status)
    if query.ends_after:
        rows = rows.where(Subscription.ends_on > query.ends_after)
    if query.ends_before:
        rows = rows.where(Subscription.ends_on < query.ends_before)
    results = db.session.scalars(after(rows, query.after, Subscription.id).limit(query.limit + 1))
    return page_of(results, query.limit, SubscriptionSummary.of, lambda one: Place(one.id))


def find_subscription(external_id: str) -> Subscription:
    mine = Subscription.by_end().where(
        Subscription.external_id == external_id, reach.contact_reached(Subscription.contact_id)
    )
    if (results := db.session.scalar(mine)) is None:
        raise NotFound
    return results


@endpoint("GET", "/subscriptions/<external:external_id>", scope=READ, gives=SubscriptionShape, tag=TAG)
def get_subscription(external_id: str) -> SubscriptionShape:
    """Get a subscription.

    By the id that your system has for it, percent-encoded. With the reminders of its present end.
    """
    return SubscriptionShape.of(find_subscription(external_id))


@endpoint(
    "PUT",
    "/subscriptions/<external:external_id>",
    scope=WRITE,
    body=GivenSubscription,
    gives=SubscriptionShape,
    tag=TAG,
    problems=(OUT_OF_REACH,),
    creates=True,
)
def put_subscription(external_id: str, body: GivenSubscription) -> SubscriptionShape | Created:
    """Report a subscription.

    By the id that your system has for it. A later end renews it. Reminders of an end that no longer is are taken back,
    also those that have not left the outbox yet.
    """
    if request.headers.get("If-Match") is not None and Subscription.called(external_id) is None:
        raise Problem("changed_meanwhile")
    given = body.read()
    subscription, is_new = Subscription.claim(external_id, given)
    if is_new:
        subscription.schedule()
        return Created(SubscriptionShape.of(subscription))
    if not is_reached(subscription):
        raise Problem(OUT_OF_REACH)
    check_match(SubscriptionShape.of(subscription))
    subscription.change(given, by=current_key().actor)
    db.session.flush()
    return SubscriptionShape.of(subscription)


def is_reached(subscription: Subscription) -> bool:
    mine = Subscription.by_end().where(
        Subscription.id == subscription.id, reach.contact_reached(Subscription.contact_id)
    )
    return db.session.scalar(mine) is not None


@endpoint(
    "POST",
    "/subscriptions/<external:external_id>/renewal",
    scope=WRITE,
    body=Renewal,
    gives=SubscriptionShape,
    tag=TAG,
)
def renew_subscription(external_id: str, body: Renewal) -> SubscriptionShape:
    """Renew a subscription.

    Until a later day, also one that has ended or was cancelled.
    """
    subscription = find_subscription(external_id).refresh_locked()
    try:
        subscription.renew(body.ends_on, by=current_key().actor)
    except ValueError:
        fault = Fault("not_later", "It ends on this day or later already.", pointer="/ends_on")
        raise Problem("invalid_request", errors=[fault]) from None
    return SubscriptionShape.of(subscription)


@endpoint("POST", "/subscriptions/<external:external_id>/cancellation", scope=WRITE, gives=SubscriptionShape, tag=TAG)
def cancel_subscription(external_id: str) -> SubscriptionShape:
    """Cancel a subscription.

    The customer gets no message, and no more reminders.
    """
    subscription = find_subscription(external_id).refresh_locked()
    subscription.cancel()
    return SubscriptionShape.of(subscription)
