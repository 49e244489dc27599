"""A number as the API shows it. Outgoing webhooks carry the same."""

from __future__ import annotations

import uuid
from typing import Self

from pydantic import Field

from app.api import Shape
from app.api.declaring import Time
from app.wabas.models import PhoneNumber


class WabaReference(Shape):
    """The WhatsApp Business Account of a number."""

    id: uuid.UUID
    meta_id: str
    name: str
    currency: str = Field(description="What Meta bills it in; empty until Meta has said it.")


class NumberShape(Shape):
    """One of your WhatsApp numbers."""

    id: uuid.UUID
    meta_id: str = Field(description="Meta's `phone_number_id`.")
    display_number: str
    verified_name: str
    username: str
    state: str = Field(description="connecting, connected, paused (what is to be sent waits) or disconnected.")
    quality_rating: str = Field(description="GREEN, YELLOW, RED or UNKNOWN, as Meta says.")
    messaging_limit: str = Field(description="How many people it may write to first in 24 hours, in Meta's words.")
    waba: WabaReference
    connected_at: Time | None
    created_at: Time

    @classmethod
    def of(cls, number: PhoneNumber) -> Self:
        waba = number.waba
        return cls(
            id=number.id,
            meta_id=number.meta_id,
            display_number=number.display_number,
            verified_name=number.verified_name,
            username=number.username,
            state=number.state,
            quality_rating=number.quality_rating,
            messaging_limit=number.messaging_limit,
            waba=WabaReference(id=waba.id, meta_id=waba.meta_id, name=waba.name, currency=waba.currency),
            connected_at=number.connected_at,
            created_at=number.created_at,
        )
