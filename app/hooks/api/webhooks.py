"""Webhooks for programs: list, create, change, secret, log, sending again; and the hooks of Zapier, Make and n8n."""

from __future__ import annotations

import uuid
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator
from sqlalchemy import Select, select
from werkzeug.exceptions import NotFound

from app.api import Fault, Page, PageQuery, Place, Problem, Shape, check_match, current_key, endpoint, problem, scope
from app.api.declaring import GivenTime
from app.api.pages import after, page_of
from app.egress import Refused
from app.hooks.deliveries import RETENTION, WebhookDelivery
from app.hooks.endpoints import (
    LONGEST_BATCH,
    LONGEST_DESCRIPTION,
    LONGEST_URL,
    TooManyEndpoints,
    TooManySecrets,
    WebhookEndpoint,
)
from app.hooks.event_types import event_types
from app.hooks.replays import replay_later
from app.hooks.samples import sample_of
from app.tenancy import db, now
from app.wabas.models import PhoneNumber
from app.words import N_

from .shapes import DeliveryShape, DeliveryWithAttempts, EventShape, WebhookShape, WebhookWithSecret, checked_types

READ = scope("webhooks:read", N_("Read webhooks and their log"))
WRITE = scope("webhooks:write", N_("Create and change webhooks, send events again"), is_risky=True)
TAG = "Webhooks"
TOO_MANY = problem(
    "too_many_webhooks",
    409,
    "There are as many webhooks as there may be",
    N_("Delete one that is not needed any more."),
)
DISABLED = problem("webhook_disabled", 409, "The webhook is disabled", N_("Set its state to active first."))
TOO_MANY_SECRETS = problem(
    "too_many_secrets",
    409,
    "As many secrets sign as may",
    N_("End the old secrets first, or wait until they end by themselves."),
)
NOT_FOR_TEAMS = problem(
    "not_for_team_keys",
    403,
    "A team's key can't manage webhooks",
    N_("A webhook reaches events of the whole business. Use a key that isn't limited to a team."),
)

Url = Annotated[str, Field(max_length=LONGEST_URL, description="Public, with https, on the usual port.")]
Types = Annotated[list[str], Field(min_length=1, max_length=200)]


class NewWebhook(Shape):
    """Without `types`, or with null, it gets all events."""

    url: Url
    description: Annotated[str, Field(max_length=LONGEST_DESCRIPTION)] = ""
    types: Types | None = None
    phone_number_id: uuid.UUID | None = None
    is_ordered: bool = False
    batch_seconds: Annotated[int, Field(ge=0, le=LONGEST_BATCH)] = 0

    @field_validator("types")
    @classmethod
    def check_types(cls, types: list[str] | None) -> list[str] | None:
        return checked_types(types)


class WebhookChange(Shape):
    """What is left out stays as it is."""

    url: Url | None = None
    description: Annotated[str, Field(max_length=LONGEST_DESCRIPTION)] | None = None
    types: Types | None = None
    phone_number_id: uuid.UUID | None = None
    is_ordered: bool | None = None
    batch_seconds: Annotated[int, Field(ge=0, le=LONGEST_BATCH)] | None = None

    @field_validator("types")
    @classmethod
    def check_types(cls, types: list[str] | None) -> list[str] | None:
        return checked_types(types)

    @model_validator(mode="after")
    def check_nulls(self) -> WebhookChange:
        for name in ("url", "description", "is_ordered", "batch_seconds"):
            if name in self.model_fields_set and getattr(self, name) is None:
                raise ValueError(f"{name} can't be null.")
        return self


def mine() -> Select[WebhookEndpoint]:
    """The webhooks that the key reaches: a test key, those for test events; any other, the rest."""
    key = current_key()
    if key.kind == "team":
        raise Problem(NOT_FOR_TEAMS)
    return WebhookEndpoint.listed().where(WebhookEndpoint.is_test.is_(key.is_test))


def find(id: uuid.UUID) -> WebhookEndpoint:
    if (results := db.session.scalar(mine().where(WebhookEndpoint.id == id))) is None:
        raise NotFound
    return results


def find_active(id: uuid.UUID) -> WebhookEndpoint:
    results = find(id)
    if not results.is_active:
        raise Problem(DISABLED)
    return results


