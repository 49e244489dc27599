"""Finds the webhooks that mention a message, and in them the items about it alone."""

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
# Characters that are invisible, or change the direction of the text around them.
HIDDEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


@dataclass(frozen=True)
class Report:
    """A webhook, and its items about one message as formatted JSON."""

    post: WebhookEvent
    items: list[str]


def arrival_times(message: Message) -> list[dt.datetime]:
    """When webhooks about a message arrived. Needs a scope of its tenant."""
    statuses = select(MessageEvent.received_at).where(MessageEvent.message_id == message.id)
    inbound = [] if message.client_id else [message.created_at]
    return inbound + list(db.session.scalars(statuses.order_by(MessageEvent.received_at)))


def posts_about(wamid: str | None, moments: list[dt.datetime]) -> list[Report]:
    """The webhooks that arrived then and mention the message, oldest first. Needs a platform scope."""
    posts = {post.id: post for moment in moments for post in posts_with(wamid or "", moment)} if wamid else {}
    reports = [Report(posts[id], list(items_about(posts[id], wamid))) for id in sorted(posts)]
    return [report for report in reports if report.items]


def items_about(post: WebhookEvent, wamid: str | None) -> Iterator[str]:
    try:
        waiting = [payload.loads(post.body)]
    except ValueError:
        return
    while waiting:
        part: Any = waiting.pop()
        if isinstance(part, dict) and part.get("id") == wamid:
            yield show_hidden(json.dumps(part, indent=2, ensure_ascii=False)[:LONGEST])
        elif isinstance(part, dict | list):
            waiting += part.values() if isinstance(part, dict) else part


def show_hidden(words: str) -> str:
    """Replaces invisible characters by their escapes."""
    return HIDDEN.sub(lambda sign: f"\\u{ord(sign[0]):04x}", words)
