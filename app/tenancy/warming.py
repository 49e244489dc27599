"""What a web process does before its first request: it opens connections, and runs on each what most requests run.

A new connection costs 60 ms of CPU, here and in Postgres, until its statements are prepared and its backend knows the
tables. A burst right after a start would open dozens at once, and wait for seconds.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable

import structlog
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from .transactions import tenant_scope

log = structlog.get_logger()

CONNECTIONS = 8
# psycopg prepares what it is given a sixth time, and Postgres plans that five times before it keeps the plan.
TIMES = 12
# A tenant that no one is: under its row security nothing is found, and nothing can be locked.
NO_TENANT = uuid.UUID(int=0)
WARMERS: list[Callable[[], object]] = []


def warmer(function: Callable[[], object]) -> Callable[[], object]:
    """Has the decorated function called on each connection that is opened at the start. It only reads."""
    WARMERS.append(function)
    return function


def warm_up(app: Flask) -> None:
    """Without Postgres it does nothing: the process starts all the same, and is ready once there is one."""
    with app.app_context(), contextlib.suppress(SQLAlchemyError):
        # Each scope has a connection of its own until all are warm.
        with contextlib.ExitStack() as scopes:
            for _ in range(CONNECTIONS):
                scopes.enter_context(tenant_scope(NO_TENANT))
                for _ in range(TIMES):
                    for run in WARMERS:
                        run()
        log.info("connections opened", connections=CONNECTIONS)
