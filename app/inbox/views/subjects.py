"""What a conversation is about, as agents correct it."""

from __future__ import annotations

import uuid

from flask import flash, redirect, request
from flask_babel import gettext as _
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as AnyResponse

from app.entry_points.models import EntryTouch
from app.inbox.blueprint import bp
from app.inbox.conversations import Conversation
from app.inbox.desk.addresses import back_to
from app.inbox.desk.subjects import SubjectForm
from app.tenancy import current_actor, requires


@bp.post("/<uuid:conversation_id>/subject")
@requires("inbox.reply")
def set_subject(conversation_id: uuid.UUID) -> AnyResponse:
    """To what was typed, or to what one of its touches was about."""
    conversation, form = Conversation.get_or_404(conversation_id), SubjectForm()
    if "touch" in request.form:
        touch = EntryTouch.get_or_404(request.form["touch"])
        if touch.conversation_id != conversation.id or touch.about is None:
            raise NotFound
        conversation.set_about(touch.about, by=current_actor())
    elif form.validate():
        conversation.set_about(form.corrected(conversation.about), by=current_actor())
        flash(_("Saved."))
    else:
        flash(next(iter(form.errors.values()))[0], "error")
    return back(conversation)


@bp.post("/<uuid:conversation_id>/subject/removal")
@requires("inbox.reply")
def remove_subject(conversation_id: uuid.UUID) -> AnyResponse:
    conversation = Conversation.get_or_404(conversation_id)
    conversation.set_about(None, by=current_actor())
    return back(conversation)


def back(conversation: Conversation) -> AnyResponse:
    return redirect(back_to(conversation.id), 303)
