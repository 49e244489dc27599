"""The app as a test wants it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from flask import Flask

from app import create_app
from app.config import Settings
from app.tenancy import db


@contextlib.contextmanager
def running(settings: Settings) -> Iterator[Flask]:
    """The app with these settings; afterwards it lets go of its databases."""
    app = create_app(settings)
    app.testing = True
    yield app
    with app.app_context():
        for engine in db.engines.values():
            engine.dispose()
    app.extensions["intake"].disconnect()
