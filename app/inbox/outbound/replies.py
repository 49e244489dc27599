"""Sending what an agent has just written, and showing customers that their messages were read."""

from __future__ import annotations

from collections.abc import Sequence

from app.inbox.conversations import Conversation, Message
from app.inbox.conversations.number_desks import NumberDesk
from app.tenancy import later

from .uploads import enqueue_delivery


def deliver_replies(conversation: Conversation, messages: Sequence[Message]) -> None:
    """Enqueues new replies, each held for a moment so that its author can undo it; to reply is also to have read."""
    for message in messages:
        message.hold()
        enqueue_delivery(message)
    send_read_receipt(conversation, when="on_reply")


def send_read_receipt(conversation: Conversation, *, when: str) -> None:
    """Enqueues blue ticks, if the number shows them `when`: `always` (somebody opens it), or `on_reply`."""
    if NumberDesk.of(conversation.phone_number_id).read_receipts == when:
        later("outbound.mark_read", conversation.id)
