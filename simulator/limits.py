import threading
from collections import defaultdict, deque
from typing import TYPE_CHECKING

from simulator.errors import GraphError

if TYPE_CHECKING:
    from simulator.customers import Customer
    from simulator.phone_numbers import PhoneNumber
    from simulator.world import World

TIERS = {250: "TIER_250", 2000: "TIER_2K", 10000: "TIER_10K", 100000: "TIER_100K", -1: "TIER_UNLIMITED"}


class Limits:
    """How fast a number may go, both ways, and how fast it may write to one person. Forgotten at a restart."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self._lock = threading.Lock()
        self._lately: dict[str, deque[float]] = defaultdict(deque)
        self._pairs: dict[tuple[str, str], tuple[float, float]] = {}

    def forget(self) -> None:
        with self._lock:
            self._lately.clear()
            self._pairs.clear()

    def count(self, number: "PhoneNumber") -> None:
        """What customers write counts, and is never refused."""
        with self._lock:
            self._last_second(number).append(self.world.clock.now())

    def admit(self, number: "PhoneNumber", customer: "Customer") -> None:
        with self._lock:
            self._check_pair(number, customer)
            lately, most = self._last_second(number), number.messages_per_second
            if most and len(lately) >= most:
                raise GraphError(130429, "Cloud API message throughput has been reached.")
            lately.append(self.world.clock.now())
            self._take_from_pair(number, customer)

    def _last_second(self, number: "PhoneNumber") -> deque[float]:
        lately, now = self._lately[number.id], self.world.clock.now()
        while lately and lately[0] <= now - 1:
            lately.popleft()
        return lately

    def _check_pair(self, number: "PhoneNumber", customer: "Customer") -> None:
        if self.world.knobs["pair_every"] and self._left_for_pair(number, customer) < 1:
            details = (
                "Message failed to send because there were too many messages sent from this phone number"
                " to the same phone number in a short period of time."
            )
            raise GraphError(131056, details)

    def _left_for_pair(self, number: "PhoneNumber", customer: "Customer") -> float:
        burst, now = self.world.knobs["pair_burst"], self.world.clock.now()
        left, at = self._pairs.get((number.id, customer.id), (burst, now))
        return min(burst, left + (now - at) / self.world.knobs["pair_every"])

    def _take_from_pair(self, number: "PhoneNumber", customer: "Customer") -> None:
        if self.world.knobs["pair_every"]:
            left = self._left_for_pair(number, customer)
            self._pairs[number.id, customer.id] = (left - 1, self.world.clock.now())
