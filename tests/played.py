"""The simulated Meta, with a world of its own for each test. Its routes, which take long, are made once; so are the
tables of its world."""

from __future__ import annotations

import functools
import pathlib
import shutil
import tempfile

from flask import Flask

from simulator import Settings, World, create_app
from simulator.store import Store

existing: list[Flask] = []


def play(settings: Settings, *, testing: bool = False) -> Flask:
    """The one simulated Meta of this process, from now on with a new world."""
    lay_out(settings.data)
    if existing:
        existing[0].extensions["simulator"] = World(settings)
    else:
        existing.append(create_app(settings))
    existing[0].testing = testing
    return existing[0]


def lay_out(folder: pathlib.Path) -> None:
    """Writes empty tables where a world is to begin."""
    file = folder / "meta.sqlite3"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        file.write_bytes(empty_tables())


@functools.cache
def empty_tables() -> bytes:
    folder = pathlib.Path(tempfile.mkdtemp(prefix="switchboard-played-"))
    try:
        Store(folder / "empty").close()
        return (folder / "empty").read_bytes()
    finally:
        shutil.rmtree(folder)
