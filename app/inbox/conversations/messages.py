"""Messages either way. An outbound one's row is the outbox."""

from __future__ import annotations

import datetime as dt
import functools
import uuid
from collections.abc import Callable, Sequence
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Index,
    Table,
    UniqueConstraint,
    Uuid,
    and_,
    bindparam,
    case,
    func,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, make_transient_to_detached, mapped_column, relationship, selectinload
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.sql.base import ExecutableOption

from app.billing.terms import Estimate, Terms
from app.inbox.files.media import Media
from app.message_templates.models import MessageTemplate
from app.meta.errors import MetaError
from app.meta.outgoing import LONGEST_TEXT, Outgoing, content_of
from app.meta.payload import mapping
from app.tenancy import (
    Actor,
    TenantModel,
    User,
    announce,
    belongs_to,
    db,
    happened,
    insert_rows,
    later,
    now,
    one_of,
    uuid7,
)
from app.tenancy.actor import KINDS as ACTORS

from .bubbles import Bubble
from .changes import MessageChange
from .gate import Gate, error_of, state_after
from .refusals import Refusal, WindowClosed
from .states import IN_TROUBLE, LANES, OUTBOX_INDEXES, STATES
from .underway import TEMPLATE_PATIENCE, Underway

# Texts that go out as one with those before them, and how many do.
SHORT = 200
MOST_MERGED = 5
CODE_PATIENCE = dt.timedelta(minutes=10)
# Parked messages are sent while the window still has time left.
PARKED_FRESH = dt.timedelta(hours=23)


def about_message(table: str) -> str:
    """The join from a table about messages (reactions, changes) to its message, by number and wamid."""
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


NOT_SENT = ("failed", "expired", "cancelled")
# Sources of what is sent because something happened elsewhere: a customer who waits for a reply keeps waiting.
NO_REPLIES = ("away", "notification")


class Reaction(TenantModel):
    """One reaction to a message; an empty emoji removes it. The message may not be stored here.

    One of ours goes out as a message of its own (`message_id`), which no one sees, and is known by that until then.
    """

    __table_args__ = (
        belongs_to("phone_numbers", "phone_number_id"),
        belongs_to("messages", "message_id", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "phone_number_id", "wamid"),
        one_of("direction", ("inbound", "outbound")),
        Index("ix_reactions_target", "tenant_id", "phone_number_id", "target_wamid"),
    )

    phone_number_id: Mapped[uuid.UUID]
    wamid: Mapped[str]
    target_wamid: Mapped[str]
    direction: Mapped[str]
    emoji: Mapped[str]
    occurred_at: Mapped[dt.datetime]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    message_id: Mapped[uuid.UUID | None]
    message: Mapped[Message | None] = relationship(viewonly=True)

    @property
    def is_lost(self) -> bool:
        """Whether it was ours and did not go out."""
        return self.message is not None and self.message.state in NOT_SENT


class StoredBefore(Exception):
    """Somebody else has stored one of these messages since they were looked for."""


