"""Live events: notifies a tenant's open pages of a change once it is committed."""

from __future__ import annotations

import uuid

from app import realtime
from app.extensions import redis

from .scope import after_commit, current_scope, current_tenant_id


def announce(subject: str, id: object) -> None:
    """Publishes after the commit that `subject` (such as "conversation") changed; each once per transaction."""
    scope, tenant_id = current_scope(), current_tenant_id()

    def publish() -> None:
        events, scope.announced = list(scope.announced), {}
        realtime.publish(redis, tenant_id, events)

    if not scope.announced:
        after_commit(publish)
    scope.announced.setdefault(f"{subject} {id}")


def end_streams(user_id: uuid.UUID) -> None:
    """After the commit, ends a user's live streams: their pages come back and are asked again what they may see."""
    after_commit(lambda: realtime.end_streams(redis, user_id))
