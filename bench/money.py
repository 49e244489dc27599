"""Money at size: what the ledger costs the drain, 100,000 statuses with writers that are killed, balances, pages.

`python -m bench.money SLUG` is one of the writers.
"""

from __future__ import annotations

import os
import random
import signal
import statistics
import subprocess
import sys
import threading
import time
import uuid
from typing import Any

from flask import Flask
from sqlalchemy import select, text

from app import create_app
from app.billing.balances import Balance
from app.billing.holds import ReplyCount
from app.billing.invoices import Close
from app.billing.ledger import Ledger
from app.billing.payments import top_up
from app.billing.plans import Plan
from app.billing.posting import AT_ONCE, post_usages
from app.billing.totals import MonthTotal
from app.billing.verification import problems_of_ledger
from app.config import Settings
from app.inbox.outbound.lanes import Lane
from app.tenancy import Tenant, db, now, platform_scope, tenant_scope
from app.wabas.models import PhoneNumber
from app.webhooks.drain import drain_batch
from bench.drain import analyse, drain_all, fill, fill_statuses, measure, save
from bench.report import percentile, table
from bench.town import Town
from dev.stack import Stack
from tests.client import Browser
from tests.posts import post, status

ROUNDS, STATUSES, MESSAGES, WRITERS = 5, 10_000, 40_000, 8
QUEUED, PAID = 5_000, 1_000
MARKUP = {"marketing": 1_234, "utility": 777}
LIST = {"marketing": 25_000, "utility": 3_400, "authentication": 3_400, "service": 3_400}
# Rows of a month's totals, each of so many messages: together ten million journals.
TOTALS, EACH, PAGES = 100_000, 100, 40


def run(stack: Stack) -> None:
    app = create_app(Settings.from_environment(stack.env))
    with app.app_context():
        with platform_scope("bench"):
            db.session.add(plan := Plan(name="Bench", currency="USD", markup=MARKUP))
        posting(stack, plan)
        writers(stack, plan)
        exactly(app, plan)
        closing(stack, plan)
        pages(app, stack, plan)


def posting(stack: Stack, plan: Plan) -> None:
    """The drain only saves usages; the ledger is written beside it, by another worker where there is one."""
    town = town_with(plan, "posting")
    fill(town, 2_000)
    drain_all()
    analyse(stack)
    drained: list[float] = []
    posted: list[float] = []
    for _ in range(ROUNDS):
        fill_statuses(town, "regular")
        drained.append(measure(drain_all))
        posted.append(measure(lambda: post_all(town)))
    journals = STATUSES // 3
    rows = [
        ["drain of charged statuses", f"{statistics.median(STATUSES / each for each in drained):,.0f}/s"],
        ["posting their journals, beside it", f"{statistics.median(journals / each for each in posted):,.0f}/s"],
    ]
    table("Statuses drained and journals posted", ["", "rate"], rows)


def writers(stack: Stack, plan: Plan) -> None:
    """100,000 statuses of 40,000 messages, each 1 to 4 times, shuffled; eight processes, of which some are killed."""
    town, chance, expected, changes = town_with(plan, "writers"), random.Random(16), 0, []
    for n in range(MESSAGES):
        category, charged = chance.choice([*LIST]), n % 3 > 0
        kind = "regular" if charged else "free_customer_service"
        price = {"billable": charged, "pricing_model": "PMP", "type": kind, "category": category}
        if charged:
            expected += LIST[category] + round(LIST[category] * MARKUP.get(category, 0) / 10_000)
        facts: dict[str, Any] = {"number": town.number.meta_id, "at": time.time(), "pricing": price}
        changes += [status(f"wamid.{n}", "delivered", **facts)] * chance.randint(1, 4)
    chance.shuffle(changes)
    save([post(*changes[at : at + 50], waba=town.waba_meta_id) for at in range(0, len(changes), 50)])
    started, kills = time.perf_counter(), 0
    processes = [start_writer(stack, town) for _ in range(WRITERS)]
    while any(process.poll() is None for process in processes):
        time.sleep(1.5)
        place = chance.randrange(WRITERS)
        if kills < WRITERS and processes[place].poll() is None:
            processes[place].send_signal(signal.SIGKILL)
            processes[place].wait()
            processes[place], kills = start_writer(stack, town), kills + 1
    seconds = time.perf_counter() - started
    drain_all()
    post_all(town)
    with tenant_scope(town.tenant.id):
        balance = Balance.current()
        assert balance
        wrong, difference = list(problems_of_ledger()), -balance.balance_micros - expected
    rows = [
        ["statuses", f"{len(changes):,}"],
        ["writers, and how often one was killed", f"{WRITERS}, {kills}"],
        ["all drained and posted within", f"{seconds:.1f} s"],
        ["difference from the model, micro-units (aim: 0)", f"{difference}"],
        ["problems of the ledger (aim: 0)", f"{len(wrong)}"],
    ]
    table("Statuses in any order, each 1 to 4 times", ["", ""], rows)


