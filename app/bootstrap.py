"""Creates the database and its three roles, once, as a superuser: `flask bootstrap --superuser-url …`.

None of the roles is a superuser and none bypasses row security: the owner runs migrations, the app serves one tenant
at a time, the platform sees all.
"""

from __future__ import annotations

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from app.config import Settings

ROLES = ("switchboard_owner", "switchboard_app", "switchboard_platform")


def bootstrap(superuser_url: str, settings: Settings) -> None:
    """Safe to repeat: existing roles and the database stay, passwords and the owner are set again."""
    urls = (settings.migrations_database_url, settings.database_url, settings.platform_database_url)
    database = str(conninfo_to_dict(settings.database_url)["dbname"])
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        for role, url in zip(ROLES, urls, strict=True):
            create_role(connection, role, conninfo_to_dict(url).get("password"))
        # The platform works inside a tenant by becoming the app's role; data steps of migrations become the platform's.
        connection.execute("grant switchboard_app to switchboard_platform")
        connection.execute("grant switchboard_platform to switchboard_owner")
        create_database(connection, database)


def create_role(connection: psycopg.Connection, role: str, password: object) -> None:
    existing = connection.execute("select 1 from pg_roles where rolname = %s", (role,)).fetchone()
    verb = sql.SQL("alter" if existing else "create")
    secret = sql.SQL(" password {}").format(sql.Literal(str(password))) if password else sql.SQL("")
    rights = sql.SQL("login nosuperuser nobypassrls nocreatedb nocreaterole")
    name = sql.Identifier(role)
    connection.execute(verb + sql.SQL(" role {} ").format(name) + rights + secret)
    # What looks costly to the planner takes milliseconds here; compiling it first takes up to a second.
    connection.execute(sql.SQL("alter role {} set jit = off").format(name))


def create_database(connection: psycopg.Connection, database: str) -> None:
    name = sql.Identifier(database)
    if connection.execute("select 1 from pg_database where datname = %s", (database,)).fetchone():
        connection.execute(sql.SQL("alter database {} owner to switchboard_owner").format(name))
    else:
        connection.execute(sql.SQL("create database {} owner switchboard_owner template template0").format(name))
    connection.execute(sql.SQL("revoke all on database {} from public").format(name))
    connection.execute(sql.SQL("grant connect on database {} to switchboard_app, switchboard_platform").format(name))
