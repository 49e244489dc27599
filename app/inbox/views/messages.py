"""Finding the message that an address names."""

from __future__ import annotations

import uuid

from flask import abort, redirect, render_template, url_for
from werkzeug.wrappers import Response as AnyResponse

from app.inbox.conversations import Conversation, Message
from app.tenancy.guard import is_fragment


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
    return redirect(url_for("inbox.show", conversation_id=message.conversation_id), 303)
