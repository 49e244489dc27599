import threading
from collections import defaultdict


class Hub:
    """Notifies the open phone pages of a customer of changes."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._versions: dict[str, int] = defaultdict(int)

    def notify(self, customer_id: str) -> None:
        """Counts a change and wakes the waiting pages."""
        with self._changed:
            self._versions[customer_id] += 1
            self._changed.notify_all()

    def version(self, customer_id: str) -> int:
        """The number of changes so far."""
        with self._changed:
            return self._versions[customer_id]

    def wait(self, customer_id: str, seen: int, timeout: float) -> int:
        """Waits for a change after the given version, for at most so many seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._versions[customer_id] != seen, timeout)
            return self._versions[customer_id]
