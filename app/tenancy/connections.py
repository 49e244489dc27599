"""Connections to Postgres: how many, how they are waited for, and whether one of the pool is still open."""

from __future__ import annotations

import sys
import time
from typing import Any

from psycopg import OperationalError, waiting
from sqlalchemy import Engine, event
from sqlalchemy.exc import InvalidatePoolError

from app.config import Settings
from app.sockets import POSTGRES

# What a statement was given is never in an error's words, and so never in a log.
ENGINE: dict[str, Any] = {
    "pool_size": 40,
    "max_overflow": 0,
    "pool_use_lifo": True,
    "pool_timeout": 5,
    "hide_parameters": True,
    "connect_args": POSTGRES,
}
# After how many idle seconds a connection has to answer before it is used again.
TRUSTED_SECONDS = 1.0


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
        if time.monotonic() - record.info["used_at"] > TRUSTED_SECONDS:
            connection.execute("select 1")
            connection.rollback()
    except OperationalError as error:
        raise InvalidatePoolError from error
