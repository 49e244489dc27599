"""`flask distribute` puts every table in its place, on a Postgres that plays Citus: as strict about the order."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import pytest
from flask import Flask
from sqlalchemy import Connection, NullPool, create_engine, text

from app.platform.doctor.checks import CheckFailed
from app.platform.doctor.here import cluster as look_at_cluster
from app.tenancy import driver
from app.tenancy.cluster import Cluster, NotACluster, kinds_of_tables
from tests.world import World

# What Citus answers to, of all it has; a table with a key to one that has no place yet is refused, as there.
CITUS = """
    create table pg_dist_partition (logicalrelid regclass primary key, partmethod "char", repmodel "char");
    create function put(t regclass, method "char", replication "char") returns void language plpgsql as $$
    begin
        if exists (select from pg_constraint where contype = 'f' and t in (conrelid, confrelid)) then
            raise 'cannot create foreign key constraint since foreign keys from % are not supported', t;
        end if;
        if (select relforcerowsecurity and pg_relation_size(oid) > 0 from pg_class where oid = t) then
            raise 'COPY FROM not supported with row-level security';
        end if;
        insert into pg_dist_partition values (t, method, replication);
    end $$;
    create function create_reference_table(t regclass) returns void language sql as $$ select put(t, 'n', 't') $$;
    create function citus_add_local_table_to_metadata(t regclass) returns void language sql
        as $$ select put(t, 'n', 's') $$;
    create function create_distributed_table(t regclass, c text, colocate_with text) returns void language plpgsql
    as $$
    begin
        if colocate_with = 'default' and exists (select from pg_dist_partition where partmethod = 'h') then
            raise '% would not be on the same machine as the others of its tenant', t;
        end if;
        perform put(t, 'h', 's');
    end $$;
    set citus.propagate_set_commands = 'none';
"""
KEYS = """
    select conrelid::regclass::text, conname, replace(pg_get_constraintdef(oid), ' NOT VALID', '')
    from pg_constraint where contype = 'f' order by 1, 2
"""


@pytest.fixture
def postgres(app: Flask, superuser_url: str) -> Iterator[Connection]:
    """A connection of which nothing stays."""
    engine = create_engine(driver(superuser_url), poolclass=NullPool)
    with engine.connect() as connection:
        yield connection
        connection.rollback()


@pytest.fixture
def citus(postgres: Connection) -> Connection:
    postgres.execute(text(CITUS.replace(":", "\\:")))
    return postgres


def test_every_table_has_its_place_and_every_key_is_there_again(citus: Connection) -> None:
    keys = citus.execute(text(KEYS)).all()
    cluster = Cluster(citus)
    incoming = list(cluster.distribute())
    assert cluster.present == kinds_of_tables() and cluster.missing == []
    assert citus.execute(text(KEYS)).all() == keys
    assert cluster.propagates_settings and "messages: distributed" in incoming and "users: reference" in incoming


def test_sessions_stay_on_one_machine_and_are_in_no_key_of_tenants_rows(citus: Connection) -> None:
    cluster = Cluster(citus)
    list(cluster.distribute())
    single = (
        "user_sessions",
        "platform_admins",
        "password_resets",
        "sign_in_attempts",
        "webhook_events",
        "held_changes",
    )
    assert {cluster.present[name] for name in single} == {"local"}


@pytest.mark.parametrize("steps", [1, 40, 110, 150])
def test_what_was_broken_off_goes_on_where_it_stopped(citus: Connection, steps: int) -> None:
    keys = citus.execute(text(KEYS)).all()
    list(islice(Cluster(citus).distribute(), steps))
    list(Cluster(citus).distribute())
    assert Cluster(citus).missing == [] and citus.execute(text(KEYS)).all() == keys


def test_tables_that_hold_rows_are_distributed_and_row_security_is_forced_again(
    world: World, citus: Connection
) -> None:
    list(Cluster(citus).distribute())
    assert Cluster(citus).missing == []
    query = (
        "select relforcerowsecurity from pg_class where oid in ('tenants'\\:\\:regclass, 'memberships'\\:\\:regclass)"
    )
    assert citus.scalars(text(query)).all() == [True, True]


def test_the_second_time_there_is_nothing_to_do(citus: Connection) -> None:
    list(Cluster(citus).distribute())
    assert list(Cluster(citus).distribute()) == []


def test_a_table_that_came_with_a_later_release_is_missing_until_it_is_distributed(citus: Connection) -> None:
    list(Cluster(citus).distribute())
    citus.execute(text("delete from pg_dist_partition where logicalrelid = 'macros'\\:\\:regclass"))
    assert Cluster(citus).missing == ["macros"]
    assert "macros: distributed" in list(Cluster(citus).distribute())


def test_a_postgres_without_citus_is_left_alone_with_the_reason(app: Flask, postgres: Connection) -> None:
    result = app.test_cli_runner().invoke(args=["distribute"])
    assert result.exit_code == 1 and "no Citus, so nothing was changed" in result.output
    with pytest.raises(NotACluster):
        Cluster(postgres)


def test_the_doctor_says_that_it_is_one_postgres(app: Flask) -> None:
    assert look_at_cluster.look() == "Postgres"


def test_the_doctor_names_tables_that_are_in_no_cluster(citus: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.tenancy.db.session.connection", lambda: citus)
    with pytest.raises(CheckFailed, match="messages") as failed:
        look_at_cluster.look()
    assert "flask distribute" in failed.value.fix
    list(Cluster(citus).distribute())
    assert look_at_cluster.look().startswith("Citus")
