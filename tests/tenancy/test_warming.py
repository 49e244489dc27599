"""What a web process does before its first request, and what its connections remember."""

from __future__ import annotations

import os
import time

import psycopg
import pytest
from sqlalchemy import text

from app.config import Settings
from app.tenancy import db, tenant_scope, warming
from app.tenancy.connections import Cursor
from app.tenancy.warming import CONNECTIONS, warm_up
from tests.apps import running
from tests.world import World

PREPARED = "select count(*) from pg_prepared_statements where statement like '%FROM conversations%FOR %UPDATE%'"


@pytest.mark.skipif("POOLED" in os.environ, reason="behind a pooler a connection knows no statement of ours")
def test_a_process_begins_with_open_connections_that_know_their_statements(settings: Settings, world: World) -> None:
    with running(settings) as app:
        warm_up(app)
        with app.app_context():
            assert db.engine.pool.checkedin() == CONNECTIONS  # type: ignore[attr-defined]
            with tenant_scope(world.bakery.id):
                assert db.session.scalar(text(PREPARED)) == 1


def test_a_process_starts_without_postgres(settings: Settings) -> None:
    unavailable = settings.model_copy(update={"database_url": "postgresql://nobody@127.0.0.1:1/nothing"})
    with running(unavailable) as app:
        warm_up(app)
        with app.app_context():
            assert db.engine.pool.checkedin() == 0  # type: ignore[attr-defined]


def test_behind_a_pooler_none_is_opened(settings: Settings) -> None:
    """So many transactions at once might each wait for a server that another has."""
    with running(settings.model_copy(update={"database_pooled": True})) as app:
        warm_up(app)
        with app.app_context():
            assert db.engine.pool.checkedin() == 0  # type: ignore[attr-defined]


def test_a_start_waits_for_no_migration(
    settings: Settings, superuser_url: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warming, "SET_TIMEOUT", text("set local statement_timeout = '100ms'"))
    with psycopg.connect(superuser_url) as migration, running(settings) as app:
        migration.execute("lock table conversations in access exclusive mode")
        began = time.monotonic()
        warm_up(app)
        assert time.monotonic() - began < 10


def test_other_results_have_their_own_columns(superuser_url: str) -> None:
    with psycopg.connect(superuser_url, cursor_factory=Cursor) as connection, connection.cursor() as cursor:
        names = [next(iter(cursor.execute("select 1 as one; select 2 as two").description or ())).name]
        while cursor.nextset():
            names += [column.name for column in cursor.description or ()]
        for _row in cursor.stream("select 3 as three"):
            names += [column.name for column in cursor.description or ()]
        assert names == ["one", "two", "three"]


def test_a_statement_for_everything_sees_a_column_that_was_added(superuser_url: str) -> None:
    with psycopg.connect(superuser_url, cursor_factory=Cursor, prepare_threshold=None) as connection:
        connection.execute("create temporary table notebook (one int)")
        before = connection.execute("select * from notebook").description
        connection.execute("alter table notebook add column two int")
        after = connection.execute("select * from notebook").description
        assert before and after and [column.name for column in after] == ["one", "two"] and len(before) == 1
