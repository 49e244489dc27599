"""Messages for programs: send, list, get, retry, cancel; mark as read, and show that somebody types."""

from __future__ import annotations

import uuid
from functools import partial
from typing import Annotated

from flask import g, request
from pydantic import Field
from sqlalchemy import Select, select
from werkzeug.exceptions import NotFound

from app.api import Fault, Page, PageQuery, Place, Problem, current_key, endpoint, problem, scope
from app.api.declaring import AddressTime
from app.api.pages import after, page_of
from app.inbox.compose.first_messages import Recipient
from app.inbox.compose.problems import NOT_SENT
from app.inbox.conversations import Conversation, Later, Message
from app.inbox.files.media import Media
from app.inbox.outbound.typing import show_typing_later
from app.inbox.outbound.uploads import enqueue_delivery
from app.meta.written_numbers import NotRead
from app.tenancy import db, later
from app.wabas.models import PhoneNumber
from app.words import N_

from . import reach
from .attaching import attached
from .refused import SENDING, as_problem
from .sending import AnyMessage, NewMessage
from .shapes import MessageShape

READ = scope("messages:read", N_("Read messages and what became of them"))
WRITE = scope("messages:write", N_("Send messages, retry and cancel them, mark as read"))
RAW = scope("messages:raw", N_("Send messages in Meta's own format"), is_risky=True)
TAG = "Messages"
NOT_WAITING = problem(
    "not_waiting",
    409,
    "The message is not waiting any more",
    N_("Only queued and scheduled messages can be cancelled."),
)
NOT_RETRYABLE = problem(
    "not_retryable",
    409,
    "The message can't be retried",
    N_("Only messages that failed for a temporary reason, or whose delivery is unconfirmed, can be retried."),
)
State = Annotated[str, Field(max_length=20)]


class MessagesQuery(PageQuery):
    conversation_id: uuid.UUID | None = Field(None, alias="filter[conversation_id]")
    phone_number_id: uuid.UUID | None = Field(None, alias="filter[phone_number_id]")
    direction: Annotated[str, Field(pattern="^(inbound|outbound)$")] | None = Field(None, alias="filter[direction]")
    state: list[State] | None = Field(None, alias="filter[state]", max_length=12)
    wamid: Annotated[str, Field(max_length=512)] | None = Field(None, alias="filter[wamid]")
    created_after: AddressTime | None = Field(None, description="Only messages stored after this time.")
    created_before: AddressTime | None = Field(None, description="Only messages stored before this time.")


@endpoint("GET", "/messages", scope=READ, query=MessagesQuery, gives=Page[MessageShape], tag=TAG)
def list_messages(query: MessagesQuery) -> Page[MessageShape]:
    """List messages.

    Newest first. Scheduled messages are in the list too; their `send_at` says when they go out.
    """
    rows = select(Message).where(Message.is_shown, reach.reached(Message.phone_number_id))
    rows = rows.options(*Message.with_all_around_it())
    for column, value in (
        (Message.conversation_id, query.conversation_id),
        (Message.phone_number_id, query.phone_number_id),
        (Message.direction, query.direction),
        (Message.wamid, query.wamid),
    ):
        rows = rows.where(column == value) if value is not None else rows
    if query.state:
        rows = rows.where(Message.state.in_(query.state))
    if query.created_after:
        rows = rows.where(Message.created_at > query.created_after)
    if query.created_before:
        rows = rows.where(Message.created_at < query.created_before)
    return messages_page(rows, query)


def messages_page(rows: Select[Message], query: PageQuery) -> Page[MessageShape]:
    found = db.session.scalars(after(rows, query.after, Message.id).limit(query.limit + 1)).unique()
    return page_of(found, query.limit, MessageShape.of, lambda message: Place(message.id))


@endpoint("GET", "/messages/<uuid:message_id>", scope=READ, gives=MessageShape, tag=TAG)
def get_message(message_id: uuid.UUID) -> MessageShape:
    """Get a message."""
    return MessageShape.of(reach.find_message(message_id))


@endpoint("POST", "/messages", scope=WRITE, body=NewMessage, gives=MessageShape, status=202, tag=TAG, problems=SENDING)
def send_message(body: NewMessage) -> MessageShape:
    """Send a message.

    The answer comes as soon as the message is stored; `state` and the webhooks tell what becomes of it. To a phone
    number that nobody has written from yet, only a template may be sent; the conversation is opened with it.
    """
    wanted = body.root
    if wanted.type == "raw" and not current_key().may(RAW):
        raise Problem("missing_scope", scope=RAW)
    message = send(wanted, client_id())
    if wanted.send_at is None:
        enqueue_delivery(message)
    return MessageShape.of(message)


def send(wanted: AnyMessage, client_id: uuid.UUID) -> Message:
    """Stores the message. The same `client_id` again is the same message. Raises a `Problem`."""
    try:
        return put_to(recipient_of(wanted), wanted, client_id)
    except NOT_SENT as error:
        raise as_problem(error, f"/{wanted.type}") from None


