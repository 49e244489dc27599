import time
from datetime import UTC, datetime


class Clock:
    """Real time plus an offset that can be advanced; `speed` shortens every simulated delay."""

    def __init__(self, speed: float = 1.0, offset: float = 0.0) -> None:
        self.speed = speed
        self.offset = offset

    def now(self) -> float:
        """The simulated time."""
        return time.time() + self.offset

    def after(self, seconds: float) -> float:
        """The time after so many simulated seconds."""
        return self.now() + seconds / self.speed

    def advance(self, seconds: float) -> None:
        """Moves the clock forward."""
        self.offset += seconds


def iso(moment: float) -> str:
    """A time as the Graph API writes it."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")
