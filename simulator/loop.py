import logging
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)

LONGEST_NAP = 1.0


class Loop:
    """A background thread. Each turn does what is due and returns the seconds until the next turn."""

    def __init__(self, name: str, turn: Callable[[], float]) -> None:
        self._name = name
        self._turn = turn
        self._wake = threading.Event()
        self._running = False

    def start(self) -> None:
        """Starts the background threads."""
        self._running = True
        threading.Thread(target=self._run, name=self._name, daemon=True).start()

    def stop(self) -> None:
        """Stops the background threads."""
        self._running = False
        self.wake()

    def wake(self) -> None:
        """Starts the next turn now."""
        self._wake.set()

    def _run(self) -> None:
        while self._running:
            self._wake.clear()
            self._wake.wait(min(LONGEST_NAP, max(0.0, self._take_turn())))

    def _take_turn(self) -> float:
        try:
            return self._turn()
        except Exception:
            log.exception("A turn of %s failed; trying again", self._name)
            return LONGEST_NAP


class Loops:
    """The background loops by name, so that a record can wake a loop without importing its owner."""

    def __init__(self) -> None:
        self._loops: dict[str, Loop] = {}

    def add(self, name: str, turn: Callable[[], float]) -> None:
        """Adds a loop under a name."""
        self._loops[name] = Loop(name, turn)

    def wake(self, name: str) -> None:
        """Starts the next turn now."""
        self._loops[name].wake()

    def start(self) -> None:
        """Starts the background threads."""
        for loop in self._loops.values():
            loop.start()

    def stop(self) -> None:
        """Stops the background threads."""
        for loop in self._loops.values():
            loop.stop()
