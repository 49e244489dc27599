"""Forms and responses as the API shows them. Outgoing webhooks carry the same."""

from __future__ import annotations

import uuid
from typing import Any, Self

from pydantic import Field

from app.api import Shape
from app.api.declaring import Time
from app.meta.payload import bounded
from app.whatsapp_flows.models import FlowVersion, WhatsappFlow
from app.whatsapp_flows.responses import FlowResponse

MOST_CHARACTERS = 32_000


class QuestionShape(Shape):
    """A field of a form: its name in the answers, its label, and its options by id."""

    name: str
    label: str
    options: dict[str, str]


class FlowVersionShape(Shape):
    """One version of a form. `meta_id` names it in a message; `status` is Meta's word, or LOCAL for a draft of ours."""

    number: int
    meta_id: str | None
    status: str
    questions: list[QuestionShape]
    created_at: Time

    @classmethod
    def of(cls, version: FlowVersion) -> Self:
        return cls(
            number=version.number,
            meta_id=version.meta_id or None,
            status=version.status,
            questions=[
                QuestionShape(name=one.name, label=one.label, options=dict(one.titles)) for one in version.questions
            ],
            created_at=version.created_at,
        )


class FlowShape(Shape):
    """A form. `sendable` is Meta's id of the newest version that can be sent."""

    id: uuid.UUID
    waba_id: uuid.UUID
    name: str
    categories: list[str]
    source: str = Field(description="here, or meta where it was made in WhatsApp Manager.")
    sendable: str | None
    newest: FlowVersionShape
    created_at: Time

    @classmethod
    def of(cls, flow: WhatsappFlow) -> Self:
        sendable = flow.sendable
        return cls(
            id=flow.id,
            waba_id=flow.waba_id,
            name=flow.name,
            categories=flow.categories,
            source=flow.source,
            sendable=sendable.meta_id if sendable else None,
            newest=FlowVersionShape.of(flow.newest),
            created_at=flow.created_at,
        )


class AnswerShape(Shape):
    """An answer as people read it."""

    label: str
    value: str

    @classmethod
    def of(cls, label: str, value: str) -> Self:
        return cls(label=label, value=value)


class FlowResponseShape(Shape):
    """What a customer sent back in a form. `answers` are as WhatsApp sent them, `rows` as people read them."""

    id: uuid.UUID
    contact_id: uuid.UUID
    conversation_id: uuid.UUID
    message_id: uuid.UUID
    flow_id: uuid.UUID | None
    flow_name: str | None
    flow_version: int | None
    answers: dict[str, Any]
    rows: list[AnswerShape]
    at: Time

    @classmethod
    def of(cls, response: FlowResponse) -> Self:
        return cls(
            id=response.id,
            contact_id=response.contact_id,
            conversation_id=response.conversation_id,
            message_id=response.message_id,
            flow_id=response.flow_id,
            flow_name=response.flow.name if response.flow else None,
            flow_version=response.version.number if response.version else None,
            answers=bounded(response.answers, MOST_CHARACTERS),
            rows=[AnswerShape.of(row["label"], row["value"]) for row in response.rows],
            at=response.at,
        )
