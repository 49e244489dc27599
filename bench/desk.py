"""The desk's pages in one town of 200 tenants, at growing sizes: list, thread, switch of view, search.

Each is a full request, row security on. Ten million messages take some ten minutes to write:
`DESK_SIZES=100000,1000000 python -m bench desk` asks for less.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
from flask import Flask
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import text

from app import create_app
from app.config import Settings
from app.team.models import UserSession
from app.tenancy import db, global_scope, tenant_scope
from bench.report import percentile, table
from bench.town import Town
from dev.stack import Stack

SIZES = [int(size) for size in os.environ.get("DESK_SIZES", "100000,1000000,10000000").split(",")]
TENANTS, REQUESTS, PER_CONVERSATION = 200, 40, 10
# The big tenant has this share of everything; the others the rest, alike.
BIG = 0.2
COMMON, RARE = "bread", "zanzibar"


def run(stack: Stack) -> None:
    app = create_app(Settings.from_environment(stack.env))
    measured: dict[int, dict[str, list[float]]] = {}
    sizes: dict[str, int] = {}
    with app.app_context():
        towns = [Town.named(f"desk-{n}") for n in range(TENANTS)]
        with global_scope():
            token = UserSession.begin(towns[0].owner, user_agent="bench", ip="127.0.0.1")
        have = 0
        for size in SIZES:
            grow(stack, towns, have, size)
            have = size
            measured[size] = measure(app, token, towns[0], sizes)
    heads = ["", *(f"{size:,}" for size in SIZES), "growth", "size"]
    rows = []
    for name in measured[SIZES[0]]:
        times = [measured[size][name] for size in SIZES]
        cells = [f"{percentile(t, 0.5) * 1000:.0f} / {percentile(t, 0.95) * 1000:.0f}" for t in times]
        growth = percentile(times[-1], 0.5) / percentile(times[0], 0.5)
        rows.append([name, *cells, f"{growth:.2f}", f"{sizes[name] / 1000:.0f} kB"])
    table("Server time at the biggest tenant's desk, p50 / p95 ms, by messages in the database", heads, rows)


def grow(stack: Stack, towns: list[Town], have: int, size: int) -> None:
    """Fills the town up, with the indexes of messages built afterwards: the same as growing slowly, only quicker."""
    started = time.perf_counter()
    with psycopg.connect(superuser(stack), autocommit=True) as connection:
        connection.execute("update tenants set created_at = now() - interval '2 years'")
        connection.execute("set session_replication_role = replica")
        connection.execute("set maintenance_work_mem = '1GB'")
        indexes = connection.execute(INDEXES).fetchall()
        for name, _definition in indexes:
            connection.execute(f"drop index {name}")
        for town, first, last in shares(towns, have, size):
            values = {"tenant": town.tenant.id, "number": town.number.id, "owner": town.owner.id}
            connection.execute(PEOPLE, values | {"first": first, "last": last})
            connection.execute(WORDS, values | {"first": first, "each": PER_CONVERSATION})
        for _name, definition in indexes:
            connection.execute(definition)
        connection.execute("vacuum analyze")
    print(f"  {size:,} messages after {time.perf_counter() - started:.0f} s", flush=True)


def shares(towns: list[Town], have: int, size: int) -> Iterator[tuple[Town, int, int]]:
    """Which conversations (from, to) each town gets when all grow from `have` to `size` messages."""
    for n, town in enumerate(towns):
        share = BIG if n == 0 else (1 - BIG) / (len(towns) - 1)
        yield town, round(have / PER_CONVERSATION * share) + 1, round(size / PER_CONVERSATION * share)


def superuser(stack: Stack) -> str:
    return stack.postgres.url(database=str(conninfo_to_dict(stack.env["DATABASE_URL"])["dbname"]))


def measure(app: Flask, token: str, town: Town, sizes: dict[str, int]) -> dict[str, list[float]]:
    client = app.test_client()
    with client.session_transaction() as session:
        session.update({"_user_id": token, "_fresh": True})
    base = f"/t/{town.tenant.slug}/inbox"
    with tenant_scope(town.tenant.id):
        page = db.session.execute(PAGE_END).one()
        ids = list(db.session.scalars(text("select id::text from conversations order by id limit 500")))
    cursor = f"{round(page.last_message_at.timestamp() * 1_000_000)}-{page.id}"
    paths: dict[str, Callable[[int], str]] = {
        "inbox page": lambda _n: f"{base}/",
        "list": lambda _n: f"{base}/list",
        "second page of the list": lambda _n: f"{base}/list?before={cursor}",
        "switch to Mine": lambda _n: f"{base}/list?view=mine",
        "switch to Unreplied": lambda _n: f"{base}/list?view=unreplied",
        "switch to Resolved": lambda _n: f"{base}/list?view=resolved",
        "only what is new": lambda _n: f"{base}/list?filter=unread",
        "conversation": lambda n: f"{base}/{ids[n * 7 % len(ids)]}",
        "thread": lambda n: f"{base}/{ids[n * 7 % len(ids)]}/messages",
        f"search, common word ({COMMON})": lambda _n: f"{base}/search?q={COMMON}",
        f"search, rare word ({RARE})": lambda _n: f"{base}/search?q={RARE}",
        "search, two words": lambda n: f"{base}/search?q=order+{n * 37}",
        "search, nothing found": lambda n: f"{base}/search?q=nothing{n}",
        "search, beginnings": lambda _n: f"{base}/search?q=cro+bre",
        "search, a customer": lambda n: f"{base}/palette?q=Customer+{n}",
    }
    return {name: request_times(client, path, name, sizes) for name, path in paths.items()}


def request_times(client: Any, path: Callable[[int], str], name: str, sizes: dict[str, int]) -> list[float]:
    times = []
    for n in range(REQUESTS):
        headers = {"HX-Request": "true"} if name != "inbox page" else {}
        started = time.perf_counter()
        answer = client.get(path(n), headers=headers)
        times.append(time.perf_counter() - started)
        assert answer.status_code == 200, (name, answer.status_code)
        sizes[name] = len(answer.data)
    return times


# Those that hold no constraint.
INDEXES = "select indexname, indexdef from pg_indexes where tablename = 'messages' and indexname like 'ix_%'"
# One in twenty is open; of these every second is the owner's and one in three waits. Two years, evenly.
PEOPLE = """
with people as (
    select gen_random_uuid() as contact, gen_random_uuid() as conversation, n,
        now() - (n %% 1000) * interval '17 hours' - (n / 1000) * interval '13 seconds' as at
    from generate_series(%(first)s::int, %(last)s::int) n
), contacts as (
    insert into contacts (tenant_id, id, name, created_at)
    select %(tenant)s, contact, 'Customer ' || n, now() from people
), identities as (
    insert into contact_identities (tenant_id, id, contact_id, kind, value, created_at)
    select %(tenant)s, gen_random_uuid(), contact, 'wa_id', '49151' || lpad(n::text, 8, '0'), now() from people
)
insert into conversations (tenant_id, id, phone_number_id, contact_id, unread_count, last_message_at,
    last_message_preview, last_message_state, last_inbound_at, created_at, state, assignee_id, waiting_since, news_at)
