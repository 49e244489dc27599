"""The files that a contact and the business sent each other."""

from __future__ import annotations

import uuid

from sqlalchemy import Select, select, tuple_

from app.inbox.conversations import Conversation, Cursor, Message
from app.inbox.files.media import Media

PAGE = 24


def gallery(contact_id: uuid.UUID, before: Cursor | None = None) -> Select[Media, Message]:
    """Stored files with their messages, newest first; those before the cursor, if there is one."""
    theirs = select(Conversation.id).where(Conversation.contact_id == contact_id)
    joined = (Message.tenant_id == Media.tenant_id) & (Message.id == Media.message_id)
    query = select(Media, Message).join(Message, joined)
    query = query.where(Message.conversation_id.in_(theirs), Media.state == "stored")
    if before:
        query = query.where(tuple_(Message.occurred_at, Message.id) < tuple_(*before.values))
    return query.order_by(Message.occurred_at.desc(), Message.id.desc())
