import random
from pathlib import Path

import httpx

from simulator.clock import Clock
from simulator.hub import Hub
from simulator.knobs import Knobs
from simulator.limits import Limits
from simulator.loop import Loops
from simulator.settings import Settings
from simulator.store import Store
from simulator.template_steps import TemplateSteps
from simulator.timeline import Timeline


class Context:
    """What every record can reach: settings, store, clock, chance, knobs, limits and background loops.

    It imports no record; `World` adds what works on records.
    """

    def __init__(self, settings: Settings, transport: httpx.BaseTransport | None = None) -> None:
        self.settings = settings
        self.transport = transport
        self.random = random.Random(settings.seed)
        self.store = Store(Path(settings.data) / "meta.sqlite3")
        self.knobs = Knobs(self.store)
        self.clock = Clock(settings.speed, self.knobs["clock_offset"])
        self.hub = Hub()
        self.limits = Limits(self.clock, self.knobs)
        self.loops = Loops()
        self.timeline = Timeline(self.store, self.clock, self.random, self.loops)
        self.template_steps = TemplateSteps(self.store, self.clock, self.loops)

    def happens(self, knob: str) -> bool:
        """Draws once: true with the probability that the knob is set to."""
        return self.random.random() < self.knobs[knob]

    def wake(self, loop: str) -> None:
        """Wakes a background loop as soon as the current transaction is committed."""
        self.store.after_commit(lambda: self.loops.wake(loop))
