"""The records that are shown beside a conversation."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import contains_eager

from app.inbox.conversations import Conversation
from app.inbox.desk.cards import details_card
from app.records.models import MOST_SHOWN, Record, RecordLink
from app.records.stages import TYPES
from app.tenancy import db


@details_card("records/_card.html", order=40, permission="records.view")
def card(conversation: Conversation) -> dict[str, Any] | None:
    """The links with their records, the last changed first."""
    if conversation.is_group or conversation.contact.is_erased:
        return None
    here = RecordLink.conversation_id.is_(None) | (RecordLink.conversation_id == conversation.id)
    same = (RecordLink.tenant_id == Record.tenant_id) & (RecordLink.record_id == Record.id)
    query = select(RecordLink).join(Record, same).options(contains_eager(RecordLink.record))
    query = query.where(RecordLink.contact_id == conversation.contact_id, RecordLink.removed_at.is_(None), here)
    links = db.session.scalars(query.order_by(Record.staged_at.desc(), Record.id.desc()).limit(MOST_SHOWN)).all()
    return {"links": links, "types": TYPES}
