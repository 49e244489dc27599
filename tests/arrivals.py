"""What customers send, as it arrives: posted, drained, and then a conversation of Bakery."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx

from app.extensions import outside
from app.inbox.conversations import Conversation, Message
from app.inbox.files.media import Media
from app.meta.graph import GraphClient
from app.tenancy import db, platform_scope, refuse_inside_transaction, tenant_scope
from app.webhook_events.models import HeldChange, WebhookEvent
from app.webhooks.drain import drain_batch
from tests.posts import change, post
from tests.world import BAKERY_NUMBER, World


def arrive(*changes: dict[str, Any]) -> None:
    with platform_scope("tests"):
        db.session.add(WebhookEvent(body=post(*changes)))
    drain()


def drain() -> None:
    """What waits, except of a tenant that somebody else writes for at this moment."""
    while drain_batch():
        pass


def failures() -> list[str]:
    """The changes that could not be applied."""
    with platform_scope("tests"):
        return list(db.session.scalars(db.select(HeldChange.reason).where(HeldChange.kind == "failed")))


def of_field(field: str, **value: Any) -> dict[str, Any]:
    """A change of another field than `messages`."""
    return change(BAKERY_NUMBER, **value) | {"field": field}


def conversations(world: World) -> list[Conversation]:
    with tenant_scope(world.bakery.id):
        return list(db.session.scalars(Conversation.newest_first()).all())


def conversation(world: World) -> Conversation:
    (results,) = conversations(world)
    return results


def messages(world: World) -> list[Message]:
    """All of Bakery's, oldest first."""
    with tenant_scope(world.bakery.id):
        query = db.select(Message).options(*Message.with_all_around_it()).order_by(Message.occurred_at, Message.id)
        return list(db.session.scalars(query))


def files(world: World) -> list[Media]:
    with tenant_scope(world.bakery.id):
        return list(db.session.scalars(db.select(Media).order_by(Media.id)))


def graph_answering(handle: Callable[[httpx.Request], httpx.Response], url: str = "https://graph.facebook.com") -> None:
    """Meta as a function, for this test: what it is asked, and what it answers."""
    graph = GraphClient(url, "v25.0", "1", "secret", transport=httpx.MockTransport(handle))
    graph.before_call = refuse_inside_transaction
    outside().graph = graph
