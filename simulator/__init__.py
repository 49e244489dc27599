"""Plays Meta on this machine: Graph API, signup dialog, webhooks, and the phones of the customers."""

import httpx
from flask import Flask

from simulator import control, dialog, graph, phone, pictures, sdk
from simulator.settings import Settings
from simulator.world import World

__all__ = ["Settings", "World", "create_app"]


def create_app(settings: Settings, transport: httpx.BaseTransport | None = None) -> Flask:
    """The world is `app.extensions["simulator"]`; its `start()` and `stop()` run the background."""
    app = Flask(__name__)
    app.extensions["simulator"] = World(settings, transport)
    for part in (graph, sdk, dialog, phone, pictures, control):
        part.install(app)
    return app
