"""Sending in two steps: a preview with a token, and with that token the message that was previewed, once."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import uuid
from typing import Annotated, Any, Self

from pydantic import BaseModel, Field

from app import tokens
from app.api import Problem, Shape, current_key, problem
from app.api.declaring import Time
from app.inbox.api import messages
from app.inbox.api.sending import TemplateMessage, TextMessage
from app.inbox.api.shapes import ContactReference, MessageShape, NumberReference
from app.inbox.conversations import Message
from app.message_templates.api.shapes import PriceShape
from app.tenancy import now
from app.tenancy.guard import roll_back
from app.words import N_

PURPOSE = "mcp preview"
LASTS = dt.timedelta(minutes=10)
BAD_TOKEN = problem(
    "preview_token_invalid",
    409,
    "The preview_token is not of this call",
    N_("It was changed, or belongs to another key, tool or other arguments. Call without it to get a new preview."),
)
OLD_TOKEN = problem(
    "preview_expired",
    409,
    "The preview is older than 10 minutes",
    N_("Call without preview_token to get a new preview. If it was sent already, it is in the conversation."),
)
CHANGED = problem(
    "preview_outdated",
    409,
    "The message would not be the one in the preview any more",
    N_("The template, the recipient or the number was changed since. Call without preview_token to get a new preview."),
)
Token = Annotated[
    str | None,
    Field(max_length=1_000, description="From the preview. Leave it out first; with it the message is sent."),
]


class Refusal(Shape):
    code: str
    reason: str


class Preview(Shape):
    """What would be sent, to whom, and for how much. Nothing was sent."""

    is_sent: bool = False
    can_be_sent: bool
    refusal: Refusal | None = Field(None, description="Why it can't be sent, and what to do.")
    to: ContactReference | None = None
    from_number: NumberReference | None = None
    text: str | None = None
    content: dict[str, Any] | None = None
    price: PriceShape | None = None
    reply_window_closes_at: Time | None = None
    waits_because: str | None = None
    preview_token: str | None = None
    token_expires_at: Time | None = None
    next_step: str

    @classmethod
    def refused(cls, problem: Problem) -> Self:
        details = " ".join([problem.detail, *(fault.detail for fault in problem.errors)])
        refusal = Refusal(code=problem.kind.code, reason=f"{problem.kind.title}. {details}")
        return cls(can_be_sent=False, refusal=refusal, next_step="Do as the reason says, then ask for a preview again.")

    @classmethod
    def of(cls, message: Message, category: str) -> Self:
        conversation, shape = message.conversation, MessageShape.of(message)
        number = conversation.phone_number
        return cls(
            can_be_sent=True,
            refusal=None,
            to=ContactReference.of(conversation.contact),
            from_number=NumberReference.of(number),
            text=shape.text,
            content=shape.content,
            price=PriceShape.of(conversation.terms.price_of(category, now())),
            reply_window_closes_at=conversation.window_closes_at,
            waits_because=f"The number is paused: {number.pause_reason}" if number.state == "paused" else None,
            next_step="Show this to a person. If they agree, call again with the same arguments and preview_token.",
        )


class Sent(Shape):
    """The message, as it is stored; explain_message tells what becomes of it."""

    is_sent: bool = True
    message_id: uuid.UUID
    conversation_id: uuid.UUID
    state: str
    text: str

    @classmethod
    def of(cls, message: Message) -> Self:
        shown = MessageShape.of(message)
        return cls(message_id=shown.id, conversation_id=shown.conversation_id, state=shown.state, text=shown.text)


def preview_or_send(
    tool: str, wanted: TextMessage | TemplateMessage, given: BaseModel, token: str | None, category: str
) -> Preview | Sent:
    arguments = given.model_dump(mode="json", exclude={"preview_token"})
    if token is None:
        return preview(tool, wanted, arguments, category)
    seen, once = read_token(token, tool, arguments)
    message = messages.send(wanted, uuid.uuid5(current_key().id, f"mcp {once}"))
    if content_of(message) != seen:
        raise Problem(CHANGED)
    return Sent.of(message)


def preview(tool: str, wanted: TextMessage | TemplateMessage, arguments: dict[str, Any], category: str) -> Preview:
    """Sends it and takes that back: whatever would refuse the message refuses it here."""
    try:
        message = messages.send(wanted, uuid.uuid4())
    except Problem as problem:
        roll_back()
        return Preview.refused(problem)
    shown, seen = Preview.of(message, category), content_of(message)
    roll_back()
    shown.token_expires_at = now() + LASTS
    values = [
        str(current_key().id),
        tool,
        digest(arguments),
        seen,
        shown.token_expires_at.timestamp(),
        uuid.uuid4().hex,
    ]
    shown.preview_token = tokens.sign(PURPOSE, json.dumps(values))
    return shown


def read_token(token: str, tool: str, arguments: dict[str, Any]) -> tuple[str, str]:
    """What the message of the preview was, and what is in this token only. Raises a `Problem`.

    A signature can be written in several ways, so the token's own text does not tell it from another.
    """
    value = tokens.read(PURPOSE, token)
    if value is None:
        raise Problem(BAD_TOKEN)
    key_id, of_tool, of_arguments, seen, until, once = json.loads(value)
    if [key_id, of_tool, of_arguments] != [str(current_key().id), tool, digest(arguments)]:
        raise Problem(BAD_TOKEN)
    if until <= now().timestamp():
        raise Problem(OLD_TOKEN)
    return str(seen), str(once)


def content_of(message: Message) -> str:
    """Names what a person saw in the preview: the words, from which number, and to whom."""
    conversation, shape = message.conversation, MessageShape.of(message)
    to = ContactReference.of(conversation.contact).phone or str(conversation.contact_id)
    return digest([str(conversation.phone_number_id), to, shape.text, shape.content])


def digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