def start_writer(stack: Stack, town: Town) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "bench.money", town.tenant.slug], env=os.environ | stack.env)


def write(slug: str) -> None:
    """Drains and posts until there has been nothing to do for a while."""
    with create_app().app_context():
        with platform_scope("bench"):
            tenant_id = db.session.scalars(select(Tenant.id).where(Tenant.slug == slug)).one()
        idle = 0
        while idle < 20:
            drained = drain_batch()
            with tenant_scope(tenant_id):
                posted = post_usages()
            idle = 0 if drained or posted else idle + 1
            if idle:
                time.sleep(0.05)


def exactly(app: Flask, plan: Plan) -> None:
    """A balance for 1,000 of 5,000 queued messages, and eight workers that claim them."""
    town = town_with(plan, "exactly")
    town.fill(QUEUED, 0)
    with tenant_scope(town.tenant.id):
        db.session.add(ReplyCount(phone_number_id=town.number.id, month=now().date().replace(day=1), free=1_000))
        top_up(PAID * GERMANY, note="bench", by="bench")
        db.session.execute(QUEUE, {"tenant": town.tenant.id})
    started = time.perf_counter()
    threads = [threading.Thread(target=claim, args=(app, town)) for _ in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with tenant_scope(town.tenant.id):
        claimed = db.session.scalar(text("select count(*) from messages where state = 'dispatching'"))
        balance = Balance.current()
        assert balance
        left = balance.available_micros
    rows = [
        ["claimed (aim: 1,000)", f"{claimed:,}"],
        ["left of the balance, micro-units (aim: 0)", f"{left}"],
        ["within", f"{time.perf_counter() - started:.1f} s"],
    ]
    table("A balance for 1,000 of 5,000 queued messages", ["", ""], rows)


# What a reply to Germany costs, where the town's people live.
GERMANY = 55_000
QUEUE = text("""
    insert into messages (tenant_id, id, conversation_id, phone_number_id, direction, type, body, state, lane,
                          occurred_at, created_at, fence, attempts)
    select tenant_id, gen_random_uuid(), id, phone_number_id, 'outbound', 'text', 'Hello', 'queued', 'replies',
           now(), now(), 0, 0
    from conversations where tenant_id = :tenant
""")
WAITING = text("select count(*) from messages where state = 'queued' and next_attempt_at is null")


def claim(app: Flask, town: Town) -> None:
    with app.app_context():
        idle = 0
        while idle < 10:
            with tenant_scope(town.tenant.id):
                lane = Lane(PhoneNumber.get_or_404(town.number.id))
                lane.max_in_flight = 192
                before = db.session.scalar(WAITING) or 0
                lane.claim_due(192)
                idle = 0 if (db.session.scalar(WAITING) or 0) < before else idle + 1
            # A claim gives each message a moment of its own; there is no request here that would wait for it.
            time.sleep(0.02)


def closing(stack: Stack, plan: Plan) -> None:
    """The invoice of a month with a million journals."""
    town = town_with(plan, "closing")
    mine = {"tenant": town.tenant.id, "number": town.number.id, "posting": uuid.uuid4(), "rows": JOURNALS}
    with tenant_scope(town.tenant.id):
        db.session.execute(ONE_POSTING, mine)
        db.session.execute(MANY_JOURNALS, mine | {"at": now(), "day": now().date()})
    analyse(stack)
    month = now().date().replace(day=1)

    def close() -> None:
        with tenant_scope(town.tenant.id):
            invoice = Close(Ledger()).run(month)
            assert invoice

    seconds = measure(close)
    table("Month close", ["", ""], [[f"{JOURNALS:,} journals (aim: 60 s)", f"{seconds:.1f} s"]])


JOURNALS = 1_000_000
ONE_POSTING = text("""
    insert into postings (tenant_id, id, position, previous_hash, hash, journals, posted_at)
    values (:tenant, :posting, 1, '', '', :rows, now())
""")
MANY_JOURNALS = text("""
    insert into journals (tenant_id, id, posting_id, kind, occurred_at, day, currency, phone_number_id, wamid, category,
                          market, country, sender, rate_card_id, list_micros, markup, markup_micros, charged_micros,
                          free, unknown, reverses_id, note, by)
    select :tenant, gen_random_uuid(), :posting, 'message', :at, cast(:day as date), 'USD', :number, 'wamid.' || n,
           (array['marketing', 'utility', 'authentication', 'service'])[1 + n % 4], '',
           (array['US', 'DE', 'BR', 'IN', 'GB'])[1 + n / 4 % 5], 'other', null, 3400, 1000, 340, 3740, '', '', null, '',
           ''
    from generate_series(1, :rows) n
    on conflict do nothing
""")


def pages(app: Flask, stack: Stack, plan: Plan) -> None:
    """The page of a month whose totals add up ten million journals."""
    town = town_with(plan, "pages")
    mine = {"tenant": town.tenant.id, "number": town.number.id, "rows": TOTALS, "each": EACH, "at": now().date()}
    with tenant_scope(town.tenant.id):
        db.session.execute(MONTH, mine)
        MonthTotal.rebuild(now().date().replace(day=1))
    analyse(stack)
    browser = Browser(app, tenant=town.tenant.slug).signed_in_as(town.owner)
    address = f"/t/{town.tenant.slug}/costs"
    assert browser.client.get(address).status_code == 200
    seconds = [measure(lambda: browser.client.get(address)) for _ in range(PAGES)]
    rows = [
        [
            f"a month of {TOTALS * EACH:,} messages in {TOTALS:,} totals: median",
            f"{percentile(seconds, 0.5) * 1e3:.0f} ms",
        ],
        ["p95 (aim: 150 ms)", f"{percentile(seconds, 0.95) * 1e3:.0f} ms"],
    ]
    table("The page of costs", ["", ""], rows)


MONTH = text("""
    insert into day_totals (tenant_id, id, day, phone_number_id, category, country, sender, free, currency, messages,
                            list_micros, charged_micros, unpriced)
    select :tenant, gen_random_uuid(), date_trunc('month', cast(:at as date))::date + n % 28, :number,
           (array['marketing', 'utility', 'authentication', 'service'])[1 + n / 28 % 4],
           (array['US', 'DE', 'BR', 'IN', 'GB', 'FR', 'ES', 'IT', 'MX', 'ID'])[1 + n / 112 % 10],
           'agent:' || n / 1120, '', 'USD', :each, :each * 3400, :each * 3740, 0
    from generate_series(0, :rows - 1) n
    on conflict do nothing
""")


def town_with(plan: Plan, name: str) -> Town:
    """A business of its own, which pays later."""
    town = Town.named(f"{name}-{uuid.uuid4().hex[:6]}")
    with tenant_scope(town.tenant.id):
        mode = {"mode": "prepaid"} if name == "exactly" else {"mode": "postpaid", "limit_micros": 10**15}
        month = now().date().replace(day=1)
        db.session.add(Balance(plan_id=plan.id, currency="USD", month=month, fee_month=month, **mode))
    return town


def post_all(town: Town) -> None:
    done = AT_ONCE
    while done == AT_ONCE:
        with tenant_scope(town.tenant.id):
            done = post_usages()


if __name__ == "__main__":
    write(sys.argv[1])
