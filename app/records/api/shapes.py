"""Records and their links as the API shows them. Outgoing webhooks carry the same."""

from __future__ import annotations

import uuid
from typing import Any, Self

from pydantic import Field

from app.api import Shape
from app.api.declaring import Time
from app.inbox.api.shapes import ActorShape
from app.records.models import Record, RecordLink


class RecordShape(Shape):
    """Something in another system that customers are about: a deal, a lead, a property, an order, an appointment."""

    id: uuid.UUID
    source: str = Field(description="The system it is in, as you call it.", examples=["agency"])
    type: str = Field(description="lead, deal, property, order, appointment, contact or other.")
    external_id: str = Field(description="Its id there. Source, type and id are unique.")
    title: str
    url: str | None = Field(description="Where to open it in its own system.")
    attributes: dict[str, Any] = Field(description="In the order in which you sent them.")
    stage: str = Field(description="As its system calls it; empty where it has none.")
    outcome: str = Field(description="Of the stage: open, won or lost; empty for a stage that is not defined here.")
    amount_micros: int | None = Field(description="In millionths of the currency.")
    currency: str | None
    owner_name: str | None
    is_mirrored: bool = Field(description="Whether a CRM connection copies it.")
    is_stale: bool = Field(description="Whether its source no longer has it, or has not confirmed it for 30 days.")
    gone_at: Time | None
    staged_at: Time = Field(description="Since when it has been in its stage.")
    seen_at: Time = Field(description="When its source confirmed it last.")
    updated_at: Time
    created_at: Time

    @classmethod
    def of(cls, record: Record) -> Self:
        return cls(
            id=record.id,
            source=record.source,
            type=record.type,
            external_id=record.external_id,
            title=record.title,
            url=record.url or None,
            attributes={one["name"]: one["value"] for one in record.attributes},
            stage=record.stage,
            outcome=record.outcome,
            amount_micros=record.amount_micros,
            currency=record.currency or None,
            owner_name=record.owner_name or None,
            is_mirrored=record.is_mirrored,
            is_stale=record.is_stale,
            gone_at=record.gone_at,
            staged_at=record.staged_at,
            seen_at=record.seen_at,
            updated_at=record.updated_at,
            created_at=record.created_at,
        )


class RecordLinkShape(Shape):
    """Whom a record is about. With a conversation, it is shown in that one alone."""

    id: uuid.UUID
    record_id: uuid.UUID
    contact_id: uuid.UUID
    conversation_id: uuid.UUID | None
    by: ActorShape | None
    created_at: Time

    @classmethod
    def of(cls, link: RecordLink) -> Self:
        return cls(
            id=link.id,
            record_id=link.record_id,
            contact_id=link.contact_id,
            conversation_id=link.conversation_id,
            by=ActorShape.of(link.by),
            created_at=link.created_at,
        )
