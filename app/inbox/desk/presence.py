"""Who looks at a conversation, and who types in it. Redis forgets both within seconds."""

from __future__ import annotations

import time
import uuid

import redis as redis_client

from app.extensions import redis
from app.realtime import whisper
from app.tenancy import User, current_tenant_id

VIEWING_SECONDS = 45
TYPING_SECONDS = 8


class Company:
    """Who else is in a conversation."""

    def __init__(self, conversation_id: uuid.UUID) -> None:
        self.conversation_id, self.tenant_id = conversation_id, current_tenant_id()
        self.viewing = f"viewing:{self.tenant_id}:{conversation_id}"
        self.typing = f"typing:{self.tenant_id}:{conversation_id}"

    def come(self, user: User, *, types: bool) -> None:
        """Seen looking and, maybe, typing. The others are told when that is news."""
        at = time.time()
        try:
            with redis.pipeline(transaction=False) as pipe:
                for key, seconds, here in ((self.viewing, VIEWING_SECONDS, True), (self.typing, TYPING_SECONDS, types)):
                    pipe.zremrangebyscore(key, 0, at)
                    pipe.zadd(key, {str(user.id): at + seconds}) if here else pipe.zrem(key, str(user.id))
                    pipe.expire(key, seconds)
                _, joined, _, _, typed, _ = pipe.execute()
        except redis_client.RedisError:
            return
        if joined or typed:
            self.tell()

    def leave(self, user: User) -> None:
        try:
            redis.zrem(self.viewing, str(user.id))
            redis.zrem(self.typing, str(user.id))
        except redis_client.RedisError:
            return
        self.tell()

    def tell(self) -> None:
        whisper(redis, self.tenant_id, f"company {self.conversation_id}")

    def others(self, than: User) -> tuple[list[uuid.UUID], list[uuid.UUID]]:
        """Who looks at it, and who of them types."""
        at = time.time()
        try:
            viewing = redis.zrangebyscore(self.viewing, at, "+inf")
            typing = redis.zrangebyscore(self.typing, at, "+inf")
        except redis_client.RedisError:
            return [], []
        ids = [[uuid.UUID(id.decode()) for id in found] for found in (viewing, typing)]  # type: ignore[union-attr]
        here, there = ([id for id in found if id != than.id] for found in ids)
        return here, there
