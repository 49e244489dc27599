"""Who else is in a conversation, as its page shows and tells."""

from __future__ import annotations

import uuid

from flask import render_template, request
from flask_login import current_user
from sqlalchemy import select

from app.inbox.blueprint import bp
from app.inbox.conversations import Conversation
from app.inbox.desk.presence import Company
from app.tenancy import Membership, User, db, requires


@bp.get("/<uuid:conversation_id>/company")
@requires("inbox.read")
def company(conversation_id: uuid.UUID) -> str:
    return others(Conversation.get_or_404(conversation_id))


@bp.post("/<uuid:conversation_id>/company")
@requires("inbox.reply")
def keep_company(conversation_id: uuid.UUID) -> str:
    """The page is open here: `doing` says whether somebody looks, types or has left."""
    conversation = Conversation.get_or_404(conversation_id)
    match request.form.get("doing"):
        case "left":
            Company(conversation.id).leave(current_user)
        case doing:
            Company(conversation.id).come(current_user, types=doing == "types")
    return others(conversation)


def others(conversation: Conversation) -> str:
    viewing, typing = Company(conversation.id).others(current_user)
    here = select(User).join(Membership, Membership.user_id == User.id).where(User.id.in_({*viewing, *typing}))
    people = list(db.session.scalars(here)) if viewing or typing else []
    return render_template(
        "inbox/conversations/_company.html", conversation=conversation, viewing=people, typing=typing
    )
