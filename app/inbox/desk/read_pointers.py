"""How far each agent has read each conversation."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence

from sqlalchemy import UniqueConstraint, select, text
from sqlalchemy.orm import Mapped

from app.inbox.conversations import Conversation, Message
from app.team.models.teams import of_member
from app.tenancy import Membership, TenantModel, belongs_to, current_tenant_id, database_now, db, uuid7

# Counts stop here: a page shows 99+.
MANY = 100


class ReadPointer(TenantModel):
    """An agent has read all that had arrived by `read_at`, by our clock: a message that arrives late is unread."""

    __table_args__ = (
        belongs_to("conversations", "conversation_id", ondelete="CASCADE"),
        of_member("user_id"),
        UniqueConstraint("tenant_id", "user_id", "conversation_id"),
    )

    user_id: Mapped[uuid.UUID]
    conversation_id: Mapped[uuid.UUID]
    read_at: Mapped[dt.datetime]

    @classmethod
    def move(cls, conversation: Conversation, reader: Membership, *, unread: bool = False) -> bool:
        """Marks all as read, or (`unread`) the last inbound message as unread. Returns whether anything was unread."""
        had_unread = bool(count_unread([conversation], reader))
        values = {"tenant": current_tenant_id(), "id": uuid7(), "user": reader.user_id, "now": database_now()}
        db.session.execute(BACK if unread else MOVE, values | {"conversation": conversation.id})
        return had_unread


def count_unread(conversations: Sequence[Conversation], reader: Membership) -> dict[uuid.UUID, int]:
    """How many messages of each conversation an agent has not read, counted up to MANY; none where it is 0."""
    values = {"tenant": current_tenant_id(), "user": reader.user_id, "since": reader.news_since, "many": MANY}
    ids = [conversation.id for conversation in conversations if conversation.news_at]
    return {row[0]: row[1] for row in db.session.execute(NEWS, values | {"ids": ids})} if ids else {}


def first_unread(conversation: Conversation, reader: Membership) -> Message | None:
    """The oldest of the last MANY messages that an agent has not read; None where they have read all."""
    mine = ReadPointer.user_id == reader.user_id, ReadPointer.conversation_id == conversation.id
    read_at = db.session.scalar(select(ReadPointer.read_at).where(*mine)) or reader.news_since
    if conversation.news_at is None or conversation.news_at <= read_at:
        return None
    latest = select(Message.id).where(Message.conversation_id == conversation.id)
    latest = latest.order_by(Message.occurred_at.desc(), Message.id.desc()).limit(MANY)
    unread = Message.id.in_(latest), Message.direction == "inbound", Message.created_at > read_at, Message.is_shown
    return db.session.scalar(select(Message).where(*unread).order_by(Message.occurred_at, Message.id).limit(1))


MOVE = text("""
    insert into read_pointers (tenant_id, id, user_id, conversation_id, read_at)
    values (:tenant, :id, :user, :conversation, :now)
    on conflict (tenant_id, user_id, conversation_id) do update set read_at = excluded.read_at
""")
# Moves an agent's pointer to just before the last inbound message (ix_messages_thread), if there is one.
BACK = text("""
    insert into read_pointers (tenant_id, id, user_id, conversation_id, read_at)
    select :tenant, :id, :user, conversation_id,
        (created_at at time zone 'UTC' - interval '1 microsecond') at time zone 'UTC' from messages
    where tenant_id = :tenant and conversation_id = :conversation and direction = 'inbound'
    order by occurred_at desc, messages.id desc limit 1
    on conflict (tenant_id, user_id, conversation_id) do update set read_at = excluded.read_at
""")
# How many inbound messages of each conversation arrived after an agent's pointer? Looks at the last :many messages of
# those only whose `news_at` is after it. Indexes: ix_messages_thread; the unique key of read_pointers. A null pointer
# (never opened): everything since :since (`Membership.news_since`).
NEWS = text("""
    select c.id, (
        select count(*) from (
            select m.direction, m.created_at from messages m
            where m.tenant_id = :tenant and m.conversation_id = c.id
            order by m.occurred_at desc, m.id desc limit :many
        ) latest where direction = 'inbound' and latest.created_at > coalesce(p.read_at, :since)
    )
    from conversations c left join read_pointers p
        on p.tenant_id = :tenant and p.user_id = :user and p.conversation_id = c.id
    where c.tenant_id = :tenant and c.id = any(cast(:ids as uuid[])) and c.news_at > coalesce(p.read_at, :since)
""")
