"""Connections to Postgres: how many, how they are waited for, and whether one of the pool is still open."""

from __future__ import annotations

import sys
import time
from typing import Any, Self

import psycopg
from psycopg import OperationalError, waiting
from sqlalchemy import Engine, event
from sqlalchemy.exc import InvalidatePoolError

from app.config import Settings
from app.sockets import POSTGRES

# After how many idle seconds a connection has to answer before it is used again.
TRUSTED_SECONDS = 1.0
IS_CLUSTER = "select to_regproc('run_command_on_workers') is not null"
# Statements of one connection that Postgres has planned: all pages together run about 200.
MOST_PREPARED = 300
# Statements of one connection whose columns are remembered; longer ones are of many rows, and seldom the same again.
MOST_DESCRIBED, LONGEST_DESCRIBED = 500, 20_000


class Cursor(psycopg.Cursor[Any]):
    """Describes the columns of a result once for each statement of a connection.

    SQLAlchemy asks after every statement, looks only whether there are any, and remembers the rest itself. For a send
    by API that made 138 objects, a tenth of its CPU.
    """

    statement: Any = None

    def execute(self, query: Any, params: Any = None, **options: Any) -> Self:
        # What is composed has no hash; it is described each time.
        self.statement = query if isinstance(query, str) and len(query) <= LONGEST_DESCRIBED else None
        return super().execute(query, params, **options)

    def executemany(self, query: Any, params_seq: Any, **options: Any) -> None:
        self.statement = None
        super().executemany(query, params_seq, **options)

    def stream(self, query: Any, params: Any = None, **options: Any) -> Any:
        self.statement = None
        return super().stream(query, params, **options)

    def copy(self, statement: Any, params: Any = None, **options: Any) -> Any:
        self.statement = None
        return super().copy(statement, params, **options)

    def nextset(self) -> bool | None:
        # The further results of several statements at once have other columns.
        self.statement = None
        return super().nextset()

    @property
    def description(self) -> list[psycopg.Column] | None:
        if self.statement is None or self.pgresult is None or not (count := self.pgresult.nfields):
            return super().description
        described: dict[Any, list[psycopg.Column] | None] = vars(self.connection).setdefault("described", {})
        # A statement that asks for `*` gets more columns after a migration.
        key = self.statement, count
        if key not in described:
            if len(described) >= MOST_DESCRIBED:
                described.clear()
            described[key] = super().description
        return described[key]


# What a statement was given is never in an error's words, and so never in a log.
ENGINE: dict[str, Any] = {
    "pool_size": 40,
    "max_overflow": 0,
    "pool_use_lifo": True,
    "pool_timeout": 5,
    "hide_parameters": True,
    # Its transactions are begun by `transactions.begin`, for a tenant or none.
    "execution_options": {"tenant_id": None},
    "connect_args": POSTGRES | {"cursor_factory": Cursor, "autocommit": True},
}


def engine_options(settings: Settings) -> dict[str, Any]:
    """Behind a pooler each transaction may have another connection, which knows no prepared statement of ours."""
    if not settings.database_pooled:
        return ENGINE
    return ENGINE | {"connect_args": ENGINE["connect_args"] | {"prepare_threshold": None}}


def wait_in_greenlet(gen: Any, fileno: int, interval: float = 0.0, timeout: float | None = None) -> Any:
    """Runs one of psycopg's generators on gevent's loop: half the CPU of psycopg's own way, which is to `poll`."""
    if timeout is not None:
        return waiting.wait_poll(gen, fileno, interval, timeout)
    hub = sys.modules["gevent"].get_hub()
    try:
        wanted = next(gen)
        while True:
            watcher = hub.loop.io(fileno, wanted)
            try:
                hub.wait(watcher)
            finally:
                watcher.close()
            # libpq tries whatever it may, without blocking.
            wanted = gen.send(wanted)
    except StopIteration as ended:
        return ended.value


# Workers are not patched, nor is a web process that something else than gunicorn runs.
if (monkey := sys.modules.get("gevent.monkey")) and monkey.is_module_patched("select"):
    waiting.wait = wait_in_greenlet


@event.listens_for(Engine, "connect")
def set_up(connection: Any, record: Any) -> None:
    connection.prepared_max = MOST_PREPARED
    # Only ours; another engine's, such as that of a migration, would be left in a transaction.
    if connection.autocommit:
        record.info["is_cluster"] = connection.execute(IS_CLUSTER).fetchone()[0]


@event.listens_for(Engine, "connect")
@event.listens_for(Engine, "checkin")
def note_use(_connection: Any, record: Any) -> None:
    record.info["used_at"] = time.monotonic()


@event.listens_for(Engine, "checkout")
def check_open(connection: Any, record: Any, _proxy: Any) -> None:
    """Has the pool connect anew if the server has closed the connection, or does not answer after a while."""
    try:
        # What lies in the socket of an idle connection is the server's last message, and then the end.
        for _ in range(2):
            connection.pgconn.consume_input()
        # With no transaction: to roll one back would make it forget every statement that it has prepared.
        if time.monotonic() - record.info["used_at"] > TRUSTED_SECONDS:
            connection.execute("select 1")
    except OperationalError as error:
        raise InvalidatePoolError from error
