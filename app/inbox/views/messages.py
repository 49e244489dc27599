"""One message: the whole of it, its bubble, and finding the one that an address names."""

from __future__ import annotations

import uuid

from flask import abort, redirect, render_template
from werkzeug.wrappers import Response as AnyResponse

from app.inbox.blueprint import bp
from app.inbox.conversations import Conversation, Message
from app.inbox.desk.addresses import back_to
from app.inbox.desk.notes import Note
from app.tenancy import requires
from app.tenancy.guard import is_fragment


@bp.get("/<uuid:conversation_id>/messages/<uuid:message_id>")
@requires("inbox.read")
def whole_message(conversation_id: uuid.UUID, message_id: uuid.UUID) -> str:
    """All that a long message says and holds; its bubble shows the beginning."""
    message = message_or_404(conversation_id, message_id)
    if message.shape in ("deleted", "erased", "system"):
        abort(404)
    return render_whole(message.conversation, message=message)


@bp.get("/<uuid:conversation_id>/notes/<uuid:note_id>")
@requires("inbox.read")
def whole_note(conversation_id: uuid.UUID, note_id: uuid.UUID) -> str:
    conversation, note = Conversation.get_or_404(conversation_id), Note.get_or_404(note_id)
    if note.conversation_id != conversation.id:
        abort(404)
    return render_whole(conversation, note=note)


def render_whole(conversation: Conversation, **entry: Message | Note) -> str:
    page = "inbox/conversations/_whole_message.html" if is_fragment() else "inbox/conversations/whole_message.html"
    return render_template(page, conversation=conversation, whole=True, **entry)


def message_or_404(conversation_id: uuid.UUID, message_id: uuid.UUID) -> Message:
    """The message with this id, if it is in this conversation."""
    message = Conversation.get_or_404(conversation_id).find_message(message_id)
    if message is None:
        abort(404)
    return message


def render_message(message: Message) -> AnyResponse | str:
    """The message's bubble; without JavaScript, its conversation."""
    if is_fragment():
        return render_template("inbox/conversations/_message.html", message=message)
    return redirect(back_to(message.conversation_id), 303)
