import logging
import queue
import threading
from typing import TYPE_CHECKING

import httpx

from simulator.loop import LONGEST_NAP, Loop
from simulator.messages import Message
from simulator.webhooks.delivery import Delivery

if TYPE_CHECKING:
    from simulator.world import World

log = logging.getLogger(__name__)

AT_ONCE = 24
TIMEOUT = 10.0


class Sender:
    """Posts what is due, many at a time and so in no particular order."""

    def __init__(self, world: "World", transport: httpx.BaseTransport | None = None) -> None:
        self.world = world
        self.http = httpx.Client(transport=transport, timeout=TIMEOUT, trust_env=False)
        self._loop = Loop("webhooks", self._turn)
        self._in_flight: set[str] = set()
        self._claiming = threading.Lock()
        self._queue: queue.SimpleQueue[Delivery | None] = queue.SimpleQueue()

    def start(self) -> None:
        self._loop.start()
        for _ in range(AT_ONCE):
            threading.Thread(target=self._work, name="webhooks", daemon=True).start()

    def stop(self) -> None:
        self._loop.stop()
        for _ in range(AT_ONCE):
            self._queue.put(None)

    def wake(self) -> None:
        self._loop.wake()

    def send_due(self) -> int:
        due = self._claim_due()
        for delivery in due:
            self._post(delivery)
        return len(due)

    def send_for(self, message_id: str) -> None:
        """Post what is known about one message before going on."""
        for delivery in self._claim("message_id = ?", message_id):
            self._post(delivery)

    def _turn(self) -> float:
        due = self._claim_due()
        for delivery in due:
            self._queue.put(delivery)
        return 0.0 if due else self._until_next()

    def _work(self) -> None:
        while delivery := self._queue.get():
            try:
                self._post(delivery)
            except Exception:
                log.exception("A delivery could not be recorded; it will be sent again")

    def _claim_due(self) -> list[Delivery]:
        return self._claim("due_at <= ? order by due_at, id limit 500", self.world.clock.now())

    def _claim(self, clause: str, value: object) -> list[Delivery]:
        with self._claiming:
            waiting = Delivery.where(self.world, f"state = 'waiting' and {clause}", value)
            free = [delivery for delivery in waiting if delivery.id not in self._in_flight]
            self._in_flight.update(delivery.id for delivery in free)
        return free

    def _release(self, delivery: Delivery) -> None:
        """Under the same lock, or a claim that has just read the old state would send once more."""
        with self._claiming:
            self._in_flight.discard(delivery.id)

    def _post(self, delivery: Delivery) -> None:
        try:
            answer = self.http.post(delivery.url, content=delivery.body, headers=delivery.headers())
            delivery.answered(answer.status_code)
        except httpx.HTTPError as error:
            delivery.answered(None, type(error).__name__)
        finally:
            self._release(delivery)
        if delivery.state == "delivered":
            self._show_second_tick(delivery)

    def _show_second_tick(self, delivery: Delivery) -> None:
        message = Message.find(self.world, delivery.message_id)
        if message and message.direction == "in" and message.status == "sent":
            message.update(status="delivered")
            message.announce()

    def _until_next(self) -> float:
        """Never at once: what is due already may be in flight."""
        due_at = self.world.store.value("select min(due_at) from deliveries where state = 'waiting'")
        return LONGEST_NAP if due_at is None else max(0.01, due_at - self.world.clock.now())
