import random
import shutil
from pathlib import Path
from typing import Self

import httpx
from flask import Flask

from simulator import people
from simulator.clock import Clock
from simulator.hub import Hub
from simulator.knobs import Knobs
from simulator.limits import Limits
from simulator.links import Links
from simulator.settings import Settings
from simulator.store import Store
from simulator.timeline import Timeline
from simulator.webhooks import Webhooks
from simulator.webhooks.sender import Sender


class World:
    """Everything one running simulator holds; the nouns reach each other through it."""

    def __init__(self, settings: Settings, transport: httpx.BaseTransport | None = None) -> None:
        self.settings = settings
        self.transport = transport
        self.random = random.Random(settings.seed)
        self.store = Store(Path(settings.data) / "meta.sqlite3")
        self.knobs = Knobs(self)
        self.clock = Clock(settings.speed, self.knobs["clock_offset"])
        self.hub = Hub()
        self.limits = Limits(self)
        self.timeline = Timeline(self)
        self.links = Links(self, transport)
        self.webhooks = Webhooks(self)
        self.sender = Sender(self)
        self.populate()

    @classmethod
    def of(cls, app: Flask) -> Self:
        world: Self = app.extensions["simulator"]
        return world

    def start(self) -> None:
        self.timeline.loop.start()
        self.links.loop.start()
        self.sender.start()

    def stop(self) -> None:
        self.timeline.loop.stop()
        self.links.loop.stop()
        self.sender.stop()
        self.store.close()

    def populate(self) -> None:
        self.webhooks.use_configured_callback()
        people.move_in(self)

    def reset(self) -> None:
        self.store.reset()
        shutil.rmtree(Path(self.settings.data) / "media", ignore_errors=True)
        self.knobs.forget()
        self.limits.forget()
        self.clock.offset = 0.0
        self.populate()

    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.knobs["clock_offset"] = self.clock.offset
        self.timeline.loop.wake()
        self.sender.wake()

    def happens(self, knob: str) -> bool:
        return self.random.random() < self.knobs[knob]

    def settle(self) -> None:
        """Do at once, in this thread, everything that is due."""
        while self.links.run_due() or self.timeline.run_due() or self.sender.send_due():
            pass
