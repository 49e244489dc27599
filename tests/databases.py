"""Where the tests' tables are: in a Postgres that they start, a copy for each worker; or in one that is given.

DATABASE_URL, PLATFORM_DATABASE_URL, MIGRATIONS_DATABASE_URL and SUPERUSER_DATABASE_URL give one: a database of the
tests' own, which they empty. It may be a Citus cluster; it is not cloned, so the tests run one after the other.
REDIS_URL gives a Redis. POOLED=1 puts PgBouncer before the app's two roles. MIGRATED_POSTGRES is the folder of a
Postgres that was migrated before, of which a copy is started (`make bugs`).
"""

from __future__ import annotations

import atexit
import contextlib
import os
import pathlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import NullPool, create_engine, make_url

from app import create_app
from app.bootstrap import bootstrap
from app.config import Settings
from app.tenancy import Base, driver
from app.tenancy.cluster import Cluster, NotACluster
from dev import environment
from dev.services import FAST, PgBouncer, Postgres, Redis
from dev.stack import DATABASES, given_databases

SUPERUSER, MIGRATED = "SUPERUSER_DATABASE_URL", "MIGRATED_POSTGRES"
ROLES = ("switchboard_app", "switchboard_platform")
# What migrations fill, and no test changes permanently.
COMES_WITH_THE_PRODUCT = ("alembic_version", "rate_cards", "market_codes", "rates")


class OwnDatabases:
    """One Postgres and one Redis for the whole run; each worker has its own databases in them."""

    def __init__(self) -> None:
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="switchboard-tests-", dir="/tmp"))
        self.folder.chmod(0o755)
        # Also where pytest gives up before it says goodbye.
        atexit.register(self.stop)
        self.redis = None if "REDIS_URL" in os.environ else Redis().start()
        self.start()

    def start(self) -> None:
        migrated = os.environ.get(MIGRATED)
        if migrated:
            subprocess.run(["cp", "-a", migrated, self.folder / "pg"], check=True)
        self.postgres = Postgres(self.folder / "pg", settings=FAST).start()
        self.pooler = PgBouncer(self.postgres, ROLES).start() if os.environ.get("POOLED") else None
        if not migrated:
            migrate(self.settings("template", 0, is_pooled=False), self.postgres.url())

    def settings(self, database: str, redis_database: int, *, is_pooled: bool = True) -> dict[str, str]:
        urls = environment.database_urls(self.postgres.url, database)
        if not (self.pooler and is_pooled):
            return self.with_urls(urls, redis_database)
        pooled = environment.database_urls(self.pooler.url, database)
        settings = self.with_urls(pooled | {"MIGRATIONS_DATABASE_URL": urls["MIGRATIONS_DATABASE_URL"]}, redis_database)
        return settings | {"DATABASE_POOLED": "1"}

    def with_urls(self, databases: dict[str, str], redis_database: int) -> dict[str, str]:
        return environment.settings(
            databases,
            self.redis.url(redis_database) if self.redis else os.environ["REDIS_URL"],
            public_url="http://localhost",
            simulator_url="http://127.0.0.1:9",
            folder=str(self.folder / f"files-{redis_database}"),
            seed="tests",
        )

    def prepare(self, worker: str) -> tuple[dict[str, str], str]:
        """A worker's own database: the app's settings for it, and its superuser's address."""
        database = f"tests_{worker}"
        number = int(worker.removeprefix("gw")) + 1 if worker.startswith("gw") else 1
        clone(self.postgres.url(), database)
        return self.settings(database, number), self.postgres.url(database=database)

    def stop(self) -> None:
        for service in (getattr(self, name, None) for name in ("pooler", "postgres", "redis")):
            if service:
                service.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


@contextlib.contextmanager
def migrated_postgres() -> Iterator[str]:
    """The folder of a migrated Postgres that does not run: what MIGRATED_POSTGRES names."""
    databases = OwnDatabases()
    databases.postgres.stop()
    try:
        yield str(databases.postgres.data)
    finally:
        databases.stop()


