import logging
import queue
import threading
from collections.abc import Iterable

from simulator.context import Context
from simulator.loop import LONGEST_NAP
from simulator.messages import Message
from simulator.webhooks import batches
from simulator.webhooks.delivery import Delivery
from simulator.webhooks.line import Line, Trouble

log = logging.getLogger(__name__)

AT_ONCE = 24
CLAIM = 200


class Sender:
    """Posts due deliveries on many threads, so in no particular order."""

    def __init__(self, world: Context) -> None:
        self.world = world
        self._line = Line()
        world.loops.add("webhooks", self._turn)
        world.loops.add("settled webhooks", self._settle_done)
        self._queue: queue.SimpleQueue[Delivery | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[Delivery] = queue.SimpleQueue()
        self._threads = 0
        self._idle = threading.Semaphore(0)
        world.store.write("update deliveries set claimed = 0 where claimed")

    def stop(self) -> None:
        """Stops the posting threads."""
        for _ in range(self._threads):
            self._queue.put(None)

    def send_due(self) -> int:
        """Posts everything that is due, in this thread."""
        return self._send(self._claim_due())

    def send_for(self, message_id: str) -> None:
        """Posts the waiting webhooks of one message now."""
        self._send(self._claim("message_id = ? limit ?", message_id, CLAIM))

    def _send(self, due: list[Delivery]) -> int:
        for delivery in due:
            self._post(delivery)
            self._settle([delivery])
        return len(due)

    def _turn(self) -> float:
        due = self._claim_due()
        for delivery in due:
            self._post_in_thread(delivery)
        return 0.0 if due else self._until_next()

    def _post_in_thread(self, delivery: Delivery) -> None:
        """One thread more where none is idle, up to so many."""
        self._queue.put(delivery)
        if not self._idle.acquire(blocking=False) and self._threads < AT_ONCE:
            self._threads += 1
            threading.Thread(target=self._work, name="webhooks", daemon=True).start()

    def _work(self) -> None:
        while delivery := self._queue.get():
            self._post(delivery)
            self._done.put(delivery)
            self.world.loops.wake("settled webhooks")
            self._idle.release()

    def _claim_due(self) -> list[Delivery]:
        return self._claim("due_at <= ? order by due_at, id limit ?", self.world.clock.now(), CLAIM)

    def _claim(self, clause: str, *values: object) -> list[Delivery]:
        with self.world.store.transaction() as db:
            claimed = Delivery.claim(self.world, db, clause, *values)
            most = int(self.world.knobs["batch"])
            return batches.combine(self.world, claimed, most) if most > 1 else claimed

    def _post(self, delivery: Delivery) -> None:
        try:
            delivery.record_answer(self._line.post(delivery.url, delivery.body, delivery.headers()))
        except Trouble as error:
            delivery.record_answer(None, type(error).__name__)

    def _settle_done(self) -> float:
        """Stores many results in one commit."""
        done = []
        while not self._done.empty():
            done.append(self._done.get())
        self._settle(done)
        return LONGEST_NAP

    def _settle(self, done: list[Delivery]) -> None:
        if done:
            with self.world.store.transaction():
                for delivery in done:
                    delivery.settle()
                self._show_second_ticks(done)
            if any(delivery.state == "waiting" for delivery in done):
                self.world.loops.wake("webhooks")

    def _show_second_ticks(self, done: Iterable[Delivery]) -> None:
        for wamid in (wamid for delivery in done if delivery.state == "delivered" for wamid in delivery.about_messages):
            message = Message.find(self.world, wamid)
            if message and message.direction == "in" and message.status == "sent":
                message.update(status="delivered")
                message.announce()

    def _until_next(self) -> float:
        sql = "select min(due_at) from deliveries where state = 'waiting' and claimed = 0"
        due_at = self.world.store.value(sql)
        return LONGEST_NAP if due_at is None else max(0.01, due_at - self.world.clock.now())
