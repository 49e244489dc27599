"""Conversations and their messages. An outbound message's row is the outbox."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Index, Select, UniqueConstraint, select, text, tuple_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, joinedload, mapped_column, relationship, selectinload
from sqlalchemy.sql.base import ExecutableOption

from app.contacts.models import Contact
from app.meta.contents import Content, Referral, read, read_referral
from app.meta.errors import Kind
from app.meta.payload import mapping, sequence
from app.tenancy import TenantModel, User, announce, belongs_to, db, now, one_of, uuid7
from app.wabas.models import PhoneNumber

from .changes import MessageChange
from .desk import Desk, desk_constraints
from .media import Media
from .reactions import Reaction

MANY = 100
PATIENCE = dt.timedelta(seconds=10)
CUSTOMER_SERVICE_WINDOW = dt.timedelta(hours=24)
# Near its end Meta's clock decides; we stop a little before.
WINDOW_MARGIN = dt.timedelta(minutes=1)

# Ticks only ever climb this ladder. A `failed` that comes late never hides a proof of delivery.
RANKS = {
    "queued": 0,
    "dispatching": 1,
    "unknown": 2,
    "accepted": 10,
    "sent": 20,
    "failed": 30,
    "delivered": 40,
    "read": 50,
    "played": 60,
}
STATES = ("received", *RANKS, "cancelled", "expired")

# The types that have a bubble of their own (templates/message/). Any other says honestly what it is.
SHAPES = {
    "audio": "audio",
    "button": "choice",
    "contacts": "contacts",
    "document": "document",
    "edit": "text",
    "image": "image",
    "interactive": "interactive",
    "location": "location",
    "media_placeholder": "placeholder",
    "order": "order",
    "sticker": "sticker",
    "system": "system",
    "text": "text",
    "unsupported": "unsupported",
    "video": "video",
}


class Conversation(Desk, TenantModel):
    """All that one contact and one of our numbers wrote to each other."""

    __table_args__ = (
        UniqueConstraint("tenant_id", "phone_number_id", "contact_id"),
        belongs_to("phone_numbers", "phone_number_id"),
        belongs_to("contacts", "contact_id"),
        *desk_constraints(),
    )

    phone_number_id: Mapped[uuid.UUID]
    contact_id: Mapped[uuid.UUID]
    # What nobody here has opened yet. What is new to each agent, their read pointers say.
    unread_count: Mapped[int] = mapped_column(default=0)
    last_message_at: Mapped[dt.datetime] = mapped_column(default=now)
    last_message_preview: Mapped[str] = mapped_column(default="")
    last_message_state: Mapped[str] = mapped_column(default="received")
    last_message_id: Mapped[uuid.UUID | None]
    last_inbound_at: Mapped[dt.datetime | None]
    # Until when the messages already sent to this person have used up what WhatsApp allows for one pair.
    pair_tat: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    contact: Mapped[Contact] = relationship(viewonly=True)
    phone_number: Mapped[PhoneNumber] = relationship(viewonly=True)

    @classmethod
    def newest_first(cls) -> Select[Conversation]:
        query = select(cls).options(joinedload(cls.contact), joinedload(cls.phone_number))
        return query.order_by(cls.last_message_at.desc(), cls.id.desc())

    @property
    def window_closes_at(self) -> dt.datetime | None:
        """When the customer service window closes: 24 hours after the customer last wrote."""
        return self.last_inbound_at and self.last_inbound_at + CUSTOMER_SERVICE_WINDOW

    @property
    def window_is_open(self) -> bool:
        return bool(self.window_closes_at and self.window_closes_at > now() + WINDOW_MARGIN)

    @property
    def window_left(self) -> dt.timedelta:
        return max(self.window_closes_at - now(), dt.timedelta()) if self.window_closes_at else dt.timedelta()

    @property
    def last_inbound_wamid(self) -> str | None:
        query = select(Message.wamid).where(Message.conversation_id == self.id, Message.direction == "inbound")
        return db.session.scalar(query.order_by(Message.occurred_at.desc(), Message.id.desc()).limit(1))

    def thread(self, *, before: Cursor | None = None, since: Cursor | None = None) -> Select[Message]:
        """The messages, newest first: all, those older than `before`, or those from `since` on (keyset)."""
        query = select(Message).where(Message.conversation_id == self.id).options(*Message.with_all_around_it())
        if before:
            query = query.where(tuple_(Message.occurred_at, Message.id) < tuple_(*before.values))
        if since:
            query = query.where(tuple_(Message.occurred_at, Message.id) >= tuple_(*since.values))
        return query.order_by(Message.occurred_at.desc(), Message.id.desc())

    def thread_after(self, after: Cursor) -> Select[Message]:
        """The messages newer than `after`, oldest first."""
        query = select(Message).where(Message.conversation_id == self.id).options(*Message.with_all_around_it())
        query = query.where(tuple_(Message.occurred_at, Message.id) > tuple_(*after.values))
        return query.order_by(Message.occurred_at, Message.id)

    def reply(self, body: str, *, by: User, client_id: uuid.UUID) -> Message:
        """Puts a text into the outbox. The same `client_id` again is the same message, not another one.

        Raises `WindowClosed` when WhatsApp would refuse it, `NumberAway` when nothing can be sent from our number,
        `SaidOtherwise` when the id belongs to a message with other words.
        """
        if said := self.said_before(client_id):
            if said.body != body:
                raise SaidOtherwise
            return said
        if not self.phone_number.takes_messages:
            raise NumberAway
        if not self.window_is_open:
            raise WindowClosed
        message = Message.outbound(self, body, by=by, client_id=client_id)
        try:
            with db.session.begin_nested():
                db.session.add(message)
        except IntegrityError:
            return self.said_before(client_id) or message
        self.show_last(message)
        self.answered()
        return message

    def said_before(self, client_id: uuid.UUID) -> Message | None:
        mine = (Message.conversation_id == self.id) & (Message.client_id == client_id)
        return db.session.scalar(select(Message).where(mine))

    def show_last(self, message: Message) -> None:
        self.last_message_at, self.last_message_id = message.occurred_at, message.id
        self.last_message_preview, self.last_message_state = (
            " ".join(message.body.split())[:160],
            message.state,
        )
        announce("conversation", self.id)

    def mark_read(self) -> bool:
        """An agent has seen it all. Returns whether there was anything new."""
        had_news = self.unread_count > 0
        if had_news:
            self.unread_count = 0
            announce("conversation", self.id)
        return had_news


class WindowClosed(Exception):
    """More than a day has passed since the customer last wrote: only templates may be sent."""


class SaidOtherwise(Exception):
    """The same id came with other words: one of the two is a mistake, so neither is guessed at."""


class NumberAway(Exception):
    """The business number is not connected."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page of a list ended: a time and an id, as text `<microseconds>-<id>`."""

    at: dt.datetime
    id: uuid.UUID

    @classmethod
    def read(cls, value: str | None) -> Cursor | None:
        """The cursor in an address, or none if there is none or it is garbage."""
        at, _, id = (value or "").partition("-")
        try:
            return cls(dt.datetime.fromtimestamp(int(at) / 1_000_000, dt.UTC), uuid.UUID(id))
        except (ValueError, OverflowError, OSError):
            return None

    @property
    def values(self) -> tuple[dt.datetime, uuid.UUID]:
        return self.at, self.id

    def __str__(self) -> str:
        return f"{round(self.at.timestamp() * 1_000_000)}-{self.id}"


