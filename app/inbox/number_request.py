"""Asking a customer who hides their phone number for it."""

from __future__ import annotations

import uuid

from flask_babel import gettext as _

from app.meta import contact_requests
from app.tenancy import User

from .models import Conversation, Message


def ask_for_number(conversation: Conversation, *, by: User, client_id: uuid.UUID) -> Message:
    """Puts the question into the outbox. What they answer joins the contact as an identity (`arrival.sender_of`).

    Raises what `Conversation.reply` raises.
    """
    words = _("May we have your phone number? Tap the button below to share it.")
    message = conversation.reply(words, by=by, client_id=client_id)
    message.content = contact_requests.content(words)
    return message
