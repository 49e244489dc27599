"""What a web process does before its first request: it opens connections, and runs on each what most requests run.

A new connection costs 60 ms of CPU, here and in Postgres, until its statements are prepared and its backend knows the
tables. A burst right after a start would open dozens at once, and wait for seconds.
"""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Callable

import structlog
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.extensions import outside

from .database import db
from .transactions import tenant_scope

log = structlog.get_logger()

CONNECTIONS = 8
# psycopg prepares what it is given a sixth time, and Postgres plans that five times before it keeps the plan.
TIMES = 12
# No start waits longer for a Postgres that is slow, or for a statement that waits for a migration's lock.
MOST_SECONDS = 3.0
SET_TIMEOUT = text("set local statement_timeout = '3s'")
# A tenant that no one is: under its row security nothing is found, and nothing can be locked.
NO_TENANT = uuid.UUID(int=0)
WARMERS: list[Callable[[], object]] = []


def warmer(function: Callable[[], object]) -> Callable[[], object]:
    """Has the decorated function called on each connection that is opened at the start. It only reads."""
    WARMERS.append(function)
    return function


def warm_up(app: Flask) -> None:
    """Without Postgres it does nothing: the process starts all the same, and is ready once there is one.

    Nor behind a pooler: so many transactions at once might wait for each other's servers, and none has statements.
    """
    if outside(app).settings.database_pooled:
        return
    end = time.monotonic() + MOST_SECONDS
    with app.app_context(), contextlib.suppress(SQLAlchemyError):
        # Each scope has a connection of its own until all are warm.
        with contextlib.ExitStack() as scopes:
            for opened in range(CONNECTIONS):
                scopes.enter_context(tenant_scope(NO_TENANT))
                db.session.execute(SET_TIMEOUT)
                if not is_warm_by(end):
                    log.warning("Postgres is slow", connections=opened)
                    return
        log.info("connections opened", connections=CONNECTIONS)


def is_warm_by(end: float) -> bool:
    for _ in range(TIMES):
        for run in WARMERS:
            run()
        if time.monotonic() > end:
            return False
    return True
