"""Who has a conversation open, and who is typing in it. Both are in Redis and expire within seconds."""

from __future__ import annotations

import time
import uuid

import redis as redis_client

from app.extensions import redis
from app.realtime import whisper
from app.tenancy import User, current_tenant_id

VIEWING_SECONDS = 45
TYPING_SECONDS = 8


class Presence:
    """The members who have a conversation open. Empty without Redis."""

    def __init__(self, conversation_id: uuid.UUID) -> None:
        self.conversation_id, self.tenant_id = conversation_id, current_tenant_id()
        self.viewing = f"viewing:{self.tenant_id}:{conversation_id}"
        self.typing = f"typing:{self.tenant_id}:{conversation_id}"

    def mark(self, user: User, *, is_typing: bool) -> None:
        """Records that somebody views, and maybe types. Announces it to the others where it is new."""
        at = time.time()
        try:
            with redis.pipeline(transaction=False) as pipe:
                for key, seconds, here in (
                    (self.viewing, VIEWING_SECONDS, True),
                    (self.typing, TYPING_SECONDS, is_typing),
                ):
                    pipe.zremrangebyscore(key, 0, at)
                    pipe.zadd(key, {str(user.id): at + seconds}) if here else pipe.zrem(key, str(user.id))
                    pipe.expire(key, seconds)
                _, joined, _, _, typed, _ = pipe.execute()
        except redis_client.RedisError:
            return
        if joined or typed:
            self.announce()

    def leave(self, user: User) -> None:
        """Records that somebody closed the conversation."""
        try:
            redis.zrem(self.viewing, str(user.id))
            redis.zrem(self.typing, str(user.id))
        except redis_client.RedisError:
            return
        self.announce()

    def announce(self) -> None:
        whisper(redis, self.tenant_id, f"company {self.conversation_id}")

    def others(self, than: User) -> tuple[list[uuid.UUID], list[uuid.UUID]]:
        """The ids of the others who view it, and of those who type."""
        at = time.time()
        try:
            viewing = redis.zrangebyscore(self.viewing, at, "+inf")
            typing = redis.zrangebyscore(self.typing, at, "+inf")
        except redis_client.RedisError:
            return [], []
        ids = [[uuid.UUID(id.decode()) for id in some] for some in (viewing, typing)]  # type: ignore[union-attr]
        others_viewing, others_typing = ([id for id in some if id != than.id] for some in ids)
        return others_viewing, others_typing
