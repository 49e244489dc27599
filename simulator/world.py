import shutil
from pathlib import Path
from typing import Self

import httpx
from flask import Flask

from simulator import first_customers, outgoing, template_life
from simulator.context import Context
from simulator.links import Links
from simulator.settings import Settings
from simulator.webhooks import publishing
from simulator.webhooks.sender import Sender


class World(Context):
    """One running simulator: the context of its records and everything that runs in the background."""

    def __init__(self, settings: Settings, transport: httpx.BaseTransport | None = None) -> None:
        super().__init__(settings, transport)
        self.timeline.take_step = lambda message_id, status, code: outgoing.take_step(self, message_id, status, code)
        self.template_steps.take = lambda template_id, act: template_life.take_step(self, template_id, act)
        self.template_steps.tidy = lambda: template_life.archive_unused(self)
        self.links = Links(self)
        self.sender = Sender(self)
        self.populate()

    @classmethod
    def of(cls, app: Flask) -> Self:
        """The world that the app was created with."""
        world: Self = app.extensions["simulator"]
        return world

    def start(self) -> None:
        """Starts the background loops."""
        self.loops.start()

    def stop(self) -> None:
        """Stops the background loops and closes the store."""
        self.loops.stop()
        self.sender.stop()
        self.store.close()

    def populate(self) -> None:
        """Sets the app's callback and creates the first customers."""
        publishing.use_configured_callback(self)
        first_customers.create_first_customers(self)

    def reset(self) -> None:
        """Deletes everything and starts again as on the first day."""
        self.store.reset()
        shutil.rmtree(Path(self.settings.data) / "media", ignore_errors=True)
        self.knobs.forget()
        self.limits.forget()
        self.clock.offset = 0.0
        self.populate()

    def advance(self, seconds: float) -> None:
        """Moves the clock forward and wakes the loops that wait for a time."""
        self.clock.advance(seconds)
        self.knobs["clock_offset"] = self.clock.offset
        self.loops.wake("timeline")
        self.loops.wake("templates")
        self.loops.wake("webhooks")

    def settle(self) -> None:
        """Does everything that is due, in this thread, until nothing is left."""
        while (
            self.links.run_due() or self.timeline.run_due() or self.template_steps.run_due() or self.sender.send_due()
        ):
            pass
