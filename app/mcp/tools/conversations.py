"""Conversations for assistants: find, read, suggest, note, and reply in two steps."""

from __future__ import annotations

import uuid
from typing import Annotated, Literal

from pydantic import Field
from sqlalchemy import select

from app.api import PageQuery, Shape
from app.api.declaring import Time
from app.inbox.api import conversations, messages, reach
from app.inbox.api.conversations import ConversationsQuery, NewNote
from app.inbox.api.sending import Text, TextMessage
from app.inbox.api.shapes import ContactReference, ConversationShape, MessageShape, NoteShape
from app.inbox.conversations import Message
from app.inbox.desk.notes import LONGEST_NOTE
from app.mcp.declaring import ADDS, READS, SENDS, tool
from app.mcp.sending import Preview, Sent, Token, preview_or_send
from app.tenancy import db

MOST_NOTES = 10
SUGGESTION = "Suggested reply, not sent:\n"
Limit = Annotated[int, Field(ge=1, le=50)]


class LineShape(Shape):
    """A message as an assistant reads it."""

    id: uuid.UUID
    written_by: Literal["customer", "us"]
    by: str | None
    type: str
    text: str
    file: str | None
    state: str
    error: str | None
    at: Time

    @classmethod
    def of(cls, one: MessageShape) -> LineShape:
        return cls(
            id=one.id,
            written_by="customer" if one.direction == "inbound" else "us",
            by=one.by.name if one.by else None,
            type=one.type,
            text=one.text,
            file=(one.file.filename or one.file.mime) if one.file else None,
            state=one.state,
            error=one.error.title if one.error else None,
            at=one.occurred_at,
        )


class SearchConversations(Shape):
    state: Literal["open", "pending", "snoozed", "resolved", "archived", "spam", "blocked"] | None = None
    is_waiting: bool | None = Field(None, description="Whether the customer waits for a reply.")
    is_unassigned: bool | None = None
    contact_id: uuid.UUID | None = Field(None, description="Of this contact; find_contact finds ids.")
    phone_number_id: uuid.UUID | None = Field(None, description="On this number of yours.")
    limit: Limit = 20
    after: str | None = Field(None, max_length=500, description="The `next` of the answer before.")


class FoundConversation(Shape):
    id: uuid.UUID
    contact: ContactReference | None
    phone_number_id: uuid.UUID
    state: str
    unread_count: int
    waiting_since: Time | None
    reply_window_closes_at: Time | None
    last_message: LineShape | None
    last_message_at: Time


class FoundConversations(Shape):
    conversations: list[FoundConversation]
    next: str | None


@tool("search_conversations", SearchConversations, (conversations.READ, messages.READ), READS)
def search_conversations(given: SearchConversations) -> FoundConversations:
    """Search conversations.

    The one with the newest message first, each with its contact and last message.
    """
    filters = {
        "filter[state]": [given.state] if given.state else None,
        "filter[unreplied]": given.is_waiting,
        "filter[unassigned]": given.is_unassigned,
        "filter[contact_id]": given.contact_id,
        "filter[phone_number_id]": given.phone_number_id,
    }
    more = {"limit": given.limit, "after": given.after, "include": ["contact"]}
    page = conversations.list_conversations(ConversationsQuery.model_validate(filters | more))
    ids = [one.last_message_id for one in page.data if one.last_message_id]
    rows = select(Message).where(Message.id.in_(ids)).options(*Message.with_all_around_it())
    last = {row.id: LineShape.of(MessageShape.of(row)) for row in db.session.scalars(rows).unique()}
    return FoundConversations(conversations=[as_match(one, last) for one in page.data], next=page.next)


def as_match(one: ConversationShape, last: dict[uuid.UUID, LineShape]) -> FoundConversation:
    return FoundConversation(
        id=one.id,
        contact=one.contact,
        phone_number_id=one.phone_number_id,
        state=one.state,
        unread_count=one.unread_count,
        waiting_since=one.waiting_since,
        reply_window_closes_at=one.reply_window_closes_at,
        last_message=last.get(one.last_message_id) if one.last_message_id else None,
        last_message_at=one.last_message_at,
    )


class GetConversation(Shape):
    conversation_id: uuid.UUID
    messages: Limit = Field(20, description="How many of the last messages.")


class WholeConversation(Shape):
    conversation: ConversationShape
    messages: list[LineShape] = Field(description="The last ones, oldest first.")
    has_earlier: bool
    notes: list[NoteShape] = Field(description="What the team wrote for itself, oldest first.")


@tool("get_conversation", GetConversation, (conversations.READ, messages.READ), READS)
def get_conversation(given: GetConversation) -> WholeConversation:
    """Read a conversation.

    Its state, its last messages, and the team's private notes.
    """
    query = conversations.ConversationQuery(include=["contact", "phone_number"])
    whole = conversations.get_conversation(given.conversation_id, query)
    last = conversations.ThreadQuery(limit=given.messages, after=None, sort=None)
    page = conversations.list_conversation_messages(given.conversation_id, last)
    notes = conversations.list_notes(given.conversation_id, PageQuery(limit=MOST_NOTES, after=None))
    return WholeConversation(
        conversation=whole,
        messages=[LineShape.of(one) for one in reversed(page.data)],
        has_earlier=page.next is not None,
        notes=notes.data[::-1],
    )


class SuggestReply(Shape):
    conversation_id: uuid.UUID
    text: Annotated[str, Field(min_length=1, max_length=4096)]


class AddNote(Shape):
    conversation_id: uuid.UUID
    text: Annotated[str, Field(min_length=1, max_length=LONGEST_NOTE)] = Field(
        description="Team members are mentioned with @ and their name."
    )


@tool("suggest_reply", SuggestReply, (conversations.WRITE,), ADDS)
def suggest_reply(given: SuggestReply) -> NoteShape:
    """Suggest a reply to the team.

    It becomes a private note that only the team sees. Nothing is sent to the customer.
    """
    return conversations.add_note(given.conversation_id, NewNote(body=SUGGESTION + given.text))


@tool("add_note", AddNote, (conversations.WRITE,), ADDS)
def add_note(given: AddNote) -> NoteShape:
    """Add a private note to a conversation.

    Only the team sees it.
    """
    return conversations.add_note(given.conversation_id, NewNote(body=given.text))


class SendReply(Shape):
    conversation_id: uuid.UUID
    text: Text
    reply_to: uuid.UUID | None = Field(None, description="The id of a message in the conversation, to quote it.")
    preview_token: Token = None


@tool("send_reply", SendReply, (messages.WRITE,), SENDS)
def send_reply(given: SendReply) -> Preview | Sent:
    """Reply to a customer.

    In two steps. Without preview_token nothing is sent: you get a preview of the message, its price, or why it would be
    refused. With the token of that preview and the same arguments it is sent, once.
    """
    reach.find_conversation(given.conversation_id)
    to = {"conversation_id": given.conversation_id}
    wanted = TextMessage.model_validate(
        {"type": "text", "to": to, "reply_to": given.reply_to, "text": {"body": given.text}}
    )
    return preview_or_send("send_reply", wanted, given, given.preview_token, "service")
