"""Real Postgres and Redis for every test, and a small named world (tests/world.py)."""

from __future__ import annotations

import atexit
import pathlib
import shutil
import tempfile
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from flask import Flask

from app import create_app
from app.bootstrap import bootstrap
from app.config import Settings
from app.tenancy.queue import Job
from dev import environment
from dev.services import FAST, Postgres, Redis
from tests.apps import running
from tests.census import Census
from tests.client import Browser
from tests.enqueued import Enqueued
from tests.world import World

pytest_plugins = ["tests.simulated"]


class Stack:
    """One Postgres and one Redis for the whole run; each worker has its own databases in them."""

    def __init__(self) -> None:
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="switchboard-tests-", dir="/tmp"))
        self.folder.chmod(0o755)
        self.postgres = Postgres(self.folder / "pg", settings=FAST).start()
        self.redis = Redis().start()
        # Also where pytest gives up before it says goodbye.
        atexit.register(self.stop)
        self.migrate_template()

    def settings(self, database: str, redis_database: int) -> dict[str, str]:
        return environment.settings(
            environment.database_urls(self.postgres.url, database),
            self.redis.url(redis_database),
            public_url="http://localhost",
            simulator_url="http://127.0.0.1:9",
            folder=str(self.folder / database),
            seed="tests",
        )

    def migrate_template(self) -> None:
        from flask_migrate import upgrade

        settings = Settings.from_environment(self.settings("template", 0))
        bootstrap(self.postgres.url(), settings)
        with create_app(settings).app_context():
            upgrade()

    def copy_template(self, database: str) -> None:
        with psycopg.connect(self.postgres.url(), autocommit=True) as connection:
            connection.execute(f"drop database if exists {database} with (force)")
            connection.execute(f"create database {database} template template strategy file_copy")
            connection.execute(f"alter database {database} owner to switchboard_owner")

    def stop(self) -> None:
        self.postgres.stop()
        self.redis.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.stack = Stack()  # type: ignore[attr-defined]


def pytest_unconfigure(config: pytest.Config) -> None:
    if hasattr(config, "stack"):
        config.stack.stop()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    stack, worker = node.config.stack, node.workerinput["workerid"]
    number = int(worker.removeprefix("gw")) + 1
    stack.copy_template(f"tests_{worker}")
    node.workerinput["settings"] = stack.settings(f"tests_{worker}", number)
    node.workerinput["superuser_url"] = stack.postgres.url(database=f"tests_{worker}")


@pytest.fixture(scope="session")
def environ(pytestconfig: pytest.Config) -> dict[str, str]:
    """The settings of this worker's own databases."""
    if hasattr(pytestconfig, "workerinput"):
        return pytestconfig.workerinput["settings"]  # type: ignore[no-any-return]
    stack: Stack = pytestconfig.stack  # type: ignore[attr-defined]
    stack.copy_template("tests_main")
    return stack.settings("tests_main", 1)


@pytest.fixture(scope="session")
def superuser_url(pytestconfig: pytest.Config, environ: dict[str, str]) -> str:
    if hasattr(pytestconfig, "workerinput"):
        return pytestconfig.workerinput["superuser_url"]  # type: ignore[no-any-return]
    return pytestconfig.stack.postgres.url(database="tests_main")  # type: ignore[no-any-return,attr-defined]


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


@pytest.fixture
def app(shared_app: Flask, superuser_url: str, census: Census) -> Iterator[Flask]:
    """The app, with empty tables and an empty Redis. What it executes must be what a cluster carries out, too."""
    empty_tables(superuser_url)
    with shared_app.app_context():
        shared_app.extensions["outside"].redis.flushdb()
        Job.redis_is_away_until = 0.0
        yield shared_app
    assert census.take() == []


@pytest.fixture
def enqueued(app: Flask) -> Enqueued:
    """The jobs that wait in Redis."""
    return Enqueued(app)


@pytest.fixture
def world(app: Flask) -> World:
    """Ann owns Bakery and Ben works there; Sue owns Shoes, next door. Pat runs the platform."""
    return World.create()


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


# What migrations fill, and no test changes for good.
COMES_WITH_THE_PRODUCT = ("alembic_version", "rate_cards", "market_codes", "rates")


def empty_tables(superuser_url: str) -> None:
    with psycopg.connect(superuser_url) as connection:
        # Replica mode skips the foreign keys' triggers: a few milliseconds instead of a truncate's fifty.
        connection.execute("set local session_replication_role = replica")
        listed = connection.execute(
            "select relname from pg_class where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace"
            " and relname <> all(%s)",
            (list(COMES_WITH_THE_PRODUCT),),
        ).fetchall()
        for (table,) in listed:
            connection.execute(f'delete from "{table}"')
