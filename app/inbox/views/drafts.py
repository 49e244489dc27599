"""Drafts, as the page saves them while somebody types."""

from __future__ import annotations

import datetime as dt
import uuid

from flask import abort, request
from flask_login import current_user

from app.inbox.blueprint import bp
from app.inbox.compose.drafts import KEPT, KINDS, Draft
from app.inbox.conversations import Conversation
from app.tenancy import requires


@bp.put("/<uuid:conversation_id>/drafts/<what>")
@requires("inbox.reply")
def keep_draft(conversation_id: uuid.UUID, what: str) -> tuple[str, int]:
    conversation = Conversation.get_or_404(conversation_id)
    if what not in KINDS:
        abort(404)
    body = request.form.get("body", "").replace("\r\n", "\n").replace("\x00", "")
    Draft.keep(conversation, what, body if body.strip() else "", owner=current_user, age=age_from_request())
    return "", 204


def age_from_request() -> dt.timedelta:
    """How long ago the page says that was (milliseconds)."""
    try:
        age = dt.timedelta(milliseconds=int(request.form.get("age", 0)))
    except (ValueError, OverflowError):
        return dt.timedelta()
    return min(max(age, dt.timedelta()), KEPT)
