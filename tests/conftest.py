"""Real Postgres and Redis for every test, and a small named world (tests/world.py)."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import select

from app.billing.rate_cards import RateCard
from app.config import Settings
from app.tenancy import db, platform_scope
from app.tenancy.queue import Job
from tests.apps import running
from tests.census import Census
from tests.client import Browser
from tests.copies import Worlds
from tests.databases import Emptying, databases
from tests.enqueued import Enqueued
from tests.world import World

pytest_plugins = ["tests.simulated"]


def pytest_configure(config: pytest.Config) -> None:
    # Modules and templates stay for the whole run: to look through them for garbage takes a good part of it.
    gc.set_threshold(50_000, 20, 50)
    if not hasattr(config, "workerinput"):
        config.databases = databases()  # type: ignore[attr-defined]


def pytest_unconfigure(config: pytest.Config) -> None:
    if hasattr(config, "databases"):
        config.databases.stop()


# The longest tests begin first, so that at the end none of them keeps a worker alone.
LONG = (
    "test_chaos.py",
    "test_fuzz.py",
    "test_hostile.py",
    "test_fuzz_document.py",
    "test_isolation.py",
    "browser/test_pages.py",
    "browser/test_overtaking.py",
    "browser/test_personas.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        return next((n for n, name in enumerate(LONG) if item.path.match(name)), len(LONG))

    items.sort(key=place)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    node.workerinput["prepared"] = node.config.databases.prepare(node.workerinput["workerid"])


@pytest.fixture(scope="session")
def prepared(pytestconfig: pytest.Config) -> tuple[dict[str, str], str]:
    if hasattr(pytestconfig, "workerinput"):
        return pytestconfig.workerinput["prepared"]  # type: ignore[no-any-return]
    return pytestconfig.databases.prepare("main")  # type: ignore[no-any-return,attr-defined]


@pytest.fixture(scope="session")
def environ(prepared: tuple[dict[str, str], str]) -> dict[str, str]:
    """The settings of this worker's own databases."""
    return prepared[0]


@pytest.fixture(scope="session")
def superuser_url(prepared: tuple[dict[str, str], str]) -> str:
    return prepared[1]


@pytest.fixture(scope="session")
def settings(environ: dict[str, str]) -> Settings:
    return Settings.from_environment(environ)


@pytest.fixture(scope="session")
def shared_app(settings: Settings) -> Iterator[Flask]:
    with running(settings) as app:
        yield app


@pytest.fixture(scope="session")
def census(shared_app: Flask, superuser_url: str) -> Iterator[Census]:
    """Reads every statement that the app executes, as a cluster would."""
    reading = Census(superuser_url)
    yield reading
    reading.stop()


@pytest.fixture(scope="session")
def emptying(superuser_url: str) -> Iterator[Emptying]:
    emptying = Emptying(superuser_url)
    yield emptying
    emptying.connection.close()


@pytest.fixture
def app(shared_app: Flask, emptying: Emptying, census: Census) -> Iterator[Flask]:
    """The app, with empty tables and an empty Redis. What it executes must be what a cluster executes, too."""
    emptying.run()
    outside = shared_app.extensions["outside"]
    meta = outside.graph
    with shared_app.app_context():
        outside.redis.flushdb()
        Job.redis_is_down_until = 0.0
        yield shared_app
    outside.graph = meta
    assert census.take() == []


@pytest.fixture
def enqueued(app: Flask) -> Enqueued:
    """The jobs that wait in Redis."""
    return Enqueued(app)


@pytest.fixture(scope="session")
def worlds(shared_app: Flask, emptying: Emptying, census: Census) -> Worlds:
    with shared_app.app_context():
        return Worlds(emptying)


@pytest.fixture
def world(app: Flask, worlds: Worlds) -> World:
    """Ann owns Bakery and Ben works there; Sue owns Shoes, next door. Pat runs the platform."""
    return worlds.another()


@pytest.fixture
def browser(app: Flask) -> Browser:
    """Somebody without a session."""
    return Browser(app)


@pytest.fixture
def ann(app: Flask, world: World) -> Browser:
    """The owner of Bakery, signed in."""
    return Browser(app, tenant="bakery").signed_in_as(world.ann)


@pytest.fixture
def ben(app: Flask, world: World) -> Browser:
    """An agent of Bakery, signed in. He may not manage the team or the numbers."""
    return Browser(app, tenant="bakery").signed_in_as(world.ben)


@pytest.fixture
def sue(app: Flask, world: World) -> Browser:
    """The stranger: owner of Shoes, signed in, looking at Bakery's pages."""
    return Browser(app, tenant="bakery").signed_in_as(world.sue)


@pytest.fixture
def pat(app: Flask, world: World) -> Browser:
    """A platform admin, signed in to the console."""
    return Browser(app).signed_in_as(world.pat)


@pytest.fixture
def own_cards(app: Flask, superuser_url: str) -> Iterator[None]:
    """The cards that a test loads are gone after it; those of the product stay."""
    with platform_scope("tests"):
        existing = list(db.session.scalars(select(RateCard.id)))
    yield
    with psycopg.connect(superuser_url) as connection:
        parts = [(table, "rate_card_id") for table in ("rates", "tier_rates", "market_codes")]
        for table, column in (*parts, ("rate_cards", "id")):
            connection.execute(f"delete from {table} where not {column} = any(%s)", (existing,))
