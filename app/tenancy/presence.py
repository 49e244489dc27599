"""Who is online: members with an open live stream. Expires in Redis within minutes."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

import redis as redis_client

from app.extensions import redis

from .scope import current_tenant_id

# A page renews its stream every two minutes.
ONLINE_SECONDS = 150


def come_online(tenant_id: uuid.UUID, user_id: uuid.UUID) -> None:
    try:
        redis.set(f"online:{tenant_id}:{user_id}", 1, ex=ONLINE_SECONDS)
    except redis_client.RedisError:
        return


def online(user_ids: Sequence[uuid.UUID]) -> set[uuid.UUID]:
    if not user_ids:
        return set()
    try:
        values = redis.mget([f"online:{current_tenant_id()}:{id}" for id in user_ids])
    except redis_client.RedisError:
        return set()
    return {id for id, there in zip(user_ids, values, strict=True) if there}
