"""Asking a customer who hides their phone number for it."""

from __future__ import annotations

import uuid

from flask_babel import gettext as _

from app.inbox.conversations import Conversation, Message
from app.meta import outgoing
from app.tenancy import Actor


def ask_for_number(conversation: Conversation, *, by: Actor) -> Message:
    """Puts the question into the outbox, once until they write again. What they answer joins the contact as an identity
    (`arrival.sender_of`).

    Raises what `Conversation.send` raises.
    """
    words = _("May we have your phone number? Tap the button below to share it.")
    asked_once = uuid.uuid5(conversation.id, f"number {conversation.last_inbound_at}")
    request = outgoing.number_request(words)
    return conversation.send(request, by=by, client_id=asked_once, source="number_request")
