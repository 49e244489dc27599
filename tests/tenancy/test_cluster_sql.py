"""What a Citus cluster refuses is in no table, policy, key, function or statement. It needs no cluster: Postgres' own
query trees say it (tests/query_trees.py), and every statement that the app executes in any test is read as well
(tests/census.py)."""

from __future__ import annotations

import re
from collections.abc import Iterator

import psycopg
import pytest

from app import load_features
from app.tenancy.cluster import kinds_of_tables
from tests.cluster_rules import RULES, Statement, refusals
from tests.query_trees import Reader
from tests.statements import numbered, written

INTERVAL, TIME = 1186, 1184
# What Postgres cannot guess from the statement alone.
TYPES = {"sooner": INTERVAL, "now": TIME}
list(load_features())  # which imports every model
KINDS = kinds_of_tables()
# What is asked of Citus itself, which no other Postgres understands.
CITUS = re.compile(r"pg_dist_|create_(reference|distributed)_table|citus_add|run_command_on_workers")


@pytest.fixture(scope="module")
def reader(superuser_url: str) -> Iterator[Reader]:
    reader = Reader(superuser_url)
    yield reader
    reader.connection.close()


@pytest.fixture
def catalog(superuser_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(superuser_url) as connection:
        yield connection


def refused(reader: Reader, statement: str) -> list[str]:
    return refusals(Statement(reader.read(*numbered(statement, TYPES)), reader.catalogue, KINDS))


def test_a_cluster_executes_every_statement_that_is_written_by_hand(reader: Reader) -> None:
    statements = {place: words for place, words in written().items() if not CITUS.search(words)}
    assert len(statements) > 100
    problems = {place: results for place, words in statements.items() if (results := refused(reader, words))}
    assert problems == {}


HERE = "tenant_id = :tenant and id = :id"
BAD = {
    "set_config_is_not_propagated": "select set_config('app.tenant_id', :tenant, true)",
    "no_volatile_function_changes_rows": f"update messages set lease_until = clock_timestamp() where {HERE}",
    "the_time_is_a_parameter": "select id from messages where tenant_id = :tenant and expires_at < now()",
    "no_stable_function_of_a_column": f"update conversations set pair_tat = pair_tat + interval '6 s' where {HERE}",
    "no_mutable_function_in_a_case": f"update messages set body = coalesce(body, to_char(3, '9')) where {HERE}",
    "no_mutable_function_is_returned": f"delete from messages where {HERE} returning to_char(occurred_at, 'YYYY')",
    "no_mutable_function_on_conflict": """
        insert into drafts as d (tenant_id, id, conversation_id, user_id, kind, body, typed_at)
        values (:tenant, :id, :talk, :user, 'reply', '', :now)
        on conflict (tenant_id, id) do update set body = concat_ws(' ', d.body, excluded.body)""",
    "a_set_is_inserted_with_on_conflict_or_returning": """
        insert into contacts (tenant_id, id, name, created_at)
        select :tenant, id, name, :now from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, name text)""",
    "local_tables_are_read_by_themselves": """
        select m.id from messages m, webhook_events e where m.tenant_id = :tenant and m.occurred_at = e.received_at""",
    "nothing_recursive_over_all_tenants": """
        with recursive lanes as (
            select tenant_id, id from phone_numbers
            union select m.tenant_id, m.id from messages m join lanes l on l.id = m.id)
        select * from lanes""",
    "tables_of_tenants_are_joined_by_the_tenant": """
        select m.id from jsonb_to_recordset(cast(:rows as jsonb)) as r(tenant uuid, wamid text)
        join messages m on m.tenant_id = r.tenant and m.wamid = r.wamid
        join phone_numbers p on p.tenant_id = r.tenant and p.id = m.phone_number_id""",
    "copies_do_not_look_into_tables_of_tenants": """
        select t.id from tenants t where exists (select from contacts c where c.tenant_id = t.id)""",
    "no_limit_in_a_lateral_over_all_tenants": """
        select p.id, last.id from phone_numbers p cross join lateral (
            select m.id from messages m where m.tenant_id = p.tenant_id and m.phone_number_id = p.id limit 1) last""",
    "rows_of_all_tenants_are_not_locked": "select id from messages where state = 'queued' for update skip locked",
    "a_change_of_all_tenants_is_simple": """
        with late as (select tenant_id, id from messages where state = 'queued' limit 10)
        update messages m set state = 'expired' from late where m.tenant_id = late.tenant_id and m.id = late.id""",
}


@pytest.mark.parametrize("rule", [rule.__name__ for rule in RULES])
def test_each_rule_refuses_what_it_is_for(reader: Reader, rule: str) -> None:
    assert rule in {results.partition(":")[0] for results in refused(reader, BAD[rule])}


GOOD = (
    f"update messages set lease_until = :now where {HERE}",
    (
        "update conversations set pair_tat = (greatest(pair_tat, :now) at time zone 'UTC' + :sooner) at time zone 'UTC'"
        f" where {HERE}"
    ),
    (
        "select p.tenant_id, p.id from phone_numbers p where exists (select from messages m"
        " where m.tenant_id = p.tenant_id and m.phone_number_id = p.id and m.next_attempt_at <= :now)"
    ),
    "update held_changes set released_at = :now where id = any(:ids)",
    "select m.id from memberships m join users u on u.id = m.user_id where m.tenant_id = :tenant",
    "update media f set meta_id = '' from messages m where f.tenant_id = m.tenant_id and f.message_id = m.id",
)


def test_a_table_on_one_machine_is_not_changed_by_the_clock_either(reader: Reader) -> None:
    results = refused(reader, "update held_changes set released_at = clock_timestamp() where id = any(:ids)")
    assert [line.partition(":")[0] for line in results] == ["no_volatile_function_changes_rows"]


@pytest.mark.parametrize("statement", GOOD)
def test_what_a_cluster_executes_is_not_refused(reader: Reader, statement: str) -> None:
    assert refused(reader, statement) == []


def test_no_policy_has_a_subselect(catalog: psycopg.Connection) -> None:
    """'cannot create policy — Subqueries are not supported in policies on distributed tables'."""
    assert policies_with_subselects(catalog) == []


def test_a_policy_with_a_subselect_is_found(catalog: psycopg.Connection) -> None:
    catalog.execute("create policy bad on contacts using (tenant_id = (select current_setting('x')::uuid))")
    assert policies_with_subselects(catalog) == [("contacts", "bad")]
    catalog.rollback()


def policies_with_subselects(catalog: psycopg.Connection) -> list[tuple[str, str]]:
    trees = "polqual::text like '%SUBLINK%' or polwithcheck::text like '%SUBLINK%'"
    return catalog.execute(f"select polrelid::regclass::text, polname from pg_policy where {trees}").fetchall()


KEYS = """
    select c.conrelid::regclass::text, c.confrelid::regclass::text, c.confdeltype::text, exists (
        select from pg_attribute a
        where a.attrelid = c.conrelid and a.attnum = any(c.conkey) and a.attname = 'tenant_id')
    from pg_constraint c where c.contype = 'f' and c.conparentid = 0 and c.connamespace = 'public'::regnamespace
"""


def refused_keys(catalog: psycopg.Connection) -> list[str]:
    """Foreign keys that a cluster refuses, with its words."""
    results = []
    for table, referred, action, has_tenant in catalog.execute(KEYS):
        kinds = KINDS[table], KINDS[referred]
        if has_tenant and action in "nd" and "distributed" in kinds:
            results.append(
                f"{table}: SET NULL … is not supported … when distribution key is included; declare it nulled"
            )
        if kinds in (("distributed", "local"), ("reference", "local")):
            results.append(f"{table}: referenced table {referred} must be a distributed table or a reference table")
        if kinds[0] != "distributed" and kinds[1] == "distributed":
            results.append(
                f"{table}: foreign keys from reference tables and local tables to {referred} are not supported"
            )
        if kinds == ("distributed", "distributed") and not has_tenant:
            results.append(f"{table}: the key to {referred} has to contain the tenant")
        if kinds == ("distributed", "reference") and action in "nd":
            results.append(f"{table}: a key to {referred} may cascade, and set nothing to null")
    return results


def test_a_cluster_takes_every_foreign_key(catalog: psycopg.Connection) -> None:
    assert refused_keys(catalog) == []


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (
            (
                "macros add foreign key (tenant_id, canned_reply_id) references canned_replies (tenant_id, id)"
                " on delete set null (canned_reply_id)"
            ),
            "SET NULL",
        ),
        ("contacts add column s uuid references user_sessions (id)", "must be a distributed table"),
        (
            "user_sessions add column t uuid, add column m uuid, add foreign key (t, m) references messages",
            "not supported",
        ),
    ],
)
def test_a_key_that_it_refuses_is_found(catalog: psycopg.Connection, key: str, words: str) -> None:
    catalog.execute(f"alter table {key}")
    (results,) = refused_keys(catalog)
    assert words in results
    catalog.rollback()


