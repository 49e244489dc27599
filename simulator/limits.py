import threading
from collections import defaultdict, deque

from simulator.clock import Clock
from simulator.errors import GraphError
from simulator.knobs import Knobs

TIERS = {250: "TIER_250", 2000: "TIER_2K", 10000: "TIER_10K", 100000: "TIER_100K", -1: "TIER_UNLIMITED"}


class Limits:
    """The throughput of each number and the pair rate to each customer. Kept in memory only."""

    def __init__(self, clock: Clock, knobs: Knobs) -> None:
        self.clock = clock
        self.knobs = knobs
        self._lock = threading.Lock()
        self._recent: dict[str, deque[float]] = defaultdict(deque)
        self._pairs: dict[tuple[str, str], tuple[float, float]] = {}

    def forget(self) -> None:
        """Forgets every count."""
        with self._lock:
            self._recent.clear()
            self._pairs.clear()

    def count(self, number_id: str) -> None:
        """Counts an inbound message; those are never refused."""
        with self._lock:
            self._last_second(number_id).append(self.clock.now())

    def admit(self, number_id: str, customer_id: str, per_second: float) -> None:
        """Counts an outbound message, or raises 131056 (pair rate) or 130429 (throughput)."""
        with self._lock:
            self._check_pair(number_id, customer_id)
            recent = self._last_second(number_id)
            if per_second and len(recent) >= per_second:
                raise GraphError(130429, "Cloud API message throughput has been reached.")
            recent.append(self.clock.now())
            self._take_from_pair(number_id, customer_id)

    def _last_second(self, number_id: str) -> deque[float]:
        recent, now = self._recent[number_id], self.clock.now()
        while recent and recent[0] <= now - 1:
            recent.popleft()
        return recent

    def _check_pair(self, number_id: str, customer_id: str) -> None:
        if self.knobs["pair_every"] and self._left_for_pair(number_id, customer_id) < 1:
            details = (
                "Message failed to send because there were too many messages sent from this phone number"
                " to the same phone number in a short period of time."
            )
            raise GraphError(131056, details)

    def _left_for_pair(self, number_id: str, customer_id: str) -> float:
        burst, now = self.knobs["pair_burst"], self.clock.now()
        left, at = self._pairs.get((number_id, customer_id), (burst, now))
        return min(burst, left + (now - at) / self.knobs["pair_every"])

    def _take_from_pair(self, number_id: str, customer_id: str) -> None:
        if self.knobs["pair_every"]:
            left = self._left_for_pair(number_id, customer_id)
            self._pairs[number_id, customer_id] = (left - 1, self.clock.now())
