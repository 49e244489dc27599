"""What follows a reply: its author may undo it for a moment, and customers see that their messages were read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from app.inbox.conversations import Conversation, Message
from app.inbox.conversations.number_desks import NumberDesk
from app.tenancy import later

from .typing import forget_typing


def hold_replies(
    conversation: Conversation,
    messages: Sequence[Message],
    *,
    undo: dt.timedelta,
    merging: dt.timedelta | None = None,
) -> None:
    """Holds new replies for as long as their author can undo them; to reply is also to have read.

    `merging`: a short text waits so long for the next one, and becomes one message with what waited before it.
    """
    for message in messages:
        message.hold(merging if merging and message.is_short_text else undo)
        if earlier := message.held_before:
            # It would go out while its author still writes on, or keep what comes after it waiting.
            earlier.hold_with(message)
            if merging and message.is_short_text and earlier.has_room_for_more:
                message.merge()
    forget_typing(conversation)
    send_read_receipt(conversation, when="on_reply")


def send_read_receipt(conversation: Conversation, *, when: str) -> None:
    """Enqueues blue ticks, if the number shows them `when`: `always` (somebody opens it), or `on_reply`."""
    if NumberDesk.of(conversation.phone_number_id).read_receipts == when:
        later("outbound.mark_read", conversation.id)