def find_delivery(webhook: WebhookEndpoint, id: uuid.UUID) -> WebhookDelivery:
    delivery = WebhookDelivery.find(id)
    if delivery is None or delivery.endpoint_id != webhook.id:
        raise NotFound
    return delivery


def check_number(id: uuid.UUID | None) -> None:
    if id is not None and PhoneNumber.find(id) is None:
        fault = Fault("not_found", "There is no such number.", pointer="/phone_number_id")
        raise Problem("invalid_request", errors=[fault])


def wrong_url(pointer: str) -> Problem:
    fault = Fault("wrong_url", "Give a public address with https:// and without a port of its own.", pointer=pointer)
    return Problem("invalid_request", errors=[fault])


def create(url: str, pointer: str, **settings: Any) -> WebhookEndpoint:
    mine()
    key = current_key()
    check_number(settings.get("phone_number_id"))
    try:
        return WebhookEndpoint.create(url, by=key.actor, is_test=key.is_test, **settings)
    except Refused:
        raise wrong_url(pointer) from None
    except TooManyEndpoints:
        raise Problem(TOO_MANY) from None


@endpoint(
    "GET",
    "/webhooks",
    scope=READ,
    query=PageQuery,
    gives=Page[WebhookShape],
    tag=TAG,
    problems=(NOT_FOR_TEAMS,),
)
def list_webhooks(query: PageQuery) -> Page[WebhookShape]:
    """List webhooks.

    Newest first. A business has at most twenty.
    """
    rows = mine().order_by(None)
    rows = after(rows, query.after, WebhookEndpoint.id).limit(query.limit + 1)
    return page_of(db.session.scalars(rows), query.limit, WebhookShape.of, lambda one: Place(one.id))


@endpoint(
    "POST",
    "/webhooks",
    scope=WRITE,
    body=NewWebhook,
    gives=WebhookWithSecret,
    status=201,
    tag=TAG,
    problems=(TOO_MANY, NOT_FOR_TEAMS),
)
def create_webhook(body: NewWebhook) -> WebhookWithSecret:
    """Create a webhook.

    The answer is the only one that holds its signing secret. A test key's webhook gets what test keys do.
    """
    settings = body.model_dump(exclude={"url"})
    return WebhookWithSecret.of(create(body.url, "/url", **settings))


@endpoint(
    "GET",
    "/webhooks/<uuid:webhook_id>",
    scope=READ,
    gives=WebhookShape,
    tag=TAG,
    problems=(NOT_FOR_TEAMS,),
)
def get_webhook(webhook_id: uuid.UUID) -> WebhookShape:
    """Get a webhook."""
    return WebhookShape.of(find(webhook_id))


@endpoint(
    "PATCH",
    "/webhooks/<uuid:webhook_id>",
    scope=WRITE,
    body=WebhookChange,
    gives=WebhookShape,
    tag=TAG,
    problems=(NOT_FOR_TEAMS,),
)
def change_webhook(webhook_id: uuid.UUID, body: WebhookChange) -> WebhookShape:
    """Change a webhook."""
    webhook = find(webhook_id).refresh_locked()
    check_match(WebhookShape.of(webhook))
    check_number(body.phone_number_id)
    changed = body.model_dump(include=body.model_fields_set - {"url"})
    try:
        webhook.change(body.url or webhook.url, **changed)
    except Refused:
        raise wrong_url("/url") from None
    return WebhookShape.of(webhook)


@endpoint(
    "DELETE",
    "/webhooks/<uuid:webhook_id>",
    scope=WRITE,
    tag=TAG,
    problems=(NOT_FOR_TEAMS,),
)
def delete_webhook(webhook_id: uuid.UUID) -> None:
    """Delete a webhook and its log."""
    find(webhook_id).remove()


class WebhookState(Shape):
    state: Literal["active", "disabled"]


@endpoint(
    "PUT",
    "/webhooks/<uuid:webhook_id>/state",
    scope=WRITE,
    body=WebhookState,
    gives=WebhookShape,
    tag=TAG,
    problems=(NOT_FOR_TEAMS,),
)
def change_webhook_state(webhook_id: uuid.UUID, body: WebhookState) -> WebhookShape:
    """Disable a webhook, or enable it again.

    What waits when it is disabled is cancelled; it can be replayed later.
    """
    webhook = find(webhook_id).refresh_locked()
    check_match(WebhookShape.of(webhook))
    if body.state == "active":
        webhook.enable()
    else:
        webhook.disable("member")
    return WebhookShape.of(webhook)


