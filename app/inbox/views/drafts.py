"""Drafts, as the page saves them while somebody types."""

from __future__ import annotations

import uuid

from flask import abort
from flask_login import current_user

from app.inbox.blueprint import bp
from app.inbox.compose.drafts import KINDS, Draft
from app.inbox.compose.forms import DraftForm
from app.inbox.conversations import Conversation
from app.tenancy import requires


@bp.put("/<uuid:conversation_id>/drafts/<what>")
@requires("inbox.reply")
def save_draft(conversation_id: uuid.UUID, what: str) -> tuple[str, int]:
    conversation, form = Conversation.get_or_404(conversation_id), DraftForm()
    if what not in KINDS:
        abort(404)
    if not form.validate():
        return "", 422
    Draft.save(conversation, what, form.body.data, owner=current_user, age=form.age.data)
    return "", 204