def about_message(table: str) -> str:
    """How what is said about a message finds it: by the id that WhatsApp knows it by on one of our numbers."""
    return (
        f"and_(Message.tenant_id == foreign({table}.tenant_id),"
        f" Message.phone_number_id == foreign({table}.phone_number_id),"
        f" Message.wamid == foreign({table}.target_wamid))"
    )


ANSWERED = (
    "and_(foreign(Message.tenant_id) == remote(Message.tenant_id),"
    " foreign(Message.phone_number_id) == remote(Message.phone_number_id),"
    " foreign(Message.reply_to_wamid) == remote(Message.wamid))"
)


class Message(TenantModel):
    """One message either way. Inbound ones are `received`; outbound ones walk through STATES."""

    __table_args__ = (
        belongs_to("conversations", "conversation_id"),
        belongs_to("phone_numbers", "phone_number_id"),
        UniqueConstraint("tenant_id", "phone_number_id", "wamid"),
        UniqueConstraint("tenant_id", "conversation_id", "client_id"),
        one_of("direction", ("inbound", "outbound")),
        one_of("state", STATES),
        Index(
            "ix_messages_search",
            text("search_lexemes(tenant_id, occurred_at, body)"),
            postgresql_using="gin",
            postgresql_where=text("body <> ''"),
        ),
        Index("ix_messages_thread", "tenant_id", "conversation_id", text("occurred_at desc"), text("id desc")),
        Index(
            "ix_messages_outbox",
            "tenant_id",
            "phone_number_id",
            "id",
            postgresql_where=text("state in ('queued', 'dispatching')"),
        ),
    )

    conversation_id: Mapped[uuid.UUID]
    phone_number_id: Mapped[uuid.UUID]
    direction: Mapped[str]
    type: Mapped[str] = mapped_column(default="text")
    body: Mapped[str] = mapped_column(default="")
    content: Mapped[dict[str, Any] | None]
    state: Mapped[str]
    wamid: Mapped[str | None]
    reply_to_wamid: Mapped[str | None]
    client_id: Mapped[uuid.UUID | None]
    author_id: Mapped[uuid.UUID | None]
    occurred_at: Mapped[dt.datetime] = mapped_column(default=now)
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    next_attempt_at: Mapped[dt.datetime | None]
    expires_at: Mapped[dt.datetime | None]
    lease_until: Mapped[dt.datetime | None]
    fence: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[dict[str, Any] | None]
    conversation: Mapped[Conversation] = relationship(viewonly=True)
    author: Mapped[User | None] = relationship(
        viewonly=True, primaryjoin="foreign(Message.author_id) == User.id", lazy="joined"
    )
    media: Mapped[Media | None] = relationship(viewonly=True, uselist=False)
    reactions: Mapped[list[Reaction]] = relationship(
        viewonly=True, primaryjoin=about_message("Reaction"), order_by="Reaction.occurred_at, Reaction.id"
    )
    changes: Mapped[list[MessageChange]] = relationship(
        viewonly=True,
        primaryjoin=about_message("MessageChange"),
        order_by="MessageChange.occurred_at, MessageChange.id",
    )
    quoted: Mapped[Message | None] = relationship(viewonly=True, uselist=False, primaryjoin=ANSWERED)

    @classmethod
    def with_all_around_it(cls) -> tuple[ExecutableOption, ...]:
        """Loads with the messages what their bubbles show beside their words, a query for each kind of thing."""
        return (
            selectinload(cls.media),
            selectinload(cls.reactions),
            selectinload(cls.changes),
            selectinload(cls.quoted).selectinload(cls.changes),
        )

    @classmethod
    def outbound(cls, conversation: Conversation, body: str, *, by: User, client_id: uuid.UUID) -> Message:
        return cls(
            id=uuid7(),
            conversation_id=conversation.id,
            phone_number_id=conversation.phone_number_id,
            direction="outbound",
            body=body,
            state="queued",
            client_id=client_id,
            author_id=by.id,
            occurred_at=now(),
            expires_at=conversation.window_closes_at,
        )

    @property
    def cursor(self) -> Cursor:
        return Cursor(self.occurred_at, self.id)

    @property
    def entry(self) -> str:
        return "message"

    @property
    def day(self) -> dt.date:
        return self.occurred_at.astimezone(dt.UTC).date()

    @property
    def is_outbound(self) -> bool:
        return self.direction == "outbound"

    @property
    def description(self) -> str:
        """What a message without words of its own is, in words. Never blank."""
        return str((self.content or {}).get("preview") or self.type)

    @property
    def shape(self) -> str:
        """Which partial of templates/message/ shows it."""
        return "deleted" if self.is_deleted else SHAPES.get(self.type or "text", "other")

    @property
    def words(self) -> str:
        """What it says now: after the last edit, where there is one."""
        return self.edits[-1].body if self.edits else self.body

    @property
    def edits(self) -> list[MessageChange]:
        return [change for change in self.changes if change.kind == "edit"]

    @property
    def versions(self) -> list[tuple[dt.datetime, str]]:
        """What it said before, and since when; oldest first."""
        return [(self.occurred_at, self.body), *((edit.occurred_at, edit.body) for edit in self.edits)][:-1]

    @property
    def is_deleted(self) -> bool:
        return any(change.kind == "revoke" for change in self.changes)

    @property
    def holds(self) -> Content:
        """What it carries beside its words: a place, cards, a choice, answers, an order."""
        return read(self.type, (self.content or {}).get("raw"))

    @property
    def referral(self) -> Referral | None:
        return read_referral((self.content or {}).get("referral"))

    @property
    def complaints(self) -> list[dict[str, Any]]:
        """What WhatsApp said was wrong with it."""
        return [mapping(error) for error in sequence((self.content or {}).get("errors"))]

    @property
    def is_forwarded(self) -> bool:
        return bool((self.content or {}).get("forwarded"))

    @property
    def is_from_phone(self) -> bool:
        """Whether somebody of the business wrote it in the WhatsApp Business app."""
        return bool((self.content or {}).get("from_phone"))

    @property
    def chips(self) -> list[Reaction]:
        """The reaction of each side, if its last one was not taken away."""
        last = {reaction.direction: reaction for reaction in self.reactions}
        return [reaction for reaction in last.values() if reaction.emoji]

    @property
    def can_be_retried(self) -> bool:
        """Whether a person may send it again: it failed for a reason that may have passed, or nobody knows."""
        may_pass = self.state == "unknown" or (self.state == "failed" and not self.failed_for_good)
        return may_pass and not self.is_from_phone

    @property
    def failed_for_good(self) -> bool:
        return bool(self.error and self.error.get("kind") == Kind.FINAL)

    @property
    def waits_long(self) -> bool:
        """Whether it waits for longer than sending takes: the number is paused, or Meta is away."""
        return self.state == "queued" and self.created_at < now() - PATIENCE

    def cancel(self) -> bool:
        """Takes back what has not been handed to Meta yet. Returns whether there was still time."""
        waiting = update(Message).where(Message.id == self.id, Message.state == "queued").values(state="cancelled")
        if not db.session.execute(waiting.returning(Message.id)).all():
            return False
        self.state = "cancelled"
        announce("conversation", self.conversation_id)
        return True

    def retry(self) -> None:
        """Puts a message that failed, or whose fate is unknown, into the outbox again: the same one, a new attempt."""
        if self.can_be_retried:
            self.state, self.error, self.next_attempt_at = "queued", None, None
            self.attempts = 0
            self.fence += 1
            announce("conversation", self.conversation_id)


