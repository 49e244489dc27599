"""Messages and conversations as the API shows them. Outgoing webhooks carry the same."""

from __future__ import annotations

import uuid
from typing import Any, Self

from pydantic import Field

from app.api import Shape
from app.api.declaring import Time
from app.contacts.models import Contact
from app.entry_points.api.shapes import SubjectShape
from app.entry_points.models import EntryTouch
from app.inbox.conversations import Conversation, Message
from app.inbox.conversations.messages import Reaction
from app.inbox.desk.notes import Note
from app.inbox.files.media import Media
from app.meta.payload import bounded
from app.tenancy import Actor, User, is_sandbox
from app.wabas.models import PhoneNumber


class ActorShape(Shape):
    """Who did something: an agent, an API key, an automation …; `id` is theirs, where they have one."""

    kind: str = Field(examples=["api"])
    id: uuid.UUID | None
    name: str = Field(examples=["Web shop"])

    @classmethod
    def of(cls, actor: Actor | None) -> Self | None:
        return cls(kind=actor.kind, id=actor.id, name=actor.name) if actor else None


class ContactReference(Shape):
    id: uuid.UUID
    name: str
    phone: str | None = Field(description="In international form; null where WhatsApp hides it.")

    @classmethod
    def of(cls, contact: Contact) -> Self:
        wa_id = contact.identity("wa_id")
        return cls(id=contact.id, name=contact.name, phone=f"+{wa_id}" if wa_id else None)


class NumberReference(Shape):
    id: uuid.UUID
    meta_id: str
    display_number: str

    @classmethod
    def of(cls, number: PhoneNumber) -> Self:
        return cls(id=number.id, meta_id=number.meta_id, display_number=number.display_number)


class AssigneeShape(Shape):
    id: uuid.UUID
    name: str

    @classmethod
    def of(cls, user: User | None) -> Self | None:
        return cls(id=user.id, name=user.name) if user else None


class MessageError(Shape):
    """Why a message was not sent. `kind` says what to do: `final`, `retry`, `human` …; `code` is Meta's."""

    kind: str
    code: int | None
    title: str
    fix: str
    fbtrace_id: str | None

    @classmethod
    def of(cls, error: dict[str, Any] | None) -> Self | None:
        if not error:
            return None
        code = error.get("code")
        return cls(
            kind=str(error.get("refusal") or error.get("kind") or "final"),
            code=code if isinstance(code, int) else None,
            title=str(error.get("title") or ""),
            fix=str(error.get("fix") or ""),
            fbtrace_id=error.get("fbtrace_id") or None,
        )


class FileShape(Shape):
    """The file of a message. `address` is its bytes, for the same key."""

    id: uuid.UUID
    kind: str = Field(examples=["image"])
    mime: str
    filename: str
    size: int | None = Field(examples=[48213])
    state: str = Field(examples=["stored"])
    is_voice: bool
    address: str | None = Field(
        description="Of this API; null until the file is stored.",
        examples=["/media/019ad0c4-7e1b-7c52-9d0a-3f1c5be2a7f4"],
    )

    @classmethod
    def of(cls, media: Media | None) -> Self | None:
        if media is None:
            return None
        address = f"/media/{media.id}" if media.is_stored else None
        return cls(
            id=media.id,
            kind=media.kind,
            mime=media.content_type or media.mime,
            filename=media.filename,
            size=media.size,
            state=media.state,
            is_voice=media.is_voice,
            address=address,
        )


class ReactionShape(Shape):
    direction: str = Field(examples=["inbound"])
    emoji: str
    at: Time

    @classmethod
    def of(cls, reaction: Reaction) -> Self:
        return cls(direction=reaction.direction, emoji=reaction.emoji, at=reaction.occurred_at)


class MessageShape(Shape):
    """One message either way.

    `state` of a received one is `received`; ours go through queued, dispatching, accepted, sent, delivered and read, or
    end as failed, expired or cancelled. `unknown`: Meta's answer was lost, and its status will tell.
    """

    id: uuid.UUID
    wamid: str | None = Field(description="Meta's id; null until Meta has accepted it.")
    conversation_id: uuid.UUID
    phone_number_id: uuid.UUID
    direction: str = Field(examples=["outbound"])
    type: str = Field(examples=["text"])
    text: str = Field(description="What it says: its text, or its caption.")
    content: dict[str, Any] | None = Field(
        description="What it holds beside the text, as Meta writes it.", examples=[None]
    )
    file: FileShape | None = Field(examples=[None])
    reactions: list[ReactionShape]
    reply_to: str | None = Field(description="The wamid of the message that it replies to.", examples=[None])
    state: str = Field(examples=["delivered"])
    error: MessageError | None
    by: ActorShape | None = Field(description="Who sent it; null for what the customer wrote.")
    source: str | None = Field(examples=["api"])
    is_test: bool = Field(description="Whether a test key's: nothing of it reached WhatsApp.", examples=[False])
    occurred_at: Time
    created_at: Time
    send_at: Time | None = Field(examples=[None])

    @classmethod
    def of(cls, message: Message) -> Self:
        reactions = [one for one in message.reactions if one.emoji and not one.is_lost]
        return cls(
            id=message.id,
            wamid=message.wamid,
            conversation_id=message.conversation_id,
            phone_number_id=message.phone_number_id,
            direction=message.direction,
            type=message.type,
            text="" if message.is_deleted else message.words,
            content=None if message.is_deleted else bounded(message.raw) or None,
            file=None if message.is_deleted else FileShape.of(message.media),
            reactions=[
                ReactionShape(direction=one.direction, emoji=one.emoji, at=one.occurred_at) for one in reactions
            ],
            reply_to=message.reply_to_wamid,
            state=message.state,
            error=MessageError.of(message.error) if message.state in FAILED else None,
            by=ActorShape.of(message.sent_by),
            source=message.source,
            is_test=is_sandbox(message.tenant_id),
            occurred_at=message.occurred_at,
            created_at=message.created_at,
            send_at=message.send_at,
        )


