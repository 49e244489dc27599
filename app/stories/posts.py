"""Which posts told something of a message, and what they said about it: that item alone, of everything in them."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from app.inbox.conversations import Message, MessageEvent
from app.meta import payload
from app.tenancy import db
from app.webhook_events.models import WebhookEvent
from app.webhook_events.search import posts_with

LONGEST = 20_000
# What would not be seen, or would turn the text around it.
HIDDEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


@dataclass(frozen=True)
class Told:
    post: WebhookEvent
    items: list[str]


def moments_of(message: Message) -> list[dt.datetime]:
    """When something arrived about it. Needs the message's tenant."""
    statuses = select(MessageEvent.received_at).where(MessageEvent.message_id == message.id)
    came_in = [] if message.client_id else [message.created_at]
    return came_in + list(db.session.scalars(statuses.order_by(MessageEvent.received_at)))


def posts_about(wamid: str | None, moments: list[dt.datetime]) -> list[Told]:
    """Needs the platform's scope, oldest first."""
    posts = {post.id: post for moment in moments for post in posts_with(wamid or "", moment)} if wamid else {}
    told = [Told(posts[id], list(items_about(posts[id], wamid))) for id in sorted(posts)]
    return [each for each in told if each.items]


def items_about(post: WebhookEvent, wamid: str | None) -> Iterator[str]:
    try:
        waiting = [payload.loads(post.body)]
    except ValueError:
        return
    while waiting:
        part: Any = waiting.pop()
        if isinstance(part, dict) and part.get("id") == wamid:
            yield visible(json.dumps(part, indent=2, ensure_ascii=False)[:LONGEST])
        elif isinstance(part, dict | list):
            waiting += part.values() if isinstance(part, dict) else part


def visible(words: str) -> str:
    return HIDDEN.sub(lambda sign: f"\\u{ord(sign[0]):04x}", words)
