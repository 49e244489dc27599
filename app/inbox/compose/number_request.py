"""Asks a customer who hides their phone number for it."""

from __future__ import annotations

import uuid

from flask_babel import gettext as _

from app.inbox.conversations import Conversation, Message
from app.meta import outgoing
from app.tenancy import Actor


def ask_for_number(conversation: Conversation, *, by: Actor) -> Message:
    """Sends the question, once until they write again. Their number becomes an identity of the contact on arrival.

    Raises what `Conversation.send` raises.
    """
    words = _("May we have your phone number? Tap the button below to share it.")
    once = uuid.uuid5(conversation.id, f"number {conversation.last_inbound_at}")
    return conversation.send(outgoing.number_request(words), by=by, client_id=once, source="number_request")
