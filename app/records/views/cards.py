"""The records that are shown beside a conversation."""

from __future__ import annotations

import uuid
from typing import Any

from flask import redirect, render_template, url_for
from sqlalchemy import select
from sqlalchemy.orm import contains_eager
from werkzeug.wrappers import Response as AnyResponse

from app.inbox.conversations import Conversation
from app.inbox.desk.cards import details_card
from app.records.blueprint import bp
from app.records.models import MOST_SHOWN, Record, RecordLink
from app.records.stages import TYPE_NAMES
from app.tenancy import db, requires
from app.tenancy.guard import is_fragment


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
    return {"links": links, "types": TYPE_NAMES}


@bp.get("/beside/<uuid:conversation_id>")
@requires("records.view")
def beside(conversation_id: uuid.UUID) -> str | AnyResponse:
    """The card alone, after a record of the customer has changed."""
    conversation = Conversation.get_or_404(conversation_id)
    if not is_fragment():
        return redirect(url_for("inbox.details", conversation_id=conversation.id), 303)
    return render_template("records/_card.html", conversation=conversation, card=card(conversation))