@endpoint(
    "POST",
    "/webhooks/<uuid:webhook_id>/secret",
    scope=WRITE,
    gives=WebhookWithSecret,
    status=201,
    tag=TAG,
    problems=(NOT_FOR_TEAMS, TOO_MANY_SECRETS),
)
def rotate_webhook_secret(webhook_id: uuid.UUID) -> WebhookWithSecret:
    """Make a new signing secret.

    For 24 hours requests are signed with it and with those before it. Another change within that time gives all of them
    24 hours more.
    """
    webhook = find(webhook_id).refresh_locked()
    try:
        webhook.rotate()
    except TooManySecrets:
        raise Problem(TOO_MANY_SECRETS) from None
    return WebhookWithSecret.of(webhook)


@endpoint(
    "DELETE",
    "/webhooks/<uuid:webhook_id>/old-secrets",
    scope=WRITE,
    tag=TAG,
    problems=(NOT_FOR_TEAMS,),
)
def end_old_webhook_secrets(webhook_id: uuid.UUID) -> None:
    """End the old secrets.

    For when your program has the new one: requests are signed with that alone from now on.
    """
    find(webhook_id).refresh_locked().end_old_secrets()


@endpoint(
    "POST",
    "/webhooks/<uuid:webhook_id>/test-events",
    scope=WRITE,
    gives=DeliveryShape,
    status=202,
    tag=TAG,
    problems=(
        NOT_FOR_TEAMS,
        DISABLED,
    ),
)
def send_test_event(webhook_id: uuid.UUID) -> DeliveryShape:
    """Send a test event."""
    delivery = find_active(webhook_id).send_test(by=current_key().actor)
    db.session.flush()
    return DeliveryShape.of(delivery)


class DeliveriesQuery(PageQuery):
    state: Literal["waiting", "delivered", "failed", "cancelled"] | None = Field(None, alias="filter[state]")
    type: Annotated[str, Field(max_length=100)] | None = Field(None, alias="filter[type]")


@endpoint(
    "GET",
    "/webhooks/<uuid:webhook_id>/deliveries",
    scope=READ,
    query=DeliveriesQuery,
    gives=Page[DeliveryShape],
    tag=TAG,
    problems=(NOT_FOR_TEAMS,),
)
def list_webhook_deliveries(webhook_id: uuid.UUID, query: DeliveriesQuery) -> Page[DeliveryShape]:
    """List the deliveries of a webhook.

    Newest first, of the last 30 days.
    """
    rows = select(WebhookDelivery).where(WebhookDelivery.endpoint_id == find(webhook_id).id)
    if query.state:
        rows = rows.where(WebhookDelivery.state == query.state)
    if query.type:
        rows = rows.where(WebhookDelivery.type == query.type)
    rows = after(rows, query.after, WebhookDelivery.id).limit(query.limit + 1)
    return page_of(db.session.scalars(rows), query.limit, DeliveryShape.of, lambda one: Place(one.id))


@endpoint(
    "GET",
    "/webhooks/<uuid:webhook_id>/deliveries/<uuid:delivery_id>",
    scope=READ,
    gives=DeliveryWithAttempts,
    tag=TAG,
    problems=(NOT_FOR_TEAMS,),
)
def get_webhook_delivery(webhook_id: uuid.UUID, delivery_id: uuid.UUID) -> DeliveryWithAttempts:
    """Get a delivery with its attempts."""
    return DeliveryWithAttempts.of(find_delivery(find(webhook_id), delivery_id))


@endpoint(
    "POST",
    "/webhooks/<uuid:webhook_id>/deliveries/<uuid:delivery_id>/replays",
    scope=WRITE,
    gives=DeliveryShape,
    status=202,
    tag=TAG,
    problems=(
        NOT_FOR_TEAMS,
        DISABLED,
    ),
)
def replay_webhook_delivery(webhook_id: uuid.UUID, delivery_id: uuid.UUID) -> DeliveryShape:
    """Send a delivery again.

    Its `webhook-id` stays the same.
    """
    delivery = find_delivery(find_active(webhook_id), delivery_id)
    delivery.replay()
    db.session.refresh(delivery)
    return DeliveryShape.of(delivery)


