"""Drafts, as the page saves them while somebody types."""

from __future__ import annotations

import datetime as dt
import uuid

from flask import abort, request, url_for
from flask_login import current_user

from app.tenancy import now, requires

from .drafts import KEPT, KINDS, Draft
from .models import Conversation
from .views import bp


@bp.put("/<uuid:conversation_id>/drafts/<what>")
@requires("inbox.reply")
def keep_draft(conversation_id: uuid.UUID, what: str) -> tuple[str, int]:
    conversation = Conversation.get_or_404(conversation_id)
    if what not in KINDS:
        abort(404)
    body = request.form.get("body", "").replace("\r\n", "\n").replace("\x00", "")
    Draft.keep(conversation, what, body if body.strip() else "", by=current_user, age=told_age())
    return "", 204


def told_age() -> dt.timedelta:
    """How long ago the page says that was (milliseconds)."""
    try:
        age = dt.timedelta(milliseconds=int(request.form.get("age", 0)))
    except (ValueError, OverflowError):
        return dt.timedelta()
    return min(max(age, dt.timedelta()), KEPT)


@bp.app_template_global()
def draft_in(conversation: Conversation, kind: str) -> Draft | None:
    """What the reader has typed there. Of somebody who was erased nothing is brought back, from no browser either."""
    if conversation.contact.is_erased:
        return Draft(body="", typed_at=now() + KEPT)
    return Draft.of(conversation, kind, current_user)


@bp.app_template_global()
def draft_attributes(conversation: Conversation, kind: str, draft: Draft | None) -> dict[str, object]:
    """For the field it stands in: where it is saved, its name in the browser, and how old those words are."""
    address = url_for("inbox.keep_draft", conversation_id=conversation.id, what=kind)
    key = f"{current_user.id}/{conversation.id}/{kind}"
    return {"data-draft": address, "data-draft-key": key, "data-draft-age": draft.age if draft else None}
