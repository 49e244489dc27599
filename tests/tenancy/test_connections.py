"""Connections of the pool: those that Postgres has closed are replaced, and how greenlets wait for it."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import psycopg
import pytest
from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.exc import InternalError

from app.tenancy import commit, connections, db, tenant_scope
from tests.client import Browser
from tests.world import World

CLOSE = "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s and usename = 'switchboard_app'"
# What a process of gunicorn does, as gevent patches it.
PATCHED = """
from gevent import monkey; monkey.patch_all()
import os, gevent, psycopg
from app.tenancy import connections
from psycopg import waiting
assert waiting.wait is connections.wait_in_greenlet

def ask(value):
    with psycopg.connect(os.environ["DSN"]) as connection:
        return connection.execute("select %s::int, pg_sleep(0.3), repeat('x', 3000000)", [value]).fetchone()

asking = [gevent.spawn(ask, value) for value in range(5)]
answers = [one.get() for one in asking]
assert [(row[0], len(row[2])) for row in answers] == [(value, 3_000_000) for value in range(5)]
try:
    psycopg.connect(os.environ["DSN"]).execute("select 1 / 0")
except psycopg.errors.DivisionByZero:
    print("as expected")
"""


def close_all(superuser_url: str, database: str) -> None:
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        connection.execute(CLOSE, [database])
    time.sleep(0.2)


@pytest.mark.parametrize("trusted_seconds", [0.0, 60.0])
def test_connections_that_postgres_closed_are_replaced(
    world: World, superuser_url: str, monkeypatch: pytest.MonkeyPatch, trusted_seconds: float
) -> None:
    monkeypatch.setattr(connections, "TRUSTED_SECONDS", trusted_seconds)
    with tenant_scope(world.bakery.id):
        database = db.session.scalar(text("select current_database()"))
    close_all(superuser_url, database)
    with tenant_scope(world.bakery.id):
        assert db.session.scalar(text("select 1")) == 1


def test_a_connection_that_was_idle_still_has_its_plans(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "TRUSTED_SECONDS", 0.0)
    for _ in range(8):
        with tenant_scope(world.bakery.id):
            db.session.scalar(text("select 'again'"))
    with tenant_scope(world.bakery.id):
        planned = db.session.scalars(text("select statement from pg_prepared_statements")).all()
    # Behind a pooler nothing is prepared: the next transaction may have another of its connections.
    assert ("select 'again'" in planned) is ("POOLED" not in os.environ)


def test_a_transaction_is_of_its_sessions_tenant_whatever_scope_is_innermost(world: World) -> None:
    ours = text("select nullif(current_setting('app.tenant_id', true), '')::uuid")
    with tenant_scope(world.bakery.id):
        session = db.session()
        with tenant_scope(world.shoes.id):
            assert (session.scalar(ours), db.session.scalar(ours)) == (world.bakery.id, world.shoes.id)


@pytest.mark.parametrize(("is_cluster", "round_trips"), [(False, 1), (True, 2)])
def test_a_cluster_gets_the_tenant_in_a_statement_of_its_own(world: World, is_cluster: bool, round_trips: int) -> None:
    """Else its workers would get the `begin` before it, too."""
    with tenant_scope(world.bakery.id):
        connection = db.session.connection()
        connection.info["is_cluster"] = is_cluster
        commit()
        statements: list[str] = []
        event.listen(connection.engine, "before_cursor_execute", lambda *call: statements.append(call[2]))
        assert db.session.scalar(text("select current_setting('app.tenant_id')")) == str(world.bakery.id)
        assert len(statements) == round_trips + 1
        db.session.connection().info["is_cluster"] = False


def test_what_a_pooler_makes_of_a_lost_server_is_an_outage_too(ann: Browser) -> None:
    def lose(_connection: Connection) -> None:
        raise InternalError("commit", {}, psycopg.InternalError("received 2 results from command 'COMMIT'"))

    event.listen(Engine, "commit", lose)
    try:
        answer = ann.get("/t/bakery/contacts/")
    finally:
        event.remove(Engine, "commit", lose)
    assert answer.status_code == 503 and "briefly unavailable" in answer.text


def test_a_request_that_cannot_be_committed_is_answered_with_a_page(ann: Browser, superuser_url: str) -> None:
    commits: list[Connection] = []
    last = 0

    def lose(connection: Connection) -> None:
        commits.append(connection)
        if len(commits) == last:
            close_all(superuser_url, connection.engine.url.database or "")

    ann.get("/t/bakery/contacts/")
    event.listen(Engine, "commit", lose)
    try:
        ann.get("/t/bakery/contacts/")
        last = 2 * len(commits)
        answer = ann.get("/t/bakery/contacts/")
    finally:
        event.remove(Engine, "commit", lose)
    assert answer.status_code == 503 and "briefly unavailable" in answer.text
    assert "default-src" in answer.headers["Content-Security-Policy"]
    assert ann.get("/t/bakery/contacts/").status_code == 200


def test_greenlets_wait_for_postgres_beside_each_other(superuser_url: str) -> None:
    environ = os.environ | {"DSN": superuser_url}
    child = subprocess.run(
        [sys.executable, "-c", PATCHED], check=False, env=environ, capture_output=True, text=True, timeout=300
    )
    assert child.stdout.strip() == "as expected", child.stderr[-2000:]
