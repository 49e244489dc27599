"""Turning stored posts into rows, claim included, against the fastest way to insert only the same message rows.

And statuses: those of messages that Meta charges for, which are counted, against those of messages that are free.
"""

from __future__ import annotations

import json
import statistics
import time
import uuid
from typing import Any

import psycopg
from sqlalchemy import text

from app import create_app
from app.config import Settings
from app.garbage import collect_rarely
from app.meta.events import address_in
from app.tenancy import db, platform_scope, tenant_scope
from app.webhooks.drain import drain_batch
from bench.report import table
from bench.town import Town
from dev.stack import Stack
from tests.posts import message, post, status

ROUNDS, EVENTS, PEOPLE, BATCH = 5, 10_000, 2_000, 1_000
# The floor: inserts only the message rows of a batch.
RAW = text("""
    insert into messages (tenant_id, id, conversation_id, phone_number_id, direction, type, body, state, wamid,
                          occurred_at, created_at, fence, attempts)
    select :tenant, id, conversation_id, phone_number_id, 'inbound', 'text', body, 'received', wamid, now(), now(), 0, 0
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, conversation_id uuid, phone_number_id uuid, body text,
                                                       wamid text)
""")
# Messages of ours that Meta accepted, spread evenly over the town's conversations.
SENT = text("""
    insert into messages (tenant_id, id, conversation_id, phone_number_id, direction, type, body, state, wamid,
                          occurred_at, created_at, fence, attempts)
    select :tenant, gen_random_uuid(), c.id, c.phone_number_id, 'outbound', 'text', 'Hello', 'accepted',
           'wamid.' || gen_random_uuid(), now(), now(), 0, 0
    from (select *, row_number() over () as n from conversations where tenant_id = :tenant) c
    join generate_series(0, :count - 1) k on k % :people = c.n - 1
    returning wamid
""")
# Moves conversations to the top of the list, by their primary key.
RAISE = text("""
    update conversations c set unread_count = c.unread_count + 1, last_message_at = now(), last_inbound_at = now(),
        last_message_id = r.id, last_message_preview = r.body
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, conversation_id uuid, body text)
    where c.tenant_id = :tenant and c.id = r.conversation_id
""")


def run(stack: Stack) -> None:
    app = create_app(Settings.from_environment(stack.env))
    collect_rarely()
    with app.app_context():
        town = Town.named("drain")
        fill(town, PEOPLE)
        drain_all()
        analyse(stack)
        raw, drained = [], []
        for _ in range(ROUNDS):
            raw.append(measure(lambda: insert_raw(town)))
            fill(town, EVENTS)
            drained.append(measure(drain_all))
    rates = {"raw set-based insert of the same rows": raw, "drain, claim included": drained}
    floor = statistics.median(EVENTS / seconds for seconds in raw)
    rows = []
    for name, seconds in rates.items():
        rate = statistics.median(EVENTS / each for each in seconds)
        rows.append([name, f"{rate:,.0f}/s", f"{rate / floor:.2f}"])
    table(f"Messages written; raw in batches of {BATCH} (aim: 0.6 of raw)", ["", "rate", "ratio"], rows)
    with app.app_context():
        statuses(town)


def analyse(stack: Stack) -> None:
    """As autovacuum does in the first minute of an installation. Until then Postgres plans for empty tables."""
    with psycopg.connect(stack.env["MIGRATIONS_DATABASE_URL"], autocommit=True) as connection:
        connection.execute("analyze")


def statuses(town: Town) -> None:
    """Measures three statuses per message, the first two with its price, as Meta sends them."""
    kinds = {"of free messages": "free_customer_service", "of charged messages": "regular"}
    taken: dict[str, list[float]] = {name: [] for name in kinds}
    for _ in range(ROUNDS):
        for name, kind in kinds.items():
            fill_statuses(town, kind)
            taken[name].append(measure(drain_all))
    free, charged = (statistics.median(EVENTS / each for each in taken[name]) for name in kinds)
    pairs = zip(*taken.values(), strict=True)
    ratio = statistics.median(before / after for before, after in pairs)
    rows = [
        ["of free messages", f"{free:,.0f}/s", "1.00"],
        ["of charged messages", f"{charged:,.0f}/s", f"{ratio:.2f}"],
    ]
    table("Statuses written (aim: charging costs 5 % at most)", ["", "rate", "ratio"], rows)


def fill_statuses(town: Town, kind: str) -> None:
    sent = {"tenant": town.tenant.id, "count": EVENTS // 3, "people": PEOPLE}
    with tenant_scope(town.tenant.id):
        wamids = db.session.scalars(SENT, sent).all()
    price = {"billable": kind == "regular", "pricing_model": "PMP", "category": "utility", "type": kind}
    states: dict[str, dict[str, Any]] = {"sent": {"pricing": price}, "delivered": {"pricing": price}, "read": {}}
    number = town.number.meta_id
    every = [status(each, name, number=number, **more) for name, more in states.items() for each in wamids]
    save([post(each, waba=town.waba_meta_id) for each in every])


def measure(work: object) -> float:
    started = time.perf_counter()
    work()  # type: ignore[operator]
    return time.perf_counter() - started


def fill(town: Town, count: int) -> None:
    """Stores webhooks of one message each, 2 % of them twice."""
    bodies = []
    for n in range(count):
        wa_id = f"1650{n % PEOPLE:07}"
        body = post(message(f"Message {n}", number=town.number.meta_id, wa_id=wa_id), waba=town.waba_meta_id)
        bodies += [body, body] if n % 50 == 0 and count == EVENTS else [body]
    save(bodies[:count])


def save(bodies: list[bytes]) -> None:
    arrived = text(
        "insert into webhook_events (body, address) select * from unnest(cast(:bodies as bytea[]), cast(:to as text[]))"
    )
    with platform_scope("bench"):
        db.session.execute(arrived, {"bodies": bodies, "to": [address_in(body) for body in bodies]})


def drain_all() -> None:
    while drain_batch():
        pass


def insert_raw(town: Town) -> None:
    """Writes only the rows that a drain writes: messages, and their conversations' previews."""
    with tenant_scope(town.tenant.id):
        conversations = db.session.scalars(text("select id::text from conversations limit :n"), {"n": PEOPLE}).all()
    rows = [
        {
            "id": str(uuid.uuid4()),
            "conversation_id": conversations[n % len(conversations)],
            "phone_number_id": str(town.number.id),
            "body": f"Message {n}",
            "wamid": f"wamid.raw.{uuid.uuid4().hex}",
        }
        for n in range(EVENTS)
    ]
    for start in range(0, EVENTS, BATCH):
        with tenant_scope(town.tenant.id):
            batch = {"tenant": town.tenant.id, "rows": json.dumps(rows[start : start + BATCH])}
            db.session.execute(RAW, batch)
            db.session.execute(RAISE, batch)