FAILED = ("failed", "unknown", "expired", "queued")


class ConversationShape(Shape):
    """All that one contact and one of your numbers wrote to each other."""

    id: uuid.UUID
    contact_id: uuid.UUID
    phone_number_id: uuid.UUID
    is_group: bool
    state: str = Field(examples=["open"])
    snoozed_until: Time | None = Field(examples=[None])
    assignee_id: uuid.UUID | None
    team_id: uuid.UUID | None
    handled_by: str | None = Field(
        description="Who has it: `person`, `assistant`, `automation`, `other_app` (at Meta); null: no one.",
        examples=["person"],
    )
    unread_count: int
    last_message_at: Time
    last_message_id: uuid.UUID | None
    subject: SubjectShape | None = Field(description="What it is about: the page, property, order … it came from.")
    entry_point_id: uuid.UUID | None = Field(description="By which link or button the customer first came.")
    waiting_since: Time | None = Field(description="Since when the customer has had no reply; null where they have.")
    reply_window_closes_at: Time | None = Field(description="Until when anything but a template may be sent.")
    created_at: Time
    contact: ContactReference | None = Field(None, description="With `include=contact`.")
    phone_number: NumberReference | None = Field(None, description="With `include=phone_number`.")

    @classmethod
    def of(cls, one: Conversation, include: frozenset[str] = frozenset()) -> Self:
        return cls(
            id=one.id,
            contact_id=one.contact_id,
            phone_number_id=one.phone_number_id,
            is_group=one.is_group,
            state=one.state,
            snoozed_until=one.snoozed_until,
            assignee_id=one.assignee_id,
            team_id=one.team_id,
            unread_count=one.unread_count,
            last_message_at=one.last_message_at,
            last_message_id=one.last_message_id,
            handled_by=one.handled_by,
            subject=SubjectShape.of(one.about),
            entry_point_id=one.entry_point_id,
            waiting_since=one.waiting_since,
            reply_window_closes_at=one.window_closes_at,
            created_at=one.created_at,
            contact=ContactReference.of(one.contact) if "contact" in include else None,
            phone_number=NumberReference.of(one.phone_number) if "phone_number" in include else None,
        )


class NoteShape(Shape):
    """A private note, which only the team sees."""

    id: uuid.UUID
    conversation_id: uuid.UUID
    body: str
    by: ActorShape | None
    created_at: Time

    @classmethod
    def of(cls, note: Note) -> Self:
        by = Actor.stored(note.author_kind, note.author_id, note.author.name if note.author else note.author_name)
        return cls(
            id=note.id,
            conversation_id=note.conversation_id,
            body=note.body,
            by=ActorShape.of(by),
            created_at=note.occurred_at,
        )


class TouchShape(Shape):
    """A message by which the customer came: with a reference of a link, or by an ad (`referral` is Meta's)."""

    id: uuid.UUID
    kind: str = Field(examples=["reference"])
    message_id: uuid.UUID
    entry_point_id: uuid.UUID | None
    reference_id: uuid.UUID | None
    subject: SubjectShape | None
    utm: dict[str, str] | None = Field(examples=[{"source": "newsletter"}])
    referral: dict[str, Any] | None = Field(examples=[None])
    is_first: bool = Field(description="The first one of the conversation, which its subject is of.")
    is_shared: bool = Field(description="Another customer sent the same reference before.")
    is_expired: bool
    at: Time

    @classmethod
    def of(cls, one: EntryTouch) -> Self:
        return cls(
            id=one.id,
            kind=one.kind,
            message_id=one.message_id,
            entry_point_id=one.entry_point_id,
            reference_id=one.reference_id,
            subject=SubjectShape.of(one.about),
            utm=one.utm,
            referral=one.referral,
            is_first=one.is_first,
            is_shared=one.is_shared,
            is_expired=one.is_expired,
            at=one.at,
        )
