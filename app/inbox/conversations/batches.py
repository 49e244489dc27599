"""Many messages at once, such as reminders and digests: what `Conversation.send` does, with few statements for all."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from app.contacts.models import load_identities
from app.meta.outgoing import Outgoing
from app.tenancy import Actor, among, db, later
from app.tenancy.happenings import happened_each
from app.wabas.models import PhoneNumber

from .conversations import Conversation
from .gate import Gate, Lookups
from .messages import Message, StoredBefore
from .refusals import ClientIdReused, Refusal

# How many are put into the outbox with one set of statements.
TOGETHER = 500


@dataclass(frozen=True, slots=True)
class Sending:
    """One message to one conversation, without a file. The same `client_id` again is the same message."""

    conversation_id: uuid.UUID
    outgoing: Outgoing
    client_id: uuid.UUID
    source: str = ""
    lane: str = ""
    # It is not sent any more from then on, where it has not expired before.
    expires_at: dt.datetime | None = None


Sent = Message | Refusal | ClientIdReused


def send_all(sendings: Sequence[Sending], *, by: Actor) -> dict[uuid.UUID, Sent]:
    """Puts each message into the outbox if the gate lets it. Returns the message, or why not, by `client_id`.

    For senders that take no conversation over (`Actor.takes_over`). Locks the conversations until the transaction ends.
    """
    sent: dict[uuid.UUID, Sent] = {}
    for first in range(0, len(sendings), TOGETHER):
        sent |= Batch(sendings[first : first + TOGETHER], by).send()
    return sent


class Batch:
    def __init__(self, sendings: Sequence[Sending], by: Actor) -> None:
        self.sendings, self.by = sendings, by
        self.lookups = Lookups()

    def send(self) -> dict[uuid.UUID, Sent]:
        conversations = self.locked_conversations()
        earlier = self.earlier_messages(list(conversations))
        self.lookups.load_consents(list({one.contact_id for one in conversations.values()}))
        sent: dict[uuid.UUID, Sent] = {}
        new: list[tuple[Conversation, Message]] = []
        for one in self.sendings:
            if (conversation := conversations.get(one.conversation_id)) is None or one.client_id in sent:
                sent[one.client_id] = self.send_one(one)
                continue
            message = self.message(one, conversation)
            if before := earlier.get(one.client_id):
                sent[one.client_id] = before if before.has_same_content_as(message) else ClientIdReused()
            elif refusal := self.check(message, conversation):
                sent[one.client_id] = refusal
            else:
                sent[one.client_id] = message
                new.append((conversation, message))
        try:
            self.store(new)
        except StoredBefore:
            db.session.expire_all()
            return {one.client_id: self.send_one(one) for one in self.sendings}
        return sent

    def locked_conversations(self) -> dict[uuid.UUID, Conversation]:
        """Those that were not merged into others, locked in one order."""
        ids = {one.conversation_id for one in self.sendings}
        query = select(Conversation).where(among(Conversation.id, ids), Conversation.merged_into_id.is_(None))
        # Few numbers have many conversations: they are read once, not with each.
        numbers = selectinload(Conversation.phone_number).joinedload(PhoneNumber.waba)
        query = query.options(joinedload(Conversation.contact), numbers)
        query = query.order_by(Conversation.id).with_for_update(of=Conversation, key_share=True)
        loaded = db.session.scalars(query.execution_options(populate_existing=True)).all()
        # Prices depend on the customer's number.
        if self.lookups.balance:
            load_identities([one.contact for one in loaded])
        return {one.id: one for one in loaded}

    def earlier_messages(self, conversation_ids: list[uuid.UUID]) -> dict[uuid.UUID | None, Message]:
        mine = [one.client_id for one in self.sendings]
        query = select(Message).where(among(Message.conversation_id, conversation_ids), among(Message.client_id, mine))
        return {message.client_id: message for message in db.session.scalars(query)}

    def message(self, one: Sending, conversation: Conversation) -> Message:
        outgoing = one.outgoing
        if outgoing.category and conversation.window_is_open:
            outgoing = replace(outgoing, category="")
        about = {"by": self.by, "client_id": one.client_id, "source": one.source, "lane": one.lane}
        message = Message.outbound(conversation, outgoing, **about)  # type: ignore[arg-type]
        if one.expires_at:
            message.expires_at = min(message.expires_at or one.expires_at, one.expires_at)
        return message

    def check(self, message: Message, conversation: Conversation) -> Refusal | None:
        gate = Gate(conversation, self.lookups)
        refusal = gate.refusal_of(message, by=self.by)
        if refusal is None:
            message.note_template(gate)
        return refusal

    def store(self, new: list[tuple[Conversation, Message]]) -> None:
        Message.insert_all([message for _, message in new])
        rows = [
            (message.id, {"conversation_id": str(message.conversation_id), "source": message.source})
            for _, message in new
        ]
        happened_each("message.queued", rows, actors=[self.by] * len(rows))
        for conversation, message in new:
            conversation.show_sent(message, self.by)
        if new:
            later("outbound.deliver")

    def send_one(self, one: Sending) -> Sent:
        """Of a conversation that was merged into another one, and where several share an id."""
        conversation = Conversation.get_or_404(one.conversation_id)
        about = {"client_id": one.client_id, "source": one.source, "lane": one.lane}
        try:
            message = conversation.send(one.outgoing, by=self.by, **about)  # type: ignore[arg-type]
            if one.expires_at:
                message.expires_at = min(message.expires_at or one.expires_at, one.expires_at)
            return message
        except (Refusal, ClientIdReused) as problem:
            return problem
