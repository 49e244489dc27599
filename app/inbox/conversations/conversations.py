"""Conversations: who writes with which of our numbers, and what goes out to them."""

from __future__ import annotations

import datetime as dt
import functools
import uuid
from dataclasses import replace
from typing import Any, Self

from sqlalchemy import Index, Select, UniqueConstraint, bindparam, false, func, select, tuple_
from sqlalchemy.orm import Mapped, joinedload, mapped_column, relationship
from werkzeug.exceptions import NotFound

from app.billing.balances import Balance
from app.billing.terms import Terms
from app.contacts.models import Contact
from app.inbox.files.media import Media
from app.meta.outgoing import Outgoing, reaction
from app.meta.previews import cut, line
from app.templating import READER
from app.tenancy import Actor, Tenant, TenantModel, announce, belongs_to, current_tenant_id, db, happened, now
from app.tenancy.database import innermost, is_held_in
from app.tenancy.warming import warmer
from app.variables import filled
from app.wabas.models import PhoneNumber

from .about import About, about_constraints
from .assignment import Desk, desk_constraints, member_or_none
from .cursors import Cursor
from .filling import variable_values
from .gate import Gate
from .handling import CLOSED, Handled, handling_constraints
from .inbox_settings import InboxSettings
from .messages import NO_REPLIES, NOT_SENT, Message, Reaction
from .questions import question_for
from .refusals import ClientIdReused
from .spoken import Spoken
from .underway import Later
from .ways import Ways
from .windows import Window


