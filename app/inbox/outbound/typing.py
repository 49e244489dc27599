"""Shows a customer that somebody types a reply: for up to 25 seconds, and WhatsApp marks all as read with it."""

from __future__ import annotations

import redis as redis_client

from app.extensions import redis
from app.inbox.conversations import Conversation
from app.inbox.conversations.inbox_settings import InboxSettings
from app.inbox.conversations.number_desks import NumberDesk
from app.tenancy import later

# Shown again before WhatsApp stops showing it.
AGAIN_AFTER = 20


def show_typing_later(conversation: Conversation) -> None:
    """Enqueues it, unless it was just shown, the business turned it off, or nothing could be sent anyway."""
    if may_show_typing(conversation) and is_first(conversation):
        later("outbound.show_typing", conversation.id)


def may_show_typing(conversation: Conversation) -> bool:
    """Only where customers see blue ticks once somebody has opened the conversation: it turns them blue too."""
    if not conversation.window_is_open or conversation.is_group or conversation.state in ("spam", "blocked"):
        return False
    if NumberDesk.of(conversation.phone_number_id).read_receipts != "always":
        return False
    return InboxSettings.current().shows_typing


def is_first(conversation: Conversation) -> bool:
    """Whether no one has shown it within AGAIN_AFTER seconds. Without Redis it is not shown."""
    try:
        return bool(redis.set(key_of(conversation), b"1", nx=True, ex=AGAIN_AFTER))
    except redis_client.RedisError:
        return False


def forget_typing(conversation: Conversation) -> None:
    """A message was sent, which ends it: whoever types on is shown again at once."""
    try:
        redis.delete(key_of(conversation))
    except redis_client.RedisError:
        return


def key_of(conversation: Conversation) -> str:
    return f"typing-shown:{conversation.tenant_id}:{conversation.id}"
