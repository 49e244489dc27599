"""Who else has a conversation open: shown by its page, and reported by it."""

from __future__ import annotations

import uuid

from flask import render_template, request
from flask_login import current_user
from sqlalchemy import select

from app.inbox.blueprint import bp
from app.inbox.conversations import Conversation
from app.inbox.desk.presence import Presence
from app.inbox.outbound.typing import show_typing_later
from app.tenancy import Membership, User, db, requires


@bp.get("/<uuid:conversation_id>/company")
@requires("inbox.read")
def company(conversation_id: uuid.UUID) -> str:
    return render_company(Conversation.get_or_404(conversation_id))


@bp.post("/<uuid:conversation_id>/company")
@requires("inbox.reply")
def report_presence(conversation_id: uuid.UUID) -> str:
    """The page is open (`doing` is `looks`, `types` a reply, or `notes`), or was closed (`left`)."""
    conversation = Conversation.get_or_404(conversation_id)
    match request.form.get("doing"):
        case "left":
            Presence(conversation.id).leave(current_user)
        case doing:
            Presence(conversation.id).mark(current_user, is_typing=doing in ("types", "notes"))
            if doing == "types":
                show_typing_later(conversation)
    return render_company(conversation)


def render_company(conversation: Conversation) -> str:
    viewing, typing = Presence(conversation.id).others(current_user)
    here = select(User).join(Membership, Membership.user_id == User.id).where(User.id.in_({*viewing, *typing}))
    people = list(db.session.scalars(here)) if viewing or typing else []
    return render_template(
        "inbox/conversations/_company.html", conversation=conversation, viewing=people, typing=typing
    )