class NewReplay(Shape):
    """From `since` on, and before `until`. Events are stored for 30 days."""

    since: GivenTime = Field(examples=["2026-11-29T09:00:00Z"])
    until: GivenTime = Field(examples=["2026-11-29T10:00:00Z"])

    @model_validator(mode="after")
    def check_span(self) -> NewReplay:
        if self.until <= self.since:
            raise ValueError("until has to be after since.")
        return self


@endpoint(
    "POST",
    "/webhooks/<uuid:webhook_id>/replays",
    scope=WRITE,
    body=NewReplay,
    gives=WebhookShape,
    status=202,
    tag=TAG,
    problems=(
        NOT_FOR_TEAMS,
        DISABLED,
    ),
)
def replay_webhook(webhook_id: uuid.UUID, body: NewReplay) -> WebhookShape:
    """Send all events of a time again.

    Also those that happened while the webhook was disabled. Each goes out on its own, under the id it had.
    """
    webhook = find_active(webhook_id)
    if body.since < now() - RETENTION:
        fault = Fault("too_long_ago", "Events are stored for 30 days.", pointer="/since")
        raise Problem("invalid_request", errors=[fault])
    replay_later(webhook, body.since, body.until)
    return WebhookShape.of(webhook)


class NewWebhookSubscription(Shape):
    """`event` for one type, `events` for several; neither for all."""

    target_url: Url
    event: Annotated[str, Field(max_length=100)] | None = None
    events: Types | None = None

    @model_validator(mode="after")
    def check_types(self) -> NewWebhookSubscription:
        if self.event and self.events:
            raise ValueError("Give event or events, not both.")
        checked_types(self.types)
        return self

    @property
    def types(self) -> list[str] | None:
        return [self.event] if self.event else self.events


class WebhookSubscriptionShape(Shape):
    """A webhook as no-code tools subscribe to it. `secret` signs its requests; no other answer holds it."""

    id: uuid.UUID
    target_url: str
    events: list[str] | None
    secret: str | None = None

    @classmethod
    def of(cls, webhook: WebhookEndpoint, secret: str | None = None) -> WebhookSubscriptionShape:
        return cls(id=webhook.id, target_url=webhook.url, events=webhook.types, secret=secret)


@endpoint(
    "POST",
    "/webhook-subscriptions",
    scope=WRITE,
    body=NewWebhookSubscription,
    gives=WebhookSubscriptionShape,
    status=201,
    tag=TAG,
    problems=(TOO_MANY, NOT_FOR_TEAMS),
)
def subscribe(body: NewWebhookSubscription) -> WebhookSubscriptionShape:
    """Subscribe to events.

    For Zapier, Make, n8n and others that use REST hooks: the same as creating a webhook. There is no handshake.
    """
    webhook = create(body.target_url, "/target_url", types=body.types)
    return WebhookSubscriptionShape.of(webhook, str(webhook.secret))


@endpoint(
    "GET",
    "/webhook-subscriptions/<uuid:webhook_id>",
    scope=READ,
    gives=WebhookSubscriptionShape,
    tag=TAG,
    problems=(NOT_FOR_TEAMS,),
)
def get_webhook_subscription(webhook_id: uuid.UUID) -> WebhookSubscriptionShape:
    """Get a subscription."""
    return WebhookSubscriptionShape.of(find(webhook_id))


@endpoint(
    "DELETE",
    "/webhook-subscriptions/<uuid:webhook_id>",
    scope=WRITE,
    tag=TAG,
    problems=(NOT_FOR_TEAMS,),
)
def unsubscribe(webhook_id: uuid.UUID) -> None:
    """End a subscription."""
    find(webhook_id).remove()


class SamplesQuery(Shape):
    event: Annotated[str, Field(max_length=100, description="A type of event.")]

    @field_validator("event")
    @classmethod
    def check_type(cls, event: str) -> str:
        if event not in event_types():
            raise ValueError("There is no such type. GET /event-types lists them.")
        return event


class SamplesShape(Shape):
    data: list[EventShape]


@endpoint("GET", "/webhook-subscriptions/samples", scope=READ, query=SamplesQuery, gives=SamplesShape, tag=TAG)
def list_samples(query: SamplesQuery) -> SamplesShape:
    """List samples of an event.

    Made up, so that a program can be set up before anything has happened.
    """
    return SamplesShape(data=[EventShape(**sample_of(query.event))])
