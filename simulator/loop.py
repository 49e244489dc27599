import logging
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)

LONGEST_NAP = 1.0


class Loop:
    """A background thread. Each turn does what is due and says how long there is nothing more to do."""

    def __init__(self, name: str, turn: Callable[[], float]) -> None:
        self._name = name
        self._turn = turn
        self._bell = threading.Event()
        self._running = False

    def start(self) -> None:
        self._running = True
        threading.Thread(target=self._run, name=self._name, daemon=True).start()

    def stop(self) -> None:
        self._running = False
        self.wake()

    def wake(self) -> None:
        self._bell.set()

    def _run(self) -> None:
        while self._running:
            self._bell.clear()
            self._bell.wait(min(LONGEST_NAP, max(0.0, self._take_turn())))

    def _take_turn(self) -> float:
        try:
            return self._turn()
        except Exception:
            log.exception("A turn of %s failed; trying again", self._name)
            return LONGEST_NAP