def test_every_unique_index_of_tenants_rows_contains_the_tenant(catalog: psycopg.Connection) -> None:
    """'Distributed relations cannot have UNIQUE … that do not include the partition column'."""
    query = """
        select i.indrelid::regclass::text from pg_index i where i.indisunique and not exists (
            select from pg_attribute a where a.attrelid = i.indrelid and a.attnum = any(i.indkey::smallint[])
              and a.attname = 'tenant_id')"""
    loose = {table for (table,) in catalog.execute(query)}
    assert {table for table in loose if KINDS.get(table) == "distributed"} == set()


def test_the_models_know_every_table(catalog: psycopg.Connection) -> None:
    query = """
        select c.relname from pg_class c where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace
          and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')"""
    assert {name for (name,) in catalog.execute(query)} - {"alembic_version"} == KINDS.keys()


TABLE = re.compile(r"\b(?:from|join|update|into)\s+(\w+)\s+(?:as\s+)?(\w+)", re.IGNORECASE)


def test_functions_name_the_tenant_beside_every_table(catalog: psycopg.Connection) -> None:
    """Without it no error, but every machine is asked."""
    query = "select proname, prosrc from pg_proc where pronamespace = 'public'::regnamespace and prosrc ~* 'from'"
    assert [name for name, source in catalog.execute(query) if everywhere(source)] == []


def test_a_function_that_asks_every_machine_is_found() -> None:
    assert (
        everywhere("select m.* from messages m where m.body <> '' union select m.id from messages m")
        == ["messages"] * 2
    )
    assert everywhere("select m.* from messages m where m.tenant_id = mine") == []


def everywhere(source: str) -> list[str]:
    """The tables of tenants in a function's text that it does not narrow to one tenant, each as often as it occurs."""
    results = [(table, alias) for table, alias in TABLE.findall(source) if KINDS.get(table) == "distributed"]
    loose = []
    for table, alias in results:
        named = len(re.findall(rf"\b{alias}\.tenant_id = (?:mine|tenant)\b", source))
        loose += [table] if named < results.count((table, alias)) else []
    return loose
