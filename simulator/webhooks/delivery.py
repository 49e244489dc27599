import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from simulator.record import Record

if TYPE_CHECKING:
    from simulator.world import World

FIRST_GAP, LONGEST_GAP = 2.0, 6 * 3600.0
GIVE_UP_AFTER = 7 * 86400


@dataclass
class Delivery(Record):
    """One webhook on its way. It stays `waiting` until somebody answers 200, for seven days."""

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

    @classmethod
    def enqueue(
        cls, world: "World", url: str, field: str, about: str, body: dict[str, Any], message_id: str | None
    ) -> None:
        later = world.knobs["delay"]
        if world.happens("reorder"):
            later += world.random.uniform(0.5, 4.0)
        world.store.insert(
            "deliveries",
            url=url,
            field=field,
            about=about,
            body=written_by_meta(body),
            message_id=message_id,
            created_at=world.clock.now(),
            due_at=world.clock.after(later),
        )

    def headers(self) -> dict[str, str]:
        return {
            "Content-Type": "application/json",
            "User-Agent": "facebookexternalua",
            "X-Hub-Signature-256": f"sha256={signature(self.world.settings.app_secret[0], self.body)}",
        }

    def answered(self, answer: int | None, trouble: str | None = None) -> None:
        self.update(attempts=self.attempts + 1, answer=answer, trouble=trouble, **self._outcome(answer))

    def _outcome(self, answer: int | None) -> dict[str, Any]:
        now = self.world.clock.now()
        if answer == 200:
            return {"state": "delivered", "settled_at": now}
        if now > self.created_at + GIVE_UP_AFTER:
            return {"state": "abandoned", "settled_at": now}
        return {"due_at": self.world.clock.after(min(FIRST_GAP * 2**self.attempts, LONGEST_GAP))}


def written_by_meta(body: dict[str, Any]) -> bytes:
    """Non-ASCII and slashes escaped, the way Meta signs it."""
    return json.dumps(body, separators=(",", ":")).replace("/", "\\/").encode()


def signature(secret: str, body: bytes) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
