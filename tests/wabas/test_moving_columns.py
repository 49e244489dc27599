"""The pace and the desk of a number leave its row and come back to it, with what they hold."""

from __future__ import annotations

import importlib.util
import pathlib
from collections.abc import Iterator
from types import ModuleType

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, create_engine, text

from app.config import Settings
from app.inbox.conversations.number_desks import NumberDesk
from app.inbox.outbound.pace import NumberPace
from app.tenancy import db, driver, tenant_scope
from tests.world import World

MIGRATIONS = pathlib.Path("migrations")
SETTINGS = "select read_receipts, team_id from {} order by read_receipts"


@pytest.fixture
def schema(settings: Settings) -> Iterator[Connection]:
    """The database as a migration sees it; nothing of it stays."""
    engine = create_engine(driver(settings.migrations_database_url))
    with engine.connect() as connection, Operations.context(MigrationContext.configure(connection)):
        yield connection
        connection.rollback()
    engine.dispose()


@pytest.fixture
def migrations(monkeypatch: pytest.MonkeyPatch) -> list[ModuleType]:
    """The two newest that touch numbers, the older one first."""
    monkeypatch.syspath_prepend(str(MIGRATIONS))
    modules = []
    for name in ("number_paces_and_desks", "onboarding"):
        (path,) = (MIGRATIONS / "versions").glob(f"*_{name}.py")
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec and spec.loader
        modules.append(importlib.util.module_from_spec(spec))
        spec.loader.exec_module(modules[-1])
    return modules


def as_platform(connection: Connection, query: str) -> list[tuple[object, ...]]:
    connection.execute(text("set local role switchboard_platform"))
    rows = [tuple(row) for row in connection.execute(text(query))]
    connection.execute(text("set local role none"))
    return rows


def test_what_was_set_survives_the_way_down_and_up(
    world: World, schema: Connection, migrations: list[ModuleType]
) -> None:
    number, other = world.connect_numbers()
    with tenant_scope(world.bakery.id):
        NumberDesk.change(number.id, team=None, read_receipts="never")
        db.session.add(NumberPace(id=number.id, slowdown=0.5))
    for migration in reversed(migrations):
        migration.downgrade()
    assert as_platform(schema, SETTINGS.format("phone_numbers")) == [("always", None), ("never", None)]
    assert as_platform(schema, "select slowdown, messages_per_second from phone_numbers order by 1") == [
        (0.5, 80),
        (1.0, 80),
    ]
    for migration in migrations:
        migration.upgrade()
    assert as_platform(schema, SETTINGS.format("number_desks")) == [("never", None)]
    assert as_platform(schema, f"select slowdown from number_paces where id = '{number.id}'") == [(0.5,)]
    assert as_platform(schema, f"select slowdown from number_paces where id = '{other.id}'") == [(1.0,)]


def test_the_words_of_a_stopped_step_have_their_meaning(
    world: World, schema: Connection, migrations: list[ModuleType]
) -> None:
    onboarding = migrations[-1]
    onboarding.downgrade()
    tenant, attempt, step = world.bakery.id, world.bakery.id, world.bakery.id
    outcome = '{"title": "No", "said": "(#200)", "mender": "us"}'
    as_platform(
        schema,
        "insert into onboardings (tenant_id, id, state, claims, stopped_at, created_at, fence) "
        f"values ('{tenant}', '{attempt}', 'failed', '{{}}', '', now(), 0) returning 1",
    )
    as_platform(
        schema,
        "insert into onboarding_steps (tenant_id, id, onboarding_id, name, position, state, attempts, "
        f"outcome, retried_by) values ('{tenant}', '{step}', '{attempt}', 'x', 0, 'failed', 1, '{outcome}', '')"
        " returning 1",
    )
    onboarding.upgrade()
    assert as_platform(schema, "select outcome ->> 'details', outcome ->> 'owner' from onboarding_steps") == [
        ("(#200)", "platform")
    ]
