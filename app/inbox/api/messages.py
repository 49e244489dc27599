"""Messages for programs: send, list, get, retry, cancel; mark as read, and show that somebody types."""

from __future__ import annotations

import datetime as dt
import uuid
from functools import partial
from typing import Annotated, Any, Literal

from flask import g, request
from pydantic import AfterValidator, Field
from sqlalchemy import ColumnElement, select, text
from werkzeug.exceptions import NotFound

from app.api import Fault, MissingScope, Page, PageQuery, Place, Problem, current_key, endpoint, problem, scope
from app.api.declaring import AddressTime
from app.api.pages import page_of, scan
from app.inbox.compose.first_messages import Recipient
from app.inbox.compose.problems import NOT_SENT
from app.inbox.conversations import Conversation, Later, Message
from app.inbox.conversations.states import IN_TROUBLE, STATES, TROUBLE
from app.inbox.files.media import Media
from app.inbox.outbound.typing import show_typing_later
from app.meta.written_numbers import NotRead
from app.tenancy import db, first_id, later
from app.wabas.models import PhoneNumber
from app.words import N_

from . import reach
from .attaching import attached
from .refused import SENDING, as_problem
from .sending import Addressed, AnyMessage, NewMessage
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
# By how much an id may be of another time than its row: the clocks of two machines.
SLACK = dt.timedelta(hours=1)


def checked_state(name: str) -> str:
    if name not in STATES:
        raise ValueError(f"There is no such state. These are: {', '.join(STATES)}.")
    return name


State = Annotated[str, Field(max_length=20, json_schema_extra={"enum": list(STATES)}), AfterValidator(checked_state)]
# Null is the newest first.
Sort = Literal["-created_at", "created_at"] | None


class MessagesQuery(PageQuery):
    conversation_id: uuid.UUID | None = Field(None, alias="filter[conversation_id]")
    phone_number_id: uuid.UUID | None = Field(None, alias="filter[phone_number_id]")
    direction: Annotated[str, Field(pattern="^(inbound|outbound)$")] | None = Field(None, alias="filter[direction]")
    state: list[State] | None = Field(None, alias="filter[state]", max_length=12)
    wamid: Annotated[str, Field(max_length=512)] | None = Field(None, alias="filter[wamid]")
    created_after: AddressTime | None = Field(None, description="Only messages stored after this time.")
    created_before: AddressTime | None = Field(None, description="Only messages stored before this time.")
    sort: Sort = Field(
        None, description="The newest first where it is left out; in a conversation by when it happened."
    )

    def conditions(self, message: type[Message]) -> list[ColumnElement[bool]]:
        """What is wanted beside the conversation, of the class or an alias of it."""
        wanted: list[Any] = [message.is_shown, reach.reached(message.phone_number_id)]
        if self.phone_number_id:
            wanted.append(message.phone_number_id == self.phone_number_id)
        if self.direction:
            wanted.append(message.direction == self.direction)
        if self.state:
            wanted.append(message.state.in_(self.state))
        if self.created_after:
            wanted.append(message.created_at > self.created_after)
        if self.created_before:
            wanted.append(message.created_at < self.created_before)
        return wanted


@endpoint("GET", "/messages", scope=READ, query=MessagesQuery, gives=Page[MessageShape], tag=TAG)
def list_messages(query: MessagesQuery) -> Page[MessageShape]:
    """List messages.

    Newest first, unless `sort` says otherwise. Scheduled messages are in the list too; their `send_at` says when they
    go out. A page may have fewer than `limit` messages, or none, and still a `next`: a filter that little matches is
    answered in several pages.
    """
    candidates = select(Message)
    if query.conversation_id:
        candidates = candidates.where(Message.conversation_id == query.conversation_id)
    if query.wamid:
        # By the index of a number's wamids.
        candidates = candidates.where(Message.phone_number_id.in_(select(PhoneNumber.id)), Message.wamid == query.wamid)
    if query.state and set(query.state) <= set(TROUBLE):
        candidates = candidates.where(text(IN_TROUBLE))
    # In a conversation by when it happened, as its thread; among all by when it was stored, which their ids tell.
    value = "occurred_at" if query.conversation_id else None
    if query.created_after and not value:
        candidates = candidates.where(Message.id >= first_id(query.created_after - SLACK))
    if query.created_before and not value:
        candidates = candidates.where(Message.id < first_id(query.created_before + SLACK))
    ascending = query.sort == "created_at"
    ids, further = scan(candidates, Message, query.conditions, query.after, query.limit, value, ascending=ascending)
    rows = select(Message).where(Message.id.in_(ids)).options(*Message.with_all_around_it())
    by_id = {message.id: message for message in db.session.scalars(rows).unique()}
    messages = [by_id[id] for id in ids if id in by_id]
    page = page_of(messages, query.limit, MessageShape.of, lambda one: Place(one.id, value and one.occurred_at))
    return Page(data=page.data, next=page.next or (str(further) if further else None))


@endpoint("GET", "/messages/<uuid:message_id>", scope=READ, gives=MessageShape, tag=TAG)
def get_message(message_id: uuid.UUID) -> MessageShape:
    """Get a message."""
    return MessageShape.of(reach.find_message(message_id))


@endpoint("POST", "/messages", scope=WRITE, body=NewMessage, gives=MessageShape, status=202, tag=TAG, problems=SENDING)
def send_message(body: NewMessage) -> MessageShape:
    """Send a message.

    The answer comes as soon as the message is stored; `state` and the webhooks tell what becomes of it. To a phone
    number that no one has written from yet, only a template may be sent; the conversation is opened with it.
    """
    wanted = body.root
    if wanted.type == "raw" and not current_key().may(RAW):
        raise MissingScope(WRITE, RAW)
    return MessageShape.of(send(wanted, client_id()))


def send(wanted: AnyMessage, client_id: uuid.UUID) -> Message:
    """Stores the message. The same `client_id` again is the same message. Raises a `Problem`."""
    try:
        wanted.prepare()
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


def recipient_of(wanted: Addressed) -> Recipient | Conversation:
    to = wanted.to
    try:
        if to.conversation_id:
            taken = current_key().actor.takes_over and wanted.send_at is None
            conversation = reach.find_conversation_to_write_in(to.conversation_id, taken=taken)
            check_from(wanted, conversation)
            return conversation
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


def check_from(wanted: Addressed, conversation: Conversation) -> None:
    """That `from`, if it is given, is the conversation's number. Raises a `Problem`."""
    if wanted.from_ in (None, conversation.phone_number_id):
        return
    number_of(wanted)
    fault = Fault("other_number", "This conversation is on another of your numbers. Leave from out.", pointer="/from")
    raise Problem("invalid_request", errors=[fault])


def number_of(wanted: Addressed) -> PhoneNumber:
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
