"""Conversations and their messages. An outbound message's row is the outbox."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any, Self

from flask_babel import gettext
from sqlalchemy import ColumnElement, Index, Select, UniqueConstraint, false, select, text, tuple_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, joinedload, mapped_column, relationship, selectinload
from sqlalchemy.sql.base import ExecutableOption

from app.billing.terms import Estimate, Terms
from app.contacts.models import Contact
from app.message_templates.models import MessageTemplate
from app.meta.codes.explanation import N_
from app.meta.contents import Content, Referral, read, read_referral
from app.meta.errors import Kind, MetaError
from app.meta.outgoing import Outgoing, reaction, survey
from app.meta.payload import mapping, sequence
from app.service.models import ServicePolicy
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
STATES = ("received", "scheduled", *RANKS, "cancelled", "expired")
# Replies of people go before campaigns, and keep a share of the pace for themselves.
LANES = ("replies", "campaigns")
UNDO = dt.timedelta(seconds=5)
# How long a template may wait for its turn before it would come out of nowhere.
TEMPLATE_PATIENCE = dt.timedelta(hours=24)
CODE_PATIENCE = dt.timedelta(minutes=10)
CLOSED_MEANWHILE = {
    "kind": "final",
    "title": N_("The 24 hours to answer were over when this was due, and no template was chosen for that case."),
    "fix": N_("Send a message template, or wait until the customer writes again."),
}

# What a person may have to look after (see failures.py).
IN_TROUBLE = "state in ('failed', 'unknown', 'expired')"

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
    "template": "template",
    "text": "text",
    "unsupported": "unsupported",
    "video": "video",
}


OUTBOX_INDEXES = (
    ("lane", ("tenant_id", "phone_number_id", "lane", "id"), "state = 'queued'"),
    ("due", ("tenant_id", "phone_number_id", "next_attempt_at"), "state = 'queued'"),
    ("pair", ("tenant_id", "conversation_id", "id"), "state in ('queued', 'dispatching')"),
    ("leased", ("lease_until",), "state = 'dispatching'"),
    ("expiring", ("expires_at",), "state = 'queued'"),
    ("scheduled", ("send_at",), "state = 'scheduled'"),
    ("unknown", ("tenant_id", "id"), "state = 'unknown' and may_repeat"),
)


class Conversation(Desk, TenantModel):
    """All that one contact and one of our numbers wrote to each other."""

    __table_args__ = (
        UniqueConstraint("tenant_id", "phone_number_id", "contact_id"),
        belongs_to("phone_numbers", "phone_number_id"),
        belongs_to("contacts", "contact_id"),
        belongs_to("conversations", "merged_into_id"),
        Index("ix_conversations_contact", "tenant_id", "contact_id"),
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
    # Until when everything we send here is free, as Meta told: the customer came from an advertisement.
    free_entry_until: Mapped[dt.datetime | None]
    # Until when the messages already sent to this person have used up what WhatsApp allows for one pair.
    pair_tat: Mapped[dt.datetime | None]
    # The conversation that took over the messages, when two contacts turned out to be one (`merges.py`).
    merged_into_id: Mapped[uuid.UUID | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    contact: Mapped[Contact] = relationship(viewonly=True)
    phone_number: Mapped[PhoneNumber] = relationship(viewonly=True)

    @classmethod
    def find(cls, id: object) -> Self | None:
        """One that was merged into another is found there."""
        found = super().find(id)
        return cls.find(found.merged_into_id) if found and found.merged_into_id else found

    def at_home(self) -> Self:
        """Keeps it from being merged into another until the transaction ends. Where it just was: that other one."""
        db.session.refresh(self, with_for_update={"read": True, "key_share": True})
        return type(self).get_or_404(self.merged_into_id) if self.merged_into_id else self

    @classmethod
    def newest_first(cls) -> Select[Conversation]:
        query = select(cls).where(cls.merged_into_id.is_(None))
        query = query.options(joinedload(cls.contact), joinedload(cls.phone_number))
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
    def terms(self) -> Terms:
        """What it costs to write to this customer."""
        wa_id, currency = self.contact.identity("wa_id"), self.phone_number.waba.currency
        return Terms(currency, wa_id, self.window_closes_at, self.free_entry_until)

    @property
    def last_inbound_wamid(self) -> str | None:
        query = select(Message.wamid).where(Message.conversation_id == self.id, Message.direction == "inbound")
        return db.session.scalar(query.order_by(Message.occurred_at.desc(), Message.id.desc()).limit(1))

    def thread(self, *, before: Cursor | None = None, since: Cursor | None = None) -> Select[Message]:
        """The messages, newest first: all, those older than `before`, or those from `since` on (keyset)."""
        query = select(Message).where(Message.conversation_id == self.id, Message.is_shown)
        query = query.options(*Message.with_all_around_it())
        if before:
            query = query.where(tuple_(Message.occurred_at, Message.id) < tuple_(*before.values))
        if since:
            query = query.where(tuple_(Message.occurred_at, Message.id) >= tuple_(*since.values))
        return query.order_by(Message.occurred_at.desc(), Message.id.desc())

    def thread_after(self, after: Cursor) -> Select[Message]:
        """The messages newer than `after`, oldest first."""
        query = select(Message).where(Message.conversation_id == self.id, Message.is_shown)
        query = query.options(*Message.with_all_around_it())
        query = query.where(tuple_(Message.occurred_at, Message.id) > tuple_(*after.values))
        return query.order_by(Message.occurred_at, Message.id)

    def reply(
        self,
        body: str,
        *,
        by: User,
        client_id: uuid.UUID,
        answering: Message | None = None,
        later: Later | None = None,
    ) -> Message:
        """Puts a text into the outbox (see `send`)."""
        return self.send(Outgoing("text", body), by=by, client_id=client_id, answering=answering, later=later)

    def send(
        self,
        outgoing: Outgoing,
        *,
        by: User,
        client_id: uuid.UUID,
        answering: Message | None = None,
        media: Media | None = None,
        later: Later | None = None,
    ) -> Message:
        """Puts a message into the outbox, or aside until later. The same `client_id` again is the same message.

        Raises `WindowClosed` when WhatsApp would refuse it, `NumberAway` when nothing can be sent from our number,
        `SaidOtherwise` when the id belongs to a message with other words.
        """
        if (home := self.at_home()) is not self:
            return home.send(outgoing, by=by, client_id=client_id, answering=answering, media=media, later=later)
        message = Message.outbound(self, outgoing.words, by=by, client_id=client_id)
        message.carry(outgoing, answering, media)
        if said := self.said_before(client_id):
            if not said.says_the_same_as(message):
                raise SaidOtherwise
            return said
        self.refuse_what_cannot_go(outgoing, later)
        if later:
            message.put_aside(later)
        try:
            with db.session.begin_nested():
                db.session.add(message)
                if media:
                    db.session.flush()
                    media.message_id, media.next_attempt_at = message.id, now()
                    db.session.add(media)
        except IntegrityError:
            return self.said_before(client_id) or message
        if message.is_shown and not later:
            self.show_last(message)
            self.answered()
        else:
            announce("conversation", self.id)
        return message

    def refuse_what_cannot_go(self, outgoing: Outgoing, later: Later | None = None) -> None:
        if not self.phone_number.takes_messages:
            raise NumberAway
        if outgoing.needs_window and not (later or self.window_is_open):
            raise WindowClosed

    def react(self, to: Message, emoji: str, *, by: User) -> Message | None:
        """Puts our emoji under a message, or takes it away where `emoji` is empty. None if that is so already."""
        if to.our_emoji == emoji or not to.wamid:
            return None
        sent = self.send(reaction(to.wamid, emoji), by=by, client_id=uuid.uuid4())
        ours = Reaction(phone_number_id=self.phone_number_id, direction="outbound", target_wamid=to.wamid, emoji=emoji)
        ours.wamid, ours.message_id, ours.occurred_at = str(sent.id), sent.id, sent.occurred_at
        db.session.add(ours)
        return sent

    def put(self, state: str, *, by: User | None, until: dt.datetime | None = None) -> bool:
        changed = super().put(state, by=by, until=until)
        if changed and state == "resolved" and by:
            self.ask_how_it_went(by)
        return changed

    def ask_how_it_went(self, by: User) -> None:
        """Where the business wants to know: once a week at most, and only while free answers are possible."""
        question = ServicePolicy.current().survey_question
        year, week, _weekday = now().isocalendar()
        asked = uuid.uuid5(self.id, f"survey {year}-{week}")
        if question and self.window_is_open and self.phone_number.takes_messages and not self.said_before(asked):
            titles = [("good", gettext("😊 Good")), ("fair", gettext("😐 Fair")), ("bad", gettext("🙁 Bad"))]
            self.send(survey(question, titles), by=by, client_id=asked)

    def said_before(self, client_id: uuid.UUID) -> Message | None:
        mine = (Message.conversation_id == self.id) & (Message.client_id == client_id)
        return db.session.scalar(select(Message).where(mine))

    def show_last(self, message: Message) -> None:
        self.last_message_at, self.last_message_id = message.occurred_at, message.id
        self.last_message_preview, self.last_message_state = message.preview, message.state
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
class Later:
    """When to send something, or none: as soon as the customer writes.

    `instead` (`type`, `body`, `content`) goes out if only templates may be sent by then.
    """

    at: dt.datetime | None
    instead: dict[str, Any] | None = None


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
        one_of("lane", LANES),
        Index(
            "ix_messages_search",
            text("search_lexemes(tenant_id, occurred_at, body)"),
            postgresql_using="gin",
            postgresql_where=text("body <> ''"),
        ),
        Index("ix_messages_thread", "tenant_id", "conversation_id", text("occurred_at desc"), text("id desc")),
        *(
            Index(f"ix_messages_{name}", *columns, postgresql_where=text(where))
            for name, columns, where in OUTBOX_INDEXES
        ),
        Index("ix_messages_trouble", "tenant_id", "id", postgresql_where=text(IN_TROUBLE)),
        Index("ix_messages_troubles", "id", postgresql_where=text(IN_TROUBLE)),
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
    lane: Mapped[str] = mapped_column(default="replies", server_default="replies")
    # Whether it does no harm to get it twice: a code to sign in, a notice the business marked so.
    may_repeat: Mapped[bool] = mapped_column(default=False, server_default=false())
    send_at: Mapped[dt.datetime | None]
    instead: Mapped[dict[str, Any] | None]
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
            selectinload(cls.reactions).selectinload(Reaction.message),
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

    def carry(self, outgoing: Outgoing, answering: Message | None, media: Media | None) -> None:
        """What it is made of. A plain text holds nothing beside its words."""
        self.type, self.reply_to_wamid = outgoing.type, answering.wamid if answering else None
        self.may_repeat = outgoing.is_code
        if not outgoing.needs_window:
            self.expires_at = now() + (CODE_PATIENCE if outgoing.is_code else TEMPLATE_PATIENCE)
        if outgoing.type != "text":
            self.content = {"raw": outgoing.raw, "preview": outgoing.preview}
        if outgoing.shown is not None:
            self.content = {**(self.content or {}), "shown": outgoing.shown}
        if media:
            self.content = {**(self.content or {}), "sha256": media.sha256}

    def says_the_same_as(self, other: Message) -> bool:
        mine, theirs = (
            (one.type, one.body, one.content, one.reply_to_wamid, one.conversation_id) for one in (self, other)
        )
        return mine == theirs

    @property
    def preview(self) -> str:
        """One line for the list."""
        return str((self.content or {}).get("preview") or " ".join(self.body.split())[:160])

    @hybrid_property
    def is_shown(self) -> bool:
        """A reaction of ours is a message that has no bubble: it is a chip under another one."""
        return self.type != "reaction" or self.client_id is None

    @is_shown.inplace.expression
    @classmethod
    def _is_shown(cls) -> ColumnElement[bool]:
        return (cls.type != "reaction") | cls.client_id.is_(None)

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
        if (self.content or {}).get("erased"):
            return "erased"
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
        content = self.content or {}
        return read(self.type, content.get("shown") or content.get("raw"))

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
        return [reaction for reaction in last.values() if reaction.emoji or reaction.is_lost]

    @property
    def our_emoji(self) -> str:
        """Which emoji the customer sees as ours, once everything has gone out."""
        ours = [one.emoji for one in self.reactions if one.direction == "outbound" and not one.is_lost]
        return ours[-1] if ours else ""

    @property
    def takes_answers(self) -> bool:
        """Whether WhatsApp knows it, so that it can be quoted and reacted to."""
        return bool(self.wamid) and not self.is_deleted and self.shape != "system"

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

    @property
    def can_be_undone(self) -> bool:
        """Whether it is held for a moment, for its author to think again."""
        is_fresh = self.state == "queued" and self.attempts == 0 and self.error is None
        return bool(is_fresh and self.next_attempt_at and self.next_attempt_at > now())

    def hold(self) -> None:
        """Its author may take it back for a moment."""
        if self.state == "queued" and self.attempts == 0 and self.next_attempt_at is None:
            self.next_attempt_at = now() + UNDO

    def put_aside(self, later: Later) -> None:
        """Keeps it until its time. Its place in the thread is where it will be sent."""
        self.state, self.send_at, self.instead = "scheduled", later.at, later.instead
        self.occurred_at, self.expires_at = later.at or now(), None

    def release(self) -> None:
        """Its time has come: it goes out, or what was chosen for a closed window does."""
        if self.state != "scheduled":
            return
        conversation = Conversation.get_or_404(self.conversation_id)
        self.state, self.occurred_at, self.next_attempt_at = "queued", now(), now()
        self.expires_at = conversation.window_closes_at
        if not conversation.window_is_open and not self.fall_back():
            self.state, self.error = "expired", CLOSED_MEANWHILE
        conversation.show_last(self)

    def fall_back(self) -> bool:
        """Becomes the template that was chosen for a closed window. Returns whether there is one."""
        if self.instead is None:
            return False
        self.type, self.body, self.content = self.instead["type"], self.instead["body"], self.instead["content"]
        self.state, self.instead, self.expires_at = "queued", None, now() + TEMPLATE_PATIENCE
        announce("conversation", self.conversation_id)
        return True

    @property
    def price_when_due(self) -> Estimate | None:
        """Of what was put aside: of the template chosen for a closed window, or of an answer that waits for one."""
        terms = self.conversation.terms
        if self.instead is None:
            return None if self.send_at else terms.price_of("service", now())
        waba_id = self.conversation.phone_number.waba_id
        template = MessageTemplate.sent_as(waba_id, mapping(mapping(self.instead.get("content")).get("raw")))
        return terms.price_of(template.category, self.send_at or now()) if template else None

    def cancel(self) -> bool:
        """Takes back what has not been handed to Meta yet. Returns whether there was still time."""
        waits = Message.state.in_(("queued", "scheduled"))
        waiting = update(Message).where(Message.id == self.id, waits).values(state="cancelled")
        if not db.session.execute(waiting.returning(Message.id)).all():
            return False
        self.state = "cancelled"
        is_last = (Conversation.id == self.conversation_id) & (Conversation.last_message_id == self.id)
        db.session.execute(update(Conversation).where(is_last).values(last_message_state="cancelled"))
        announce("conversation", self.conversation_id)
        return True

    def fail(self, error: MetaError) -> None:
        """It cannot go: its file is not taken."""
        waiting = update(Message).where(Message.id == self.id, Message.state == "queued")
        db.session.execute(waiting.values(state="failed", error=error.as_dict()))

    def retry(self) -> None:
        """Puts a message that failed, or whose fate is unknown, into the outbox again: the same one, a new attempt."""
        if self.refresh_locked().can_be_retried:
            self.state, self.error, self.next_attempt_at = "queued", None, None
            self.attempts = 0
            self.fence += 1
            if self.media:
                self.media.upload_again()
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