def clone(superuser_url: str, database: str) -> None:
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        connection.execute(f"drop database if exists {database} with (force)")
        connection.execute(f"create database {database} template template strategy file_copy")
        connection.execute(f"alter database {database} owner to switchboard_owner")


def another(prepared: tuple[dict[str, str], str], database: str) -> dict[str, str]:
    """Beside a worker's own database one more, with this name: the addresses of its three roles."""
    clone(prepared[1], database)
    urls = {name: make_url(prepared[0][name]).set(database=database) for name in DATABASES}
    return {name: url.render_as_string(hide_password=False) for name, url in urls.items()}


class GivenDatabase(OwnDatabases):
    """A database that was there before, perhaps a cluster; its tables are distributed where it is one."""

    def start(self) -> None:
        self.pooler = None
        self.urls = given_databases()
        if SUPERUSER not in os.environ:
            raise pytest.UsageError(f"{SUPERUSER} is missing: the tests empty tables that no role of ours may empty.")
        migrate(self.settings("", 0), os.environ[SUPERUSER])

    def settings(self, database: str, redis_database: int, *, is_pooled: bool = True) -> dict[str, str]:
        pooled = {"DATABASE_POOLED": "1"} if os.environ.get("DATABASE_POOLED") else {}
        return self.with_urls(self.urls, redis_database) | pooled

    def prepare(self, worker: str) -> tuple[dict[str, str], str]:
        if worker != "main":
            raise pytest.UsageError("A given database cannot be cloned for several workers: run pytest without -n.")
        return self.settings("", 1), os.environ[SUPERUSER]


def databases() -> OwnDatabases:
    return GivenDatabase() if given_databases() else OwnDatabases()


def migrate(environ: dict[str, str], superuser_url: str) -> None:
    from flask_migrate import upgrade

    settings = Settings.from_environment(environ)
    bootstrap(superuser_url, settings)
    with create_app(settings).app_context():
        upgrade()
    engine = create_engine(driver(settings.migrations_database_url), poolclass=NullPool)
    with engine.connect() as connection, contextlib.suppress(NotACluster):
        for _ in Cluster(connection).distribute():
            connection.commit()


class Emptying:
    """Empties the tables between tests, over one connection: a new one has yet to read the catalogue."""

    def __init__(self, superuser_url: str) -> None:
        self.connection = psycopg.connect(superuser_url, autocommit=True)
        row = self.connection.execute("select to_regclass('pg_dist_partition')").fetchone()
        self.is_cluster = row != (None,)
        if not self.is_cluster:
            # Skips the foreign keys' triggers. Set for each time instead, it would have every statement planned anew.
            self.connection.execute("set session_replication_role = replica")
            self.connection.execute(EMPTY.format(sql.SQL(" ").join(map(emptied, self.tables()))))

    def run(self) -> None:
        if self.is_cluster:
            self.empty_in_order()
        else:
            self.connection.execute("select pg_temp.empty()")

    def tables(self) -> list[str]:
        """Ours, and not an extension's; without what comes with the product."""
        return [name for (name,) in self.connection.execute(TABLES, (list(COMES_WITH_THE_PRODUCT),))]

    def empty_in_order(self) -> None:
        """On a cluster, whose machines check keys by themselves: what refers to others first."""
        for table in reversed(Base.metadata.sorted_tables):
            name = sql.Identifier(table.name)
            holds = self.connection.execute(sql.SQL("select exists (select 1 from {})").format(name)).fetchone()
            if table.name not in COMES_WITH_THE_PRODUCT and holds == (True,):
                self.connection.execute(emptied(table.name))


def emptied(table: str) -> sql.Composed:
    return sql.SQL("delete from {};").format(sql.Identifier(table))


# A partition is emptied with the table that it is a part of.
TABLES = """
    select relname from pg_class c
    where relkind in ('r', 'p') and not relispartition
      and relnamespace = 'public'::regnamespace and relname <> all(%s)
      and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')
    order by relname
"""
# A function's statements are planned once: 1 ms for all tables, where a truncate takes fifty.
EMPTY = sql.SQL("create function pg_temp.empty() returns void language plpgsql as $$ begin {} end $$")
