"""Tells a tenant's open pages what changed, once the change is committed."""

from __future__ import annotations

from app import realtime
from app.extensions import redis

from .scope import after_commit, current_scope, current_tenant_id


def announce(subject: str, id: object) -> None:
    """Say that `subject` (such as "conversation") changed. Said once per transaction however often it is called."""
    tenant_id, event = current_tenant_id(), f"{subject} {id}"
    waiting = current_scope().announced
    if event not in waiting:
        waiting.add(event)
        after_commit(lambda: (waiting.discard(event), realtime.publish(redis, tenant_id, event)))