class SendAttempt(TenantModel):
    """One try at handing a message to Meta. Its id, signed, comes back in every status webhook."""

    __table_args__ = (
        belongs_to("messages", "message_id", ondelete="CASCADE"),
        Index("ix_send_attempts_message", "tenant_id", "message_id"),
    )

    message_id: Mapped[uuid.UUID]
    started_at: Mapped[dt.datetime] = mapped_column(default=now)
    finished_at: Mapped[dt.datetime | None]
    outcome: Mapped[str | None]
    error: Mapped[dict[str, Any] | None]


class MessageEvent(TenantModel):
    """A status as Meta told it. All are kept, also those that came late or twice removed nothing."""

    __table_args__ = (
        belongs_to("messages", "message_id", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "message_id", "status", "occurred_at"),
    )

    message_id: Mapped[uuid.UUID]
    status: Mapped[str]
    occurred_at: Mapped[dt.datetime]
    received_at: Mapped[dt.datetime] = mapped_column(default=now)
    pricing: Mapped[dict[str, Any] | None]
    errors: Mapped[list[dict[str, Any]] | None]


class OrphanStatus(TenantModel):
    """A status that came before the message it speaks of; joined to it when that appears."""

    __tablename__ = "orphan_statuses"
    __table_args__ = (
        belongs_to("phone_numbers", "phone_number_id"),
        UniqueConstraint("tenant_id", "phone_number_id", "wamid", "status", "occurred_at"),
    )

    phone_number_id: Mapped[uuid.UUID]
    wamid: Mapped[str]
    status: Mapped[str]
    occurred_at: Mapped[dt.datetime]
    received_at: Mapped[dt.datetime] = mapped_column(default=now)
    pricing: Mapped[dict[str, Any] | None]
    errors: Mapped[list[dict[str, Any]] | None]