class Message(Bubble, Underway, TenantModel):
    """One message either way. Inbound ones are `received`; outbound ones walk through STATES."""

    __table_args__ = (
        belongs_to("conversations", "conversation_id"),
        belongs_to("phone_numbers", "phone_number_id"),
        UniqueConstraint("tenant_id", "phone_number_id", "wamid"),
        UniqueConstraint("tenant_id", "conversation_id", "client_id"),
        one_of("direction", ("inbound", "outbound")),
        one_of("state", STATES),
        one_of("lane", LANES),
        one_of("author_kind", ACTORS),
        Index(
            "ix_messages_search",
            text("search_lexemes(tenant_id, occurred_at, body)"),
            postgresql_using="gin",
            postgresql_where=text("body <> ''"),
        ),
        Index("ix_messages_thread", "tenant_id", "conversation_id", text("occurred_at desc"), text("id desc")),
        Index("ix_messages_occurred", "tenant_id", "occurred_at"),
        *(
            Index(f"ix_messages_{name}", *columns, postgresql_where=text(where))
            for name, columns, where in OUTBOX_INDEXES
        ),
        Index(
            "ix_messages_template",
            "tenant_id",
            "template_id",
            "occurred_at",
            postgresql_where=text("template_id is not null"),
        ),
        Index("ix_messages_trouble", "tenant_id", "id", postgresql_where=text(IN_TROUBLE)),
        Index("ix_messages_troubles", "id", postgresql_where=text(IN_TROUBLE)),
    )

    conversation_id: Mapped[uuid.UUID]
    phone_number_id: Mapped[uuid.UUID]
    client_id: Mapped[uuid.UUID | None]
    # Who of the business sent it (`sent_by`). An agent's name is read where agents are; null means before 0020.
    author_kind: Mapped[str | None]
    author_id: Mapped[uuid.UUID | None]
    author_name: Mapped[str | None]
    # Its source: "inbox", "macro", "away" …
    source: Mapped[str | None]
    # The template that it is. No foreign key, which would be checked for every row: one that was sent is never removed.
    template_id: Mapped[uuid.UUID | None]
    # A conversation knows its messages; a message only knows that there is one.
    conversation: Mapped[Any] = relationship("Conversation", viewonly=True)
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
    def outbound(
        cls,
        conversation: Any,
        outgoing: Outgoing,
        *,
        by: Actor,
        client_id: uuid.UUID,
        answering: Message | None = None,
        media: Media | None = None,
        source: str = "",
        lane: str = "",
    ) -> Message:
        """What is to be sent, not stored yet. A plain text has no content beside its body."""
        expires_at = conversation.window_closes_at
        if not outgoing.needs_window:
            expires_at = now() + (CODE_PATIENCE if outgoing.is_code else TEMPLATE_PATIENCE)
        message = cls(
            id=uuid7(),
            conversation_id=conversation.id,
            phone_number_id=conversation.phone_number_id,
            direction="outbound",
            type=outgoing.type,
            body=outgoing.words,
            content=stored_content(outgoing, media),
            reply_to_wamid=answering.wamid if answering else None,
            may_repeat=outgoing.is_code,
            state="queued",
            client_id=client_id,
            author_kind=by.kind,
            author_id=by.id,
            author_name=None if by.kind == "agent" else by.name or None,
            source=source or by.source,
            lane=lane or by.lane,
            occurred_at=now(),
            expires_at=expires_at,
        )
        # So that no one looks for it in the database.
        set_committed_value(message, "media", media)
        return message

    def store(self) -> bool:
        """Inserts it. False where its conversation has a message with this `client_id`."""
        if not cast("CursorResult[Any]", db.session.execute(INSERT, self.fill_in())).rowcount:
            return False
        self.note_stored()
        return True

    @classmethod
    def insert_all(cls, messages: Sequence[Message]) -> None:
        """Inserts new ones without reading them back. Raises `StoredBefore`, and then none is inserted."""
        rows = [one.fill_in() for one in messages]
        with db.session.begin_nested():
            if insert_rows(cls, rows) < len(rows):
                raise StoredBefore
        for one in messages:
            one.note_stored()

    def fill_in(self) -> dict[str, Any]:
        """Sets what was not set to the default of its column, or null. Returns the values that are to be inserted."""
        given = vars(self)
        for name, default in defaults():
            if name not in given:
                setattr(self, name, default())
        names = Message.__table__.c.keys()
        # None is left out: a column of JSON would get its null, which is not null to SQL.
        values = {name: given[name] for name in names if given.get(name) is not None}
        for name in names:
            if name not in values:
                set_committed_value(self, name, None)
        return values

    def note_stored(self) -> None:
        """It is in the database as it is here. What it can't have yet is not looked for."""
        make_transient_to_detached(self)
        db.session.add(self)
        for name, value in (("reactions", []), ("changes", []), ("media", None)):
            if name not in vars(self):
                set_committed_value(self, name, value)

    def deliver_later(self) -> None:
        """Enqueues the upload of its file if Meta does not have it yet, else the delivery."""
        if self.type != "text" and self.media and self.media.is_to_upload:
            later("outbound.upload", self.media.id)
        else:
            later("outbound.deliver")

    @property
    def sent_by(self) -> Actor | None:
        """Who of the business sent it. None for what a customer wrote."""
        if self.is_from_phone:
            return Actor.phone()
        # Only an agent is a user: for a key or a rule none is looked up.
        is_agent = self.author_kind in (None, "agent")
        name = self.author.name if is_agent and self.author else self.author_name
        return Actor.stored(self.author_kind, self.author_id, name)

    def has_same_content_as(self, other: Message) -> bool:
        """Also where it was merged with those before it, or into the one after it, since `other` was first sent."""
        is_text = self.type == other.type == "text" and self.author_kind == "agent"
        if is_text and self.conversation_id == other.conversation_id:
            is_merged = "merged_into" in mapping(self.content) and self.body == other.body
            if is_merged or self.body.endswith(f"\n{other.body}"):
                return True
        mine, theirs = (
            (one.type, one.body, one.content, one.reply_to_wamid, one.conversation_id) for one in (self, other)
        )
        return mine == theirs

    @hybrid_property
    def is_shown(self) -> bool:
        """Whether it has a bubble. A reaction of ours is a chip under another one; a merged message is part of one."""
        return (self.type != "reaction" or self.client_id is None) and not mapping(self.content).get("merged_into")

    @is_shown.inplace.expression
    @classmethod
    def _is_shown(cls) -> ColumnElement[bool]:
        has_bubble = (cls.type != "reaction") | cls.client_id.is_(None)
        return and_(has_bubble, cls.content["merged_into"].astext.is_(None))

    @property
    def is_reply(self) -> bool:
        """Whether somebody writes to the customer with it; a notification goes out whoever has the conversation."""
        return self.is_shown and self.source not in NO_REPLIES

    @hybrid_property
    def sender_kind(self) -> str | None:
        """Its sender as SENDERS groups them: an actor's kind, or "customer"."""
        by = self.sent_by
        return by.kind if by else None if self.is_outbound else "customer"

    @sender_kind.inplace.expression
    @classmethod
    def _sender_kind(cls) -> ColumnElement[str]:
        """Rows without a kind are from before it was stored: see `search_entries`, which says the same."""
        guessed = case(
            (cls.direction == "inbound", "customer"),
            (cls.author_id.is_not(None), "agent"),
            (cls.client_id.is_not(None), "system"),
            else_="phone",
        )
        return func.coalesce(cls.author_kind, guessed)

    def release(self) -> None:
        """Its time has come: it goes out, or what was chosen for a closed window does, if the gate lets it."""
        if self.state != "scheduled":
            return
        self.state, self.occurred_at, self.next_attempt_at = "queued", now(), now()
        self.expires_at = self.conversation.window_closes_at if self.needs_window else now() + TEMPLATE_PATIENCE
        refusal = self.refusal_when_due()
        if isinstance(refusal, WindowClosed) and self.fall_back():
            refusal = self.refusal_when_due()
        self.settle_release(refusal)

    @classmethod
    def release_parked(cls, conversation_ids: Sequence[str]) -> None:
        """What was written into a closed window goes out now that the customer has written, if the gate lets it."""
        if not conversation_ids:
            return
        talk = cls.conversation.property.mapper.class_
        # One array and not a list of parameters: a batch names hundreds.
        theirs = talk.id == func.any(bindparam("ids", conversation_ids, type_=ARRAY(Uuid(as_uuid=False))))
        parked = select(cls).join(talk, talk.id == cls.conversation_id)
        parked = parked.where(theirs, talk.last_inbound_at > now() - PARKED_FRESH)
        parked = parked.where(cls.state == "scheduled", cls.send_at.is_(None)).order_by(cls.id)
        for message in db.session.scalars(parked.with_for_update(of=cls)).all():
            db.session.refresh(message.conversation)
            message.release()

    def release_fallback(self) -> None:
        """Its window closed while it waited: the template chosen for that case goes out, if the gate lets it."""
        if self.state == "queued" and self.fall_back():
            self.settle_release(self.refusal_when_due())

    def refusal_when_due(self) -> Refusal | None:
        return self.conversation.gate.refusal_when_due(self)  # type: ignore[no-any-return]

    def withdraw_if_unwanted(self) -> None:
        """Called when the customer or Meta has changed what may be sent, with the row locked."""
        gate = self.conversation.gate
        refusal = gate.refusal_of_template(self.raw) if self.type == "template" else None
        if refusal := gate.refusal_of_direct_send(self.direct) if self.direct else refusal:
            self.settle_release(refusal)

    def settle_release(self, refusal: Refusal | None) -> None:
        if refusal:
            self.state, self.error = state_after(refusal), error_of(refusal)
        else:
            self.note_template(self.conversation.gate)
            self.deliver_later()
        self.conversation.show_last(self)
        if refusal or self.sent_by is None:
            kind = "message.failed" if refusal else "message.queued"
            happened(kind, self.id, by=self.sent_by, conversation_id=self.conversation_id, source=self.source)
        else:
            self.conversation.note_queued(self, self.sent_by)

    def note_template(self, gate: Gate) -> None:
        """Which template it is, for what is counted of each."""
        if self.type == "template" and (template := gate.template_of(self.raw)):
            self.template_id = template.id
            template.use()

    @property
    def raw(self) -> dict[str, Any]:
        return mapping(mapping(self.content).get("raw"))

    @property
    def category(self) -> str:
        """Meta's word for what it is for, where it goes by Direct Send."""
        return str(mapping(self.content).get("category") or "")

    @property
    def direct(self) -> dict[str, Any] | None:
        """The body that goes by Direct Send, of one that does."""
        return content_of(self.type, self.body, self.raw, category=self.category) if self.category else None

    @property
    def needs_window(self) -> bool:
        return self.type != "template" and not self.category

    @property
    def file_kind(self) -> str:
        return self.media.kind if self.media else ""

    @property
    def price_when_due(self) -> Estimate | None:
        """The price of a scheduled message: of its fallback, or of a reply that waits for the window."""
        terms: Terms = self.conversation.terms
        if self.instead is None:
            return None if self.send_at else terms.price_of("service", now())
        waba_id, content = self.conversation.phone_number.waba_id, mapping(self.instead.get("content"))
        if category := content.get("category"):
            return terms.price_of(category, self.send_at or now())
        template = MessageTemplate.sent_as(waba_id, mapping(content.get("raw")))
        return terms.price_of(template.category, self.send_at or now()) if template else None

    def cancel(self) -> bool:
        """Cancels a message that has not been handed to Meta yet. Returns whether it was still possible."""
        waits = Message.state.in_(("queued", "scheduled"))
        waiting = update(Message).where(Message.id == self.id, waits).values(state="cancelled")
        if not db.session.execute(waiting.returning(Message.id)).all():
            return False
        self.state = "cancelled"
        self.conversation.show_cancelled(self)
        return True

    def hold_with(self, later: Message) -> None:
        """It is held as long as the one after it: both can be undone or merged, and neither waits for the other."""
        held = update(Message).where(Message.id == self.id, Message.state == "queued", Message.attempts == 0)
        db.session.execute(held.values(next_attempt_at=later.next_attempt_at))
        db.session.refresh(self)

    @property
    def held_before(self) -> Message | None:
        """The text right before this one, if their author can still undo it."""
        earlier = db.session.scalar(self.conversation.thread(before=self.cursor).limit(1))
        is_held = earlier and earlier.is_held_text and earlier.author_id == self.author_id
        return earlier if is_held else None

    @property
    def merges_with(self) -> Message | None:
        """The text right before this one, if its author can still undo both and they fit into one message."""
        earlier = self.held_before if self.is_held_text else None
        return earlier if earlier and self.continues(earlier) else None

    @property
    def is_short_text(self) -> bool:
        """Whether it is one of those that people write several of instead of one."""
        return self.type == "text" and len(self.body) <= SHORT

    @property
    def has_room_for_more(self) -> bool:
        """Whoever writes on and on is read meanwhile."""
        return self.body.count("\n") < MOST_MERGED - 1

    @property
    def is_held_text(self) -> bool:
        return self.type == "text" and self.author_kind == "agent" and self.can_be_undone and not self.content

    def continues(self, earlier: Message) -> bool:
        has_one_quote = self.reply_to_wamid in (None, earlier.reply_to_wamid) or earlier.reply_to_wamid is None
        fits = len(earlier.body) + len(self.body) < LONGEST_TEXT
        return fits and has_one_quote and (self.author_id, self.lane) == (earlier.author_id, earlier.lane)

    def merge(self) -> bool:
        """Makes one message of this one and the one before it. Returns whether it was possible."""
        if not (earlier := self.merges_with):
            return False
        # Both locked, in the order in which the outbox claims them: neither may be on its way by then.
        if not all(one.refresh_locked().is_held_text for one in sorted((earlier, self), key=lambda one: one.id)):
            return False
        if not self.continues(earlier):
            # The one before is longer by now: somebody merged it at the same moment.
            return False
        self.body, self.reply_to_wamid = f"{earlier.body}\n{self.body}", self.reply_to_wamid or earlier.reply_to_wamid
        earlier.state, earlier.content = "cancelled", {"merged_into": str(self.id)}
        if self.conversation.last_message_id == self.id:
            self.conversation.show_last(self)
        announce("conversation", self.conversation_id)
        return True

    def fail(self, error: MetaError) -> None:
        """Fails a queued message whose file Meta refused."""
        waiting = update(Message).where(Message.id == self.id, Message.state == "queued")
        failed = waiting.values(state="failed", error=error.as_dict()).returning(Message.id)
        if db.session.execute(failed).all():
            about = {"conversation_id": self.conversation_id, "source": self.source, "code": error.code}
            happened("message.failed", self.id, by=self.sent_by, **about)

    def retry(self) -> None:
        """Queues a failed or unconfirmed message again, as a new attempt of the same message."""
        if not self.refresh_locked().can_be_retried:
            return
        if refusal := self.conversation.gate.refusal_of(self, by=self.sent_by):
            self.settle_release(refusal)
        else:
            self.state, self.error, self.next_attempt_at = "queued", None, None
            self.attempts = 0
            self.fence += 1
            if self.media:
                self.media.upload_again()
            self.deliver_later()
            announce("conversation", self.conversation_id)


def stored_content(outgoing: Outgoing, media: Media | None) -> dict[str, Any] | None:
    """What is stored of it beside its words; None of a plain text."""
    content: dict[str, Any] = {}
    if outgoing.type != "text":
        content["raw"] = outgoing.raw
    if outgoing.shown is not None:
        content["shown"] = outgoing.shown
    if media:
        content["sha256"] = media.sha256
    if outgoing.category:
        content["category"] = outgoing.category
    return content or None


@functools.cache
def defaults() -> tuple[tuple[str, Callable[[], Any]], ...]:
    """The columns that have one, and how it is made."""
    columns: list[Any] = [column for column in Message.__table__.c if column.default]
    return tuple((one.name, functools.partial(value_of, one.default)) for one in columns)


def value_of(default: Any) -> Any:
    return default.arg(None) if default.is_callable else default.arg


# Made once: what is compiled of it is found again by what it is. SQLAlchemy forgets how many rows an insert made unless
# it is asked not to.
INSERT = (
    upsert(cast("Table", Message.__table__))
    .on_conflict_do_nothing(index_elements=("tenant_id", "conversation_id", "client_id"))
    .execution_options(preserve_rowcount=True)
)
