"""Webhooks, their deliveries and events as the API shows them."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, Self

from pydantic import Field

from app.api import Shape
from app.api.declaring import Time
from app.hooks.deliveries import DeliveryAttempt, WebhookDelivery
from app.hooks.endpoints import WebhookEndpoint
from app.hooks.event_types import TEST, event_types
from app.hooks.events import public_id


def checked_types(types: list[str] | None) -> list[str] | None:
    unknown = [name for name in types or () if name not in event_types() or name == TEST]
    if unknown:
        raise ValueError(f"There is no type {unknown[0][:50]!r}. GET /event-types lists them.")
    return list(dict.fromkeys(types)) if types is not None else None


class WebhookShape(Shape):
    """Where events are sent, which of them, and how.

    `state` is `active` or `disabled`; `reason` says why: `member` (somebody chose that), `gone` (the server answered
    410), `failing` (nothing but failures for a day) or `closed` (the business was closed).
    """

    id: uuid.UUID
    url: str
    description: str
    types: list[str] | None = Field(description="The types of events it gets; null: all, also those added later.")
    phone_number_id: uuid.UUID | None
    is_ordered: bool
    batch_seconds: int
    is_test: bool
    state: str
    reason: str
    disabled_at: Time | None
    failing_since: Time | None
    old_secrets_sign_until: Time | None = Field(description="Until when requests are signed with old secrets too.")
    created_at: Time

    @classmethod
    def of(cls, endpoint: WebhookEndpoint) -> Self:
        return cls(**values_of(endpoint))


class WebhookWithSecret(WebhookShape):
    """A webhook with its signing secret, which no other answer holds."""

    secret: str = Field(description="`whsec_…`, by Standard Webhooks.")

    @classmethod
    def of(cls, endpoint: WebhookEndpoint) -> Self:
        return cls(**values_of(endpoint), secret=str(endpoint.secret))


def values_of(endpoint: WebhookEndpoint) -> dict[str, Any]:
    names = [name for name in WebhookShape.model_fields if name != "disabled_at"]
    disabled_at: dt.datetime | None = None if endpoint.is_active else endpoint.disabled_at
    return {name: getattr(endpoint, name) for name in names} | {"disabled_at": disabled_at}


class DeliveryShape(Shape):
    """One event, or a batch of one conversation's, for one webhook. `webhook_id` is the header of its requests."""

    id: uuid.UUID
    webhook_id: str
    type: str
    event_ids: list[str]
    state: str
    attempts: int
    status: int | None = Field(description="The HTTP status of the last attempt; null where there was no answer.")
    error: str = Field(description="Why there was no answer: `timeout`, `name`, `tls`, `connection` …")
    next_attempt_at: Time | None
    created_at: Time
    finished_at: Time | None

    @classmethod
    def of(cls, delivery: WebhookDelivery) -> Self:
        return cls(
            id=delivery.id,
            webhook_id=delivery.webhook_id,
            type=delivery.type,
            event_ids=[public_id(id) for id in delivery.event_ids],
            state=delivery.state,
            attempts=delivery.attempts,
            status=delivery.status,
            error=delivery.error,
            next_attempt_at=delivery.next_attempt_at if delivery.state == "waiting" else None,
            created_at=delivery.created_at,
            finished_at=delivery.finished_at,
        )


class AttemptShape(Shape):
    """One request, without its signature, and the beginning of the answer."""

    number: int
    at: Time
    headers: dict[str, str]
    size: int
    status: int | None
    answer: str
    error: str
    milliseconds: int

    @classmethod
    def of(cls, attempt: DeliveryAttempt) -> Self:
        return cls(**{name: getattr(attempt, name) for name in cls.model_fields})


class DeliveryWithAttempts(DeliveryShape):
    """A delivery with its latest attempts, the newest first."""

    tried: list[AttemptShape] = Field(default_factory=list)

    @classmethod
    def of(cls, delivery: WebhookDelivery) -> Self:
        plain = DeliveryShape.of(delivery)
        return cls(**dict(plain), tried=[AttemptShape.of(one) for one in delivery.tried])


class EventShape(Shape):
    """Something that happened, as webhooks carry it. What `data` holds depends on the type: see `GET /event-types`."""

    id: str
    type: str
    timestamp: str = Field(json_schema_extra={"format": "date-time"})
    api_version: str
    sequence: int | None = Field(
        None, description="Its place in its conversation, where you had a webhook when it happened."
    )
    data: dict[str, Any]
