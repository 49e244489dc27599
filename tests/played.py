"""The simulated Meta, with a world of its own for each test. Its routes, which take long, are made once."""

from __future__ import annotations

from flask import Flask

from simulator import Settings, World, create_app

existing: list[Flask] = []


def play(settings: Settings, *, testing: bool = False) -> Flask:
    """The one simulated Meta of this process, from now on with a new world."""
    if existing:
        existing[0].extensions["simulator"] = World(settings)
    else:
        existing.append(create_app(settings))
    existing[0].testing = testing
    return existing[0]
