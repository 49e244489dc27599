"""Which of what happens concerns a CRM: customers who appear, and conversations that are resolved."""

from __future__ import annotations

import uuid

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app.inbox.conversations import Conversation
from app.tenancy import Happened, current_tenant_id, db, is_sandbox, later, subscriber

from .lookups import CrmLookup
from .models import CrmConnection
from .notes import CrmNote


@subscriber("crm", "conversation.opened", "contact.created", "contact.merged", "conversation.resolved")
def hear(happenings: list[Happened]) -> None:
    """Queues lookups and notes. A business without a connection costs one query."""
    connections = db.session.scalars(CrmConnection.working()).all()
    if not connections or is_sandbox(current_tenant_id()):
        return
    appeared = [contact_of(one) for one in happenings if one.kind != "conversation.resolved"]
    resolved = [one for one in happenings if one.kind == "conversation.resolved"]
    conversations = conversations_of([one.subject_id for one in resolved])
    pairs = [(one, conversations[one.subject_id]) for one in resolved if one.subject_id in conversations]
    for connection in connections:
        CrmLookup.queue(connection.id, appeared)
        if connection.writes_notes:
            # A connection that is made later has nothing to do with what was resolved before it.
            CrmNote.queue(connection, [pair for pair in pairs if pair[0].at >= connection.created_at])
        later("crm.work", connection.id)


def contact_of(one: Happened) -> uuid.UUID:
    return one.facts.contact_id if one.kind == "conversation.opened" else one.subject_id


def conversations_of(ids: list[uuid.UUID]) -> dict[uuid.UUID, Conversation]:
    """Those of one customer each."""
    query = select(Conversation).where(Conversation.id.in_(ids), Conversation.is_group.is_(False))
    return {one.id: one for one in db.session.scalars(query.options(joinedload(Conversation.contact)))}
