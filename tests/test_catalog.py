"""What the database itself must say about every table: no tenant's rows without both policies."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from app.tenancy import db, tenant_scope
from tests.world import World

# Tables of no tenant, each with its reason.
SHORT_LIST = {
    "alembic_version": "which migrations have run",
    "automation_routes": "finds the tenant of an automation's address; holds hashes of secrets",
    "api_key_routes": "finds the tenant of an API key; holds hashes of secrets",
    "credit_line_readings": "what Meta said of the platform's own credit line",
    "email_confirmations": "addresses that no one has confirmed yet; they belong to no tenant",
    "entry_point_routes": "finds the tenant of a short link, which is on pages and signs without it",
    "held_changes": "changes that found no tenant, or could not be applied; only the platform reads them",
    "invitation_routes": "finds the tenant of an invitation's link",
    "market_codes": "of a rate card: which market a calling code belongs to",
    "meta_invoices": "what Meta invoices the platform for all businesses together",
    "meta_report_lines": "of a report of Meta's invoice; only the platform reads what Meta charges for others",
    "meta_reports": "the lines of Meta's invoice to the platform, for all businesses together",
    "meta_callbacks": "Facebook names a person, not a tenant; the app's role adds to it and reads it by its code",
    "partner_wabas": "accounts shared with us, known before a tenant is; only the platform reads them",
    "password_resets": "of a person, who may belong to several tenants",
    "pending_sign_ins": "of a person between password and code, who may belong to several tenants",
    "phone_number_routes": "finds the tenant of a webhook, and gives a number one owner",
    "platform_admins": "the people who run Switchboard belong to no tenant",
    "plans": "what the platform offers to every business; only the platform changes them",
    "rate_cards": "Meta's list prices are the same for everybody; only the platform adds to them, no one changes them",
    "rates": "of a rate card: what a message costs",
    "replays": "tries of the platform to apply held changes of any tenant",
    "second_step_changes": "of a person, who may belong to several tenants",
    "second_step_resets": "what platform admins ask for, about a person; only the platform reads them",
    "second_steps": "of a person, who may belong to several tenants",
    "sign_in_attempts": "counted before anybody is known",
    "tier_rates": "of a rate card: what a message costs beyond so many in a month",
    "stripe_events": "stored before anybody knows whose payment it is; the app's role may only add to it",
    "tenant_slugs": "finds the tenant of an address",
    "user_sessions": "of a person, who may belong to several tenants",
    "user_tenants": "finds the tenants of a person",
    "users": "a person may belong to several tenants and is found by email",
    "waba_routes": "finds the tenant of a webhook, and gives a WABA one owner",
    "webhook_events": "stored before anybody knows whose it is; the app's role may only add to it",
}


@pytest.fixture
def catalog(app: Flask, superuser_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(superuser_url) as connection:
        yield connection


# What an extension brings (Citus has views and types of its own) is not ours to judge.
OURS = "not exists (select from pg_depend d where d.objid = o.oid and d.deptype = 'e')"


def tables(catalog: psycopg.Connection) -> set[str]:
    query = "select relname from pg_class o where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace"
    return {name for (name,) in catalog.execute(f"{query} and {OURS}")}


def tenant_tables(catalog: psycopg.Connection) -> set[str]:
    return tables(catalog) - SHORT_LIST.keys()


def test_every_table_is_a_tenants_or_on_the_short_list(catalog: psycopg.Connection) -> None:
    query = "select table_name from information_schema.columns where column_name = 'tenant_id' and is_nullable = 'NO'"
    with_tenant = {name for (name,) in catalog.execute(query)}
    assert tenant_tables(catalog) - {"tenants"} <= with_tenant
    assert SHORT_LIST.keys() <= tables(catalog)


def test_every_tenant_table_has_row_security_forced(catalog: psycopg.Connection) -> None:
    query = "select relname from pg_class where relrowsecurity and relforcerowsecurity"
    assert tenant_tables(catalog) <= {name for (name,) in catalog.execute(query)}


def test_every_tenant_table_has_both_policies_with_a_check(catalog: psycopg.Connection) -> None:
    query = "select tablename, policyname, qual, with_check, roles::text from pg_policies"
    results = {(table, policy): (qual, check, roles) for table, policy, qual, check, roles in catalog.execute(query)}
    for table in tenant_tables(catalog):
        qual, check, roles = results[table, "one_tenant"]
        assert qual == check and "app.tenant_id" in qual and roles == "{switchboard_app}"
        assert results[table, "every_tenant"][2] == "{switchboard_platform}"


def test_every_key_begins_with_the_tenant(catalog: psycopg.Connection) -> None:
    query = """
        select c.relname, a.attname from pg_index i join pg_class c on c.oid = i.indrelid
        join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]
        where i.indisunique and c.relnamespace = 'public'::regnamespace"""
    mine = tenant_tables(catalog) - {"tenants"}
    assert {first for table, first in catalog.execute(query) if table in mine} == {"tenant_id"}


def test_every_foreign_key_between_tenant_tables_carries_the_tenant(catalog: psycopg.Connection) -> None:
    query = """
        select c.conrelid::regclass::text, c.confrelid::regclass::text, a.attname from pg_constraint c
        join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1] where c.contype = 'f'"""
    mine = tenant_tables(catalog) - {"tenants"}
    between = [row for row in catalog.execute(query) if row[0] in mine and row[1] in mine]
    assert between and all(first == "tenant_id" for *_, first in between)


def test_no_role_of_ours_passes_row_security(catalog: psycopg.Connection) -> None:
    query = """
        select rolname from pg_roles where rolname like 'switchboard%'
        and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb)"""
    assert catalog.execute(query).fetchall() == []


def test_the_app_owns_nothing_and_may_create_nothing(catalog: psycopg.Connection) -> None:
    owned = "select relname from pg_class join pg_roles r on r.oid = relowner where r.rolname = 'switchboard_app'"
    assert catalog.execute(owned).fetchall() == []
    may = "select has_schema_privilege('switchboard_app', 'public', 'create')"
    assert catalog.execute(may).fetchone() == (False,)


# Functions that read with the platform's eyes, each because row security would keep an index from being used.
DOORS = {
    "find_passages": "passages of knowledge by their words",
    "search_entries": "messages and notes by their words",
}


def test_there_are_no_views_to_look_through(catalog: psycopg.Connection) -> None:
    views = "select relname from pg_class o where relkind in ('v', 'm') and relnamespace = 'public'::regnamespace"
    assert catalog.execute(f"{views} and {OURS}").fetchall() == []


def test_the_doors_through_row_security_are_on_the_list_and_look_at_one_tenant(catalog: psycopg.Connection) -> None:
    query = """
        select proname, prosrc, proowner::regrole::text, proconfig::text, proacl::text from pg_proc o
        where prosecdef and pronamespace = 'public'::regnamespace"""
    results = {row[0]: row[1:] for row in catalog.execute(f"{query} and {OURS}")}
    assert results.keys() == DOORS.keys()
    for source, owner, settings, rights in results.values():
        assert "current_setting('app.tenant_id', true)" in source and owner == "switchboard_platform"
        assert "search_path=public, pg_temp" in settings
        assert "switchboard_app=X" in rights and "{=X" not in rights and ",=X" not in rights


def test_states_are_not_enums(catalog: psycopg.Connection) -> None:
    assert catalog.execute(f"select typname from pg_type o where typtype = 'e' and {OURS}").fetchall() == []


# What the app's role may do to a table without a tenant: behind an injection it must not do more.
MAY = {
    "alembic_version": "",
    "api_key_routes": "select, insert, update, delete",
    "automation_routes": "select, insert, update",
    "credit_line_readings": "",
    "email_confirmations": "select, insert, update, delete",
    "entry_point_routes": "select, insert, update, delete",
    "held_changes": "",
    "invitation_routes": "select, insert, update, delete",
    "market_codes": "select",
    "meta_callbacks": "select, insert",
    "meta_invoices": "",
    "meta_report_lines": "",
    "meta_reports": "",
    "partner_wabas": "",
    "password_resets": "select, insert, update, delete",
    "pending_sign_ins": "select, insert, update, delete",
    "phone_number_routes": "select, insert, update, delete",
    "plans": "select",
    "platform_admins": "",
    "rate_cards": "select",
    "rates": "select",
    "replays": "",
    "second_step_changes": "select, insert, update, delete",
    "second_step_resets": "",
    "second_steps": "select, insert, update, delete",
    "sign_in_attempts": "select, insert, update, delete",
    "stripe_events": "insert",
    "tenant_slugs": "select, insert, update, delete",
    "tier_rates": "select",
    "user_sessions": "select, insert, update, delete",
    "user_tenants": "select, insert, update, delete",
    "users": "select, insert, update, delete",
    "waba_routes": "select, insert, update, delete",
    "webhook_events": "insert",
}


def test_the_app_may_do_to_global_tables_what_is_listed_and_no_more(catalog: psycopg.Connection) -> None:
    query = """
        select c.relname, coalesce(string_agg(lower(p.verb), ', ' order by p.place), '')
        from pg_class c left join unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES',
            'TRIGGER']) with ordinality p(verb, place) on has_table_privilege('switchboard_app', c.oid, p.verb)
        where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace group by 1"""
    granted = {name: verbs for name, verbs in catalog.execute(query)}  # noqa: C416  typed so
    assert {name: granted[name] for name in SHORT_LIST} == MAY


INJECTED = {
    "a session of a platform admin": "insert into user_sessions (id, token_hash, platform_admin_id, user_agent, ip,"
    " created_at, last_seen_at, expires_at) values (gen_random_uuid(), 'x', gen_random_uuid(), '', '', now(), now(),"
    " now())",
    "an admin's password hash": "select password_hash from platform_admins",
    "a sign-in of a platform admin": "insert into pending_sign_ins (id, token_hash, platform_admin_id, tries,"
    " expires_at) values (gen_random_uuid(), 'x', gen_random_uuid(), 0, now())",
    "another tenant's number": "insert into phone_number_routes values ('1', gen_random_uuid(), gen_random_uuid())",
    "an address of another tenant": "insert into tenant_slugs values ('x', gen_random_uuid())",
    "a seat elsewhere": "insert into user_tenants values (gen_random_uuid(), gen_random_uuid())",
    "truncating": "truncate webhook_events",
    "locking everybody out": "lock table platform_admins",
}


@pytest.mark.parametrize("statement", INJECTED.values(), ids=INJECTED.keys())
def test_behind_an_injection_the_app_is_refused(app: Flask, world: World, statement: str) -> None:
    with tenant_scope(world.bakery.id), pytest.raises(ProgrammingError, match=r"permission denied|row-level security"):
        db.session.execute(text(statement))


def test_the_app_changes_no_other_tenants_routes(app: Flask, world: World) -> None:
    world.connect_numbers()
    with tenant_scope(world.bakery.id):
        stolen = text("update phone_number_routes set tenant_id = :me returning 1")
        assert len(db.session.execute(stolen, {"me": world.bakery.id}).all()) == 1