def put_to(recipient: Recipient | Conversation, wanted: AnyMessage, client_id: uuid.UUID) -> Message:
    if isinstance(recipient, Conversation):
        return put_into(recipient, wanted, client_id)
    number = number_of(wanted)
    if number.id in recipient.conversations:
        return put_into(recipient.conversations[number.id], wanted, client_id)
    if obstacle := recipient.obstacle_on(number):
        raise Problem("unreachable", obstacle, errors=[Fault("unreachable", obstacle, pointer="/to")])
    with attached(wanted, None, client_id) as media:
        write, by = partial(put, wanted, media=media, client_id=client_id), current_key().actor
        return recipient.write(number, write, by=by, name=wanted.to.name)


def put_into(conversation: Conversation, wanted: AnyMessage, client_id: uuid.UUID) -> Message:
    with attached(wanted, conversation, client_id) as media:
        return put(wanted, conversation, media=media, client_id=client_id)


def put(wanted: AnyMessage, conversation: Conversation, *, media: Media | None, client_id: uuid.UUID) -> Message:
    answering = conversation.find_message(wanted.reply_to) if wanted.reply_to else None
    if wanted.reply_to and answering is None:
        fault = Fault("not_found", "There is no such message in this conversation.", pointer="/reply_to")
        raise Problem("invalid_request", errors=[fault])
    return conversation.send(
        wanted.build_for(conversation),
        by=current_key().actor,
        client_id=client_id,
        answering=answering,
        media=media,
        later=Later(wanted.send_at) if wanted.send_at else None,
    )


def client_id() -> uuid.UUID:
    """The same for the same Idempotency-Key, also after its answer is forgotten."""
    key = request.headers.get("Idempotency-Key")
    return uuid.uuid5(g.api_key.id, f"message {key}") if key else uuid.uuid4()


def recipient_of(wanted: AnyMessage) -> Recipient | Conversation:
    to = wanted.to
    try:
        if to.conversation_id:
            return reach.find_conversation(to.conversation_id)
        if to.contact_id:
            return Recipient.of_contact(reach.find_contact(to.contact_id))
    except NotFound:
        name = "conversation_id" if to.conversation_id else "contact_id"
        fault = Fault("not_found", "There is nothing with this id.", pointer=f"/to/{name}")
        raise Problem("invalid_request", errors=[fault]) from None
    try:
        return Recipient.of_number(to.phone or "")
    except NotRead as error:
        fault = Fault("invalid_phone_number", error.explain(), pointer="/to/phone")
        raise Problem("invalid_request", errors=[fault]) from None


def number_of(wanted: AnyMessage) -> PhoneNumber:
    """The number to send from: the one named, else the only one there is."""
    reachable = reach.numbers().order_by(PhoneNumber.created_at)
    if wanted.from_:
        if number := db.session.scalar(reachable.where(PhoneNumber.id == wanted.from_)):
            return number
        fault = Fault("not_found", "You have no number with this id.", pointer="/from")
        raise Problem("invalid_request", errors=[fault])
    numbers = [number for number in db.session.scalars(reachable.limit(50)) if number.takes_messages]
    if len(numbers) == 1:
        return numbers[0]
    words = "Say from which number, by its id." if numbers else "No number is connected that this key can use."
    raise Problem("invalid_request", errors=[Fault("required", words, pointer="/from")])


@endpoint(
    "POST",
    "/messages/<uuid:message_id>/retry",
    scope=WRITE,
    gives=MessageShape,
    status=202,
    tag=TAG,
    problems=(*SENDING, NOT_RETRYABLE),
)
def retry_message(message_id: uuid.UUID) -> MessageShape:
    """Retry a message.

    For one that failed for a temporary reason. One whose delivery is unconfirmed may reach the customer twice.
    """
    message = reach.find_message(message_id).refresh_locked()
    if not message.can_be_retried:
        raise Problem(NOT_RETRYABLE)
    message.retry()
    later("outbound.deliver")
    return MessageShape.of(message)


@endpoint(
    "POST", "/messages/<uuid:message_id>/cancel", scope=WRITE, gives=MessageShape, tag=TAG, problems=(NOT_WAITING,)
)
def cancel_message(message_id: uuid.UUID) -> MessageShape:
    """Cancel a message.

    One that is queued or scheduled. What was handed to WhatsApp can't be taken back.
    """
    message = reach.find_message(message_id)
    if not message.cancel() and message.state != "cancelled":
        raise Problem(NOT_WAITING)
    return MessageShape.of(message)


@endpoint("POST", "/messages/<uuid:message_id>/read", scope=WRITE, gives=MessageShape, tag=TAG)
def mark_message_read(message_id: uuid.UUID) -> MessageShape:
    """Mark a message as read.

    The customer sees blue ticks at it and at all before it, and the conversation counts as read here.
    """
    message = reach.find_message(message_id)
    conversation = message.conversation
    conversation.mark_read()
    if not message.is_outbound:
        later("outbound.mark_read", conversation.id)
    return MessageShape.of(message)


@endpoint("POST", "/conversations/<uuid:conversation_id>/typing", scope=WRITE, tag=TAG)
def show_typing(conversation_id: uuid.UUID) -> None:
    """Show a typing indicator.

    For up to 25 seconds, while the reply window is open and unless the number's settings turn it off.
    """
    show_typing_later(reach.find_conversation(conversation_id))
