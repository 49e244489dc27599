# ruff: noqa: S608 - clauses are written in this program, values are bound
import hashlib
import hmac
import json
import sqlite3
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from simulator.context import Context
from simulator.record import Record

FIRST_GAP, LONGEST_GAP = 2.0, 6 * 3600.0
GIVE_UP_AFTER = 7 * 86400


@dataclass
class Delivery(Record):
    """One webhook to deliver. It is repeated until the answer is 200, for seven days."""

    table: ClassVar[str] = "deliveries"

    url: str
    field: str
    about: str
    body: bytes
    message_id: str | None
    state: str
    attempts: int
    answer: int | None
    trouble: str | None
    created_at: float
    due_at: float
    settled_at: float | None
    parts: int
    message_ids: str | None
    claimed: int

    @classmethod
    def enqueue(
        cls, world: Context, url: str, field: str, about: str, body: dict[str, Any], message_id: str | None
    ) -> None:
        """Stores a webhook to be delivered, with the configured delays."""
        later = world.knobs["delay"] + _spread(world)
        if world.happens("reorder"):
            later += world.random.uniform(0.5, 4.0)
        if world.knobs["batch"] > 1:
            later += world.knobs["batch_wait"]
        world.store.insert(
            "deliveries",
            url=url,
            field=field,
            about=about,
            body=meta_json(body),
            message_id=message_id,
            created_at=world.clock.now(),
            due_at=world.clock.after(later),
        )

    def headers(self) -> dict[str, str]:
        """The headers, with the signature over the body."""
        return {
            "Content-Type": "application/json",
            "User-Agent": "facebookexternalua",
            "X-Hub-Signature-256": f"sha256={signature(self.world.settings.app_secret[0], self.body)}",
        }

    @classmethod
    def claim(cls, world: Context, db: sqlite3.Connection, clause: str, *values: object) -> list[Self]:
        """Claims due deliveries, so that only one thread posts each."""
        chosen = f"select id from deliveries where state = 'waiting' and not claimed and {clause}"
        sql = f"update deliveries set claimed = 1 where id in ({chosen}) returning *"
        claimed = [cls(world, **row) for row in db.execute(sql, values).fetchall()]
        return sorted(claimed, key=lambda delivery: (delivery.due_at, delivery.id))

    @property
    def about_messages(self) -> list[str]:
        """The ids of the messages the webhook is about."""
        wamids = self.message_ids.split(",") if self.message_ids else [self.message_id]
        return [wamid for wamid in wamids if wamid]

    def record_answer(self, answer: int | None, trouble: str | None = None) -> None:
        """Notes the result of an attempt."""
        self.attempts, self.answer, self.trouble = self.attempts + 1, answer, trouble

    def settle(self) -> None:
        """Stores the result and plans the next attempt."""
        result = {"attempts": self.attempts, "answer": self.answer, "trouble": self.trouble}
        self.update(claimed=0, **result, **self._outcome(self.answer))

    def _outcome(self, answer: int | None) -> dict[str, Any]:
        now = self.world.clock.now()
        if answer == 200:
            return {"state": "delivered", "settled_at": now}
        if now > self.created_at + GIVE_UP_AFTER:
            return {"state": "abandoned", "settled_at": now}
        return {"due_at": self.world.clock.after(min(FIRST_GAP * 2 ** (self.attempts - 1), LONGEST_GAP))}


def _spread(world: Context) -> float:
    mean = world.knobs["delay_spread"]
    return world.random.expovariate(1 / mean) if mean else 0.0


def meta_json(body: dict[str, Any]) -> bytes:
    """JSON as Meta writes and signs it: non-ASCII characters and slashes escaped."""
    return json.dumps(body, separators=(",", ":")).replace("/", "\\/").encode()


def signature(secret: str, body: bytes) -> str:
    """The hexadecimal HMAC-SHA256 of the body."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