class Conversation(Desk, Window, Handled, About, Spoken, TenantModel):
    """All that one contact and one of our numbers wrote to each other."""

    __table_args__ = (
        UniqueConstraint("tenant_id", "phone_number_id", "contact_id"),
        belongs_to("phone_numbers", "phone_number_id"),
        belongs_to("contacts", "contact_id"),
        belongs_to("conversations", "merged_into_id"),
        Index("ix_conversations_contact", "tenant_id", "contact_id"),
        *desk_constraints(),
        *handling_constraints(),
        *about_constraints(),
    )

    phone_number_id: Mapped[uuid.UUID]
    contact_id: Mapped[uuid.UUID]
    # Whether several people write in it: its contact is the group, and nothing can be sent to it from here.
    is_group: Mapped[bool] = mapped_column(default=False, server_default=false())
    # Messages that no one here has opened yet. Read pointers hold what is new to each agent.
    unread_count: Mapped[int] = mapped_column(default=0)
    last_message_at: Mapped[dt.datetime] = mapped_column(default=now)
    # The last message's own words, and the kind and facts of its line where those are not all (`previews.line`).
    last_message_preview: Mapped[str] = mapped_column(default="")
    last_message_facts: Mapped[dict[str, Any] | None]
    last_message_state: Mapped[str] = mapped_column(default="received")
    last_message_id: Mapped[uuid.UUID | None]
    # Until when the messages already sent to this person have used up what WhatsApp allows for one pair.
    pair_tat: Mapped[dt.datetime | None]
    # The conversation that took over the messages, when two contacts turned out to be one (`merges.py`).
    merged_into_id: Mapped[uuid.UUID | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    contact: Mapped[Contact] = relationship(viewonly=True)
    phone_number: Mapped[PhoneNumber] = relationship(viewonly=True)

    @classmethod
    def find(cls, id: object) -> Self | None:
        """Returns the one it was merged into, if it was."""
        conversation = super().find(id)
        return cls.find(conversation.merged_into_id) if conversation and conversation.merged_into_id else conversation

    def merged_into(self, *, taken: bool = False) -> Self:
        """Locks it against merging until the transaction ends. Returns the other one if it was just merged.

        `taken`: a person is about to take it, so it is locked against every change.
        """
        if is_held_in(self.locked_in) or (not taken and is_held_in(self.shared_in)):
            return type(self).get_or_404(self.merged_into_id) if self.merged_into_id else self
        # Reading it again drops what is not in the database yet, such as who it was assigned to.
        db.session.flush()
        if (locked := type(self).to_write_in(self.id, taken=taken)) is None:
            raise NotFound
        return locked

    def note_lock(self, *, taken: bool) -> None:
        """That this transaction has it locked, so that no statement locks it again."""
        if taken:
            self.locked_in = innermost()
        else:
            self.shared_in = innermost()

    @classmethod
    def to_write_in(cls, id: uuid.UUID, *, taken: bool) -> Self | None:
        """As `find`, locked as `merged_into` does, and read with what `send` needs: all in one statement."""
        row = db.session.execute(cls.query_to_write_in(taken), {"id": id}).one_or_none()
        if row is None:
            return None
        conversation: Self = row[0]
        balance, settings = row[1], row[2]
        if conversation.merged_into_id:
            return cls.to_write_in(conversation.merged_into_id, taken=taken)
        conversation.note_lock(taken=taken)
        conversation.read_along = db.session().get_transaction(), balance, settings or InboxSettings.untouched()
        return conversation

    @classmethod
    @functools.cache
    def query_to_write_in(cls, taken: bool) -> Select[Any]:
        query: Any = select(cls, Balance, InboxSettings).where(cls.id == bindparam("id"))
        for each in (Balance, InboxSettings):
            query = query.outerjoin(each, each.tenant_id == cls.tenant_id)
        number = joinedload(cls.phone_number).load_only(PhoneNumber.state, PhoneNumber.waba_id)
        query = query.options(number).execution_options(populate_existing=True, made_once=True)
        locked: Select[Any] = query.with_for_update(of=cls, read=not taken, key_share=True)
        return locked

    @classmethod
    def newest_first(cls) -> Select[Conversation]:
        query = select(cls).where(cls.merged_into_id.is_(None))
        query = query.options(joinedload(cls.contact), joinedload(cls.phone_number))
        return query.order_by(cls.last_message_at.desc(), cls.id.desc())

    @property
    def terms(self) -> Terms:
        """What it costs to write to this customer."""
        wa_id, waba = self.contact.identity("wa_id"), self.phone_number.waba
        plan = Balance.plan_now()
        return Terms(waba.currency, wa_id, self.window_closes_at, self.free_until, plan, zone=waba.zone)

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
        by: Actor,
        client_id: uuid.UUID,
        answering: Message | None = None,
        later: Later | None = None,
        source: str = "",
        lane: str = "",
    ) -> Message:
        """Puts a text into the outbox (see `send`)."""
        return self.send(
            Outgoing("text", body),
            by=by,
            client_id=client_id,
            answering=answering,
            later=later,
            source=source,
            lane=lane,
        )

    def send(
        self,
        outgoing: Outgoing,
        *,
        by: Actor,
        client_id: uuid.UUID,
        answering: Message | None = None,
        media: Media | None = None,
        later: Later | None = None,
        source: str = "",
        lane: str = "",
    ) -> Message:
        """Puts a message into the outbox, to go now or at a time. The same `client_id` again is the same message.

        `source` says what it comes from and `lane` which messages it waits behind; both follow from who sends it.
        One with a category goes by Direct Send, unless the window is open for an ordinary one.
        Raises the `Refusal` of the gate, and `ClientIdReused` when the id belongs to a message with other words.
        """
        if (home := self.merged_into(taken=by.takes_over and not later)) is not self:
            return home.send(
                outgoing,
                by=by,
                client_id=client_id,
                answering=answering,
                media=media,
                later=later,
                source=source,
                lane=lane,
            )
        if outgoing.category and self.window_is_open and not later:
            outgoing = replace(outgoing, category="")
        message = Message.outbound(
            self, outgoing, by=by, client_id=client_id, answering=answering, media=media, source=source, lane=lane
        )
        gate = self.gate
        if refusal := gate.refusal_of(message, by=by, later=later):
            # What was sent before may be asked for again when it would be refused by now.
            if earlier := self.sent_before(message):
                return earlier
            raise refusal
        message.note_template(gate)
        if later:
            message.schedule(later)
        if not message.store():
            return self.sent_before(message) or message
        if media:
            media.message_id, media.next_attempt_at = message.id, now()
            db.session.add(media)
            # Its id and its defaults are shown with the message.
            db.session.flush()
        if later:
            announce("conversation", self.id)
            return message
        message.deliver_later()
        self.note_queued(message, by)
        # An out-of-office reply is no answer: the customer keeps waiting, and the list keeps showing their message.
        if message.is_shown and message.source != "away":
            self.show_sent(message, by)
        else:
            announce("conversation", self.id)
        return message

    def note_queued(self, message: Message, by: Actor) -> None:
        """A message goes out: a person who wrote it has the conversation from here on."""
        if by.takes_over and message.is_reply:
            self.take(by=by)
        happened("message.queued", message.id, by=by, conversation_id=self.id, source=message.source)

    def show_sent(self, message: Message, by: Actor) -> None:
        self.show_last(message)
        if message.is_reply:
            self.answered(by)

    @property
    def gate(self) -> Gate:
        """What may be sent here now."""
        gate = Gate(self)
        if self.read_along and self.read_along[0] is db.session().get_transaction():
            gate.lookups.balance = self.read_along[1]
        return gate

    @property
    def ways_to_write(self) -> Ways:
        """How this customer can be written to now."""
        return Ways.find(self.phone_number.waba_id, self.gate.refused_purposes, is_open=self.window_is_open)

    @property
    def composer(self) -> str:
        """Which composer is shown: `open`, `closed` (templates only), or none, because it is `blocked`."""
        return "blocked" if self.state == "blocked" else "open" if self.window_is_open else "closed"

    def react(self, to: Message, emoji: str, *, by: Actor) -> Message | None:
        """Reacts to a message, or removes our reaction if `emoji` is empty. None if nothing would change."""
        if to.our_emoji == emoji or not to.wamid:
            return None
        sent = self.send(reaction(to.wamid, emoji), by=by, client_id=uuid.uuid4())
        ours = Reaction(phone_number_id=self.phone_number_id, direction="outbound", target_wamid=to.wamid, emoji=emoji)
        ours.wamid, ours.message_id, ours.occurred_at = str(sent.id), sent.id, sent.occurred_at
        db.session.add(ours)
        return sent

    def put(self, state: str, *, by: Actor, until: dt.datetime | None = None, asks: bool = True) -> bool:
        changed = super().put(state, by=by, until=until)
        if changed and state in CLOSED:
            self.release(by=by, why="resolved")
        if changed and state == "resolved" and asks:
            self.ask_how_it_went()
        return changed

    def ask_how_it_went(self) -> None:
        """Where the business wants to know. A question is no answer: the next one counts as the first again."""
        if not self.phone_number.takes_messages:
            return
        question = question_for(
            self.contact_id,
            self.phone_number.waba_id,
            window_is_open=self.window_is_open,
            last_inbound_at=self.last_inbound_at,
            language=self.customer_language,
            fill_in=self.fill_in,
        )
        if question and not self.gate.refusal(question.type, question.raw, by=Actor.system("survey")):
            client_id = uuid.uuid5(self.id, f"survey {now():%Y-%m-%d}")
            self.send(question, by=Actor.system("survey"), client_id=client_id)
            self.answered_at = None

    @property
    def variable_values(self) -> dict[str, str | None]:
        """Of variables in what goes out by itself; {{agent}} is whoever the conversation is assigned to."""
        assignee = member_or_none(self.assignee_id) if self.assignee_id else None
        tenant = db.session.get_one(Tenant, current_tenant_id())
        return variable_values(self.contact, self.phone_number, agent=assignee.name if assignee else "", tenant=tenant)

    def fill_in(self, words: str) -> str:
        """A text that goes out by itself, with the values of its variables."""
        return filled(words, self.variable_values.get).strip() if "{{" in words else words

    def find_message(self, id: object) -> Message | None:
        """The message with this id, if it is in this conversation."""
        message = Message.find(id)
        return message if message and message.conversation_id == self.id else None

    def message_with(self, client_id: uuid.UUID) -> Message | None:
        mine = (Message.conversation_id == self.id) & (Message.client_id == client_id)
        return db.session.scalar(select(Message).where(mine))

    def sent_before(self, message: Message) -> Message | None:
        """The message with its `client_id`. Raises `ClientIdReused` where that has other words."""
        earlier = self.message_with(message.client_id) if message.client_id else None
        if earlier and not earlier.has_same_content_as(message):
            raise ClientIdReused
        return earlier

    @property
    def last_line(self) -> str:
        """What the list says of its last message, in the reader's language."""
        if not (self.last_message_preview or self.last_message_facts):
            return ""
        return line(self.last_message_facts, self.last_message_preview, READER)

    def show_last(self, message: Message) -> None:
        self.last_message_at, self.last_message_id = message.occurred_at, message.id
        self.last_message_preview, self.last_message_facts = cut(message.words), message.summary
        self.last_message_state = message.state
        announce("conversation", self.id)

    def show_cancelled(self, message: Message) -> None:
        """The list shows the message before it again, and the customer waits again where nothing else replied."""
        db.session.refresh(self, with_for_update={"key_share": True})
        if self.last_message_id == message.id:
            sent = self.thread().where(Message.state != "cancelled").limit(1)
            self.show_last(db.session.scalar(sent) or message)
        if message.is_reply and self.waiting_since is None and self.is_active:
            self.waiting_since = self.unanswered_since()
        announce("conversation", self.id)

    def unanswered_since(self) -> dt.datetime | None:
        """When the customer wrote first since the last reply; None where they did not. By the index of the thread."""
        mine = Message.conversation_id == self.id
        replied = select(Message.occurred_at).where(mine, Message.direction == "outbound", Message.is_shown)
        replied = replied.where(Message.state.not_in(NOT_SENT), func.coalesce(Message.source, "").not_in(NO_REPLIES))
        last = db.session.scalar(replied.order_by(Message.occurred_at.desc()).limit(1))
        wrote = select(Message.occurred_at).where(mine, Message.direction == "inbound", Message.is_shown)
        wrote = wrote.where(Message.occurred_at > last) if last else wrote
        return db.session.scalar(wrote.order_by(Message.occurred_at).limit(1))

    def mark_read(self) -> bool:
        """Sets the unread count to zero. Returns whether anything was unread."""
        had_news = self.unread_count > 0
        if had_news:
            self.unread_count = 0
            announce("conversation", self.id)
        return had_news


@warmer
def find_no_conversation() -> None:
    Conversation.to_write_in(uuid.UUID(int=0), taken=True)