select %(tenant)s, conversation, %(number)s, contact, 0, at, 'Message of customer ' || n, 'received', at, now(),
    case when n %% 20 = 0 then 'open' else 'resolved' end,
    case when n %% 40 = 0 then %(owner)s::uuid end, case when n %% 60 = 0 then at end, now() from people
"""
WORDS = """
insert into messages (tenant_id, id, conversation_id, phone_number_id, direction, type, body, state, wamid, occurred_at,
    created_at, fence, attempts)
select c.tenant_id, gen_random_uuid(), c.id, c.phone_number_id, 'inbound', 'text',
    'Hello, order ' || (n * 7 + k) || case when (n + k) %% 10 = 0 then ' with bread' else ' without' end
        || case when (n * 10 + k) %% 100000 = 7 then ' to Zanzibar' else '' end
        || (array[' and croissants', ' and rolls for the office', ', thank you', ' tomorrow at nine', ' please call'])
            [1 + (n + k) %% 5],
    'received', 'wamid.' || c.id || k, c.last_message_at - (k - 1) * interval '11 minutes', now(), 0, 0
from (
    select c.*, substr(c.last_message_preview, 21)::int as n from conversations c where c.tenant_id = %(tenant)s
) c cross join generate_series(1, %(each)s) k
where c.n >= %(first)s
"""
PAGE_END = text("""
    select id, last_message_at from conversations where state in ('open', 'pending')
    order by last_message_at desc, id desc offset 15 limit 1
""")
