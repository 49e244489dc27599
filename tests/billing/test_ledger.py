from __future__ import annotations

import datetime as dt
import random
import threading
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError, ProgrammingError

from app.billing.ledger import Entry
from app.billing.posting import post_usages
from app.billing.price_lists import PriceList
from app.billing.rate_cards import RateCard
from app.billing.repricing import Repricing
from app.billing.totals import DayTotal
from app.billing.usage import Usage
from app.contacts.models import Contact
from app.inbox.conversations import Conversation, Message
from app.people.erasure import erase
from app.tenancy import Actor, db, platform_scope, tenant_scope
from app.wabas.models import Waba
from app.webhook_events.models import WebhookEvent
from app.webhooks.drain import drain_batch
from tests.billing.books import (
    arrive_and_post,
    give_plan,
    journals,
    owed,
    post,
    priced,
    problems,
    reported,
)
from tests.posts import post as posted
from tests.world import World


def test_a_charged_message_is_one_journal_with_all_that_made_its_price(world: World, sent: Message) -> None:
    give_plan(world, markup={"marketing": 1_000})
    arrive_and_post(world, reported("sent", priced()), reported("delivered", priced()), reported("read"))
    (journal,) = journals(world)
    assert (journal.kind, journal.wamid, journal.category) == ("message", "wamid.hello", "marketing")
    assert (journal.market, journal.country, journal.sender) == ("North America", "US", f"agent:{world.ann.id}")
    assert (journal.list_micros, journal.markup, journal.markup_micros) == (25_000, 1_000, 2_500)
    assert journal.charged_micros == 27_500 and journal.rate_card_id and journal.day == dt.date(2026, 11, 20)


def test_what_a_message_moves_is_what_we_owe_meta_and_what_the_tenant_owes_us(world: World, sent: Message) -> None:
    give_plan(world, markup={"marketing": 1_000})
    arrive_and_post(world, reported("delivered", priced()))
    assert {name: owed(world, name) for name in ("cost", "payable", "receivable", "revenue")} == {
        "cost": 25_000,
        "payable": -25_000,
        "receivable": 27_500,
        "revenue": -27_500,
    }


def test_without_a_plan_a_message_costs_the_platform_and_not_the_tenant(world: World, sent: Message) -> None:
    arrive_and_post(world, reported("delivered", priced()))
    assert (owed(world, "payable"), owed(world)) == (-25_000, 0)
    assert journals(world)[0].free == "no_plan"


def test_included_messages_are_free_with_that_reason_and_no_more_of_them(world: World, sent: Message) -> None:
    give_plan(world, included_messages=2)
    arrive_and_post(world, *(reported("delivered", priced(), wamid=f"wamid.{n}") for n in range(3)))
    assert sorted(journal.free for journal in journals(world)) == ["", "included", "included"]
    assert owed(world) == 25_000


def test_a_message_whose_price_is_unknown_moves_nothing(world: World, sent: Message) -> None:
    arrive_and_post(world, reported("delivered", priced(category="marketing_lite")))
    (journal,) = journals(world)
    assert (journal.list_micros, journal.unknown, owed(world, "payable")) == (None, "no_rate", 0)


def test_posting_twice_writes_nothing_twice(world: World, sent: Message) -> None:
    arrive_and_post(world, reported("delivered", priced()))
    with tenant_scope(world.bakery.id):
        db.session.execute(update(Usage).values(is_posted=False))
    assert post(world) == 1 and len(journals(world)) == 1 and problems(world) == []


def test_the_database_refuses_a_movement_within_one_account_and_of_less_than_nothing(
    world: World, sent: Message
) -> None:
    arrive_and_post(world, reported("delivered", priced()))
    for debit, micros in (("payable", 1), ("cost", 0), ("cost", -5)):
        entry = Entry(journal_id=journals(world)[0].id, debit=debit, credit="payable", micros=micros, currency="USD")
        with pytest.raises(IntegrityError), tenant_scope(world.bakery.id):
            db.session.add(entry)


@pytest.mark.parametrize("table", ["journals", "entries", "postings"])
@pytest.mark.parametrize("verb", ["update {} set tenant_id = tenant_id", "delete from {}"])
def test_no_one_may_change_or_remove_a_row(world: World, sent: Message, table: str, verb: str) -> None:
    arrive_and_post(world, reported("delivered", priced()))
    statement = text(verb.replace("{}", table))
    with pytest.raises(ProgrammingError, match="permission denied"), tenant_scope(world.bakery.id):
        db.session.execute(statement)
    with pytest.raises(ProgrammingError, match="permission denied"), platform_scope("tests"):
        db.session.execute(statement)


TAMPERING = {
    "an entry is edited": "update entries set micros = micros + 1 where id = (select min(id::text) from entries)::uuid",
    "a journal is edited": "update journals set note = 'x' where id = (select min(id::text) from journals)::uuid",
    "a journal is removed": "delete from entries; delete from journals where wamid = 'wamid.1'",
    "a posting is removed": "delete from postings where position = 2",
    "postings are swapped": "update postings set position = -position where position in (2, 3);"
    " update postings set position = 5 + position where position < 0",
    "a journal is added": "insert into journals select tenant_id, gen_random_uuid(), posting_id, 'adjustment',"
    " occurred_at, day, currency, null, '', '', '', '', '', null, 0, 0, 0, 0, '', '', null, '', '' from journals"
    " limit 1",
    "a total is edited": "update day_totals set messages = messages + 1",
    "a total of a month is edited": "update month_totals set messages = 9 where dimension = 'sender'",
}


@pytest.mark.parametrize("statement", TAMPERING.values(), ids=TAMPERING.keys())
def test_what_is_done_by_hand_is_detected(world: World, sent: Message, superuser_url: str, statement: str) -> None:
    for n in range(4):
        arrive_and_post(world, reported("delivered", priced(), wamid=f"wamid.{n}"))
    assert problems(world) == []
    with psycopg.connect(superuser_url) as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute(statement)
    assert problems(world) != []


def test_the_command_fails_and_names_the_business(app: Flask, world: World, sent: Message, superuser_url: str) -> None:
    arrive_and_post(world, reported("delivered", priced()))
    run = app.test_cli_runner()
    assert run.invoke(args=["ledger", "verify"]).exit_code == 0
    with psycopg.connect(superuser_url) as connection:
        connection.execute("update entries set micros = 1")
    outcome = run.invoke(args=["ledger", "verify"])
    assert outcome.exit_code == 1 and "bakery: posting 1 was changed" in outcome.output


def test_a_price_list_that_comes_late_prices_what_had_none(world: World, sent: Message) -> None:
    give_plan(world, markup={"marketing": 2_000})
    with tenant_scope(world.bakery.id):
        db.session.scalars(select(Waba)).one().currency = "EUR"
    arrive_and_post(world, reported("delivered", priced()))
    with platform_scope("tests"):
        prices = PriceList({"1": "North America"}, {("North America", "marketing"): 20_000})
        RateCard.load(prices, "EUR", dt.date(2026, 11, 1), "tests")
    assert reprice(world) == 1 and reprice(world) == 0
    assert [journal.kind for journal in journals(world)] == ["message", "reversal", "repricing"]
    assert (owed(world, "payable", "EUR"), owed(world, "receivable", "EUR")) == (-20_000, 24_000)
    assert problems(world) == []


def test_a_corrected_price_list_reverses_and_writes_anew(world: World, sent: Message) -> None:
    arrive_and_post(world, reported("delivered", priced()))
    with platform_scope("tests"):
        prices = PriceList({"1": "North America"}, {("North America", "marketing"): 30_000})
        RateCard.load(prices, "USD", dt.date(2026, 11, 1), "tests")
    assert reprice(world) == 1
    assert owed(world, "payable") == -30_000 and totals(world) == (1, 30_000)


def test_a_currency_that_meta_reports_late_prices_what_had_none(world: World, sent: Message) -> None:
    with tenant_scope(world.bakery.id):
        db.session.scalars(select(Waba)).one().currency = ""
    arrive_and_post(world, reported("delivered", priced()))
    with tenant_scope(world.bakery.id):
        db.session.scalars(select(Waba)).one().currency = "USD"
    assert reprice(world) == 1 and owed(world, "payable") == -25_000 and problems(world) == []


def reprice(world: World) -> int:
    with tenant_scope(world.bakery.id):
        return Repricing().run(dt.date(2026, 11, 1))[0]


def totals(world: World) -> tuple[int, int]:
    with tenant_scope(world.bakery.id):
        rows = db.session.scalars(select(DayTotal).where(DayTotal.free == "")).all()
    return sum(row.messages for row in rows), sum(row.list_micros for row in rows)


def test_what_meta_reports_to_have_charged_replaces_the_list_price(
    app: Flask, world: World, sent: Message, tmp_path: Any
) -> None:
    arrive_and_post(world, reported("delivered", priced()))
    file = tmp_path / "prices.csv"
    file.write_text("phone_number_id,wamid,price,currency\n106540352242922,wamid.hello,0.0199,USD\n")
    for count in ("1", "0"):
        outcome = app.test_cli_runner().invoke(args=["ledger", "prices", str(file), "--tenant", "bakery"])
        assert f"{count} messages" in outcome.output
    assert owed(world, "payable") == -19_900 and reprice(world) == 0 and problems(world) == []


@pytest.mark.parametrize("line", ["1,wamid.x,-1,USD", "1,wamid.x,abc,USD", "1,wamid.x,0.1,usd", "1,,0.1,USD", "1"])
def test_an_absurd_reported_price_loads_nothing(
    app: Flask, world: World, sent: Message, tmp_path: Any, line: str
) -> None:
    file = tmp_path / "prices.csv"
    file.write_text(f"phone_number_id,wamid,price,currency\n{line}\n")
    outcome = app.test_cli_runner().invoke(args=["ledger", "prices", str(file), "--tenant", "bakery"])
    assert outcome.exit_code == 1 and "line 2" in outcome.output


def test_erasing_a_contact_leaves_the_totals_as_they_were(world: World, sent: Message) -> None:
    arrive_and_post(world, reported("delivered", priced()))
    before = owed(world, "payable"), totals(world)
    with tenant_scope(world.bakery.id):
        contact = Contact.get_or_404(Conversation.get_or_404(sent.conversation_id).contact_id)
        erase(contact, by=Actor.agent(world.ann))
    assert (owed(world, "payable"), totals(world)) == before and problems(world) == []


CATEGORIES = {"marketing": 25_000, "utility": 3_400, "authentication": 3_400, "service": 3_400}


def test_eight_writers_with_statuses_in_any_order_agree_with_an_independent_model(
    app: Flask, world: World, sent: Message, superuser_url: str
) -> None:
    """600 messages, each status 1 to 4 times, in posts of any size; half of the writers die in mid-transaction."""
    give_plan(world, markup={"marketing": 1_234, "utility": 777})
    chance, expected, changes = random.Random(16), 0, []
    for n in range(600):
        category, bearer = chance.choice([*CATEGORIES]), chance.choice(["delivered", "read"])
        kind = chance.choice(["regular", "regular", "free_customer_service", "free_entry_point"])
        price = priced(kind, category)
        if kind == "regular" and n % 10:
            raw = CATEGORIES[category] * {"marketing": 1_234, "utility": 777}.get(category, 0)
            expected += CATEGORIES[category] + round(raw / 10_000)
        names = ["sent", bearer, "read"] if n % 10 else ["sent", "failed"]
        for name in names:
            pricing = price if name in ("sent", bearer) else None
            changes += [reported(name, pricing, wamid=f"wamid.{n}")] * chance.randint(1, 4)
    chance.shuffle(changes)
    with platform_scope("tests"):
        while changes:
            size = chance.randint(1, 60)
            db.session.add(WebhookEvent(body=posted(*changes[:size])))
            del changes[:size]
    run_writers(app, world, 8)
    assert owed(world) == expected
    assert problems(world) == []


def run_writers(app: Flask, world: World, count: int) -> None:
    """Each drains and posts; every other one dies once before its commit, as a killed process would."""

    def write(number: int) -> None:
        with app.app_context():
            dies = number % 2
            for _ in range(400):
                drained = drain_batch()
                try:
                    with tenant_scope(world.bakery.id):
                        done = post_usages()
                        if dies and done:
                            dies = 0
                            raise ConnectionAbortedError
                except ConnectionAbortedError:
                    done = 1
                if not drained and not done:
                    return

    threads = [threading.Thread(target=write, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    while drain_batch() or post(world):
        pass


def test_replaying_the_webhooks_into_an_empty_ledger_gives_the_same_totals(
    world: World, sent: Message, superuser_url: str
) -> None:
    give_plan(world, markup={"marketing": 1_000})
    every = [
        reported(name, priced(category=category), wamid=f"wamid.{category}.{n}")
        for category in CATEGORIES
        for n in range(20)
        for name in ("sent", "delivered")
    ]
    random.Random(1).shuffle(every)
    arrive_and_post(world, *every)
    before = owed(world), owed(world, "payable"), totals(world)
    with psycopg.connect(superuser_url) as connection:
        for table in (
            "entries",
            "journals",
            "postings",
            "day_totals",
            "month_totals",
            "usages",
            "free_messages",
            "reply_counts",
        ):
            connection.execute(f"delete from {table}")
        connection.execute("update balances set balance_micros = 0, spent_micros = 0")
        connection.execute("update webhook_events set drained_at = null")
    while drain_batch():
        pass
    post(world)
    assert (owed(world), owed(world, "payable"), totals(world)) == before and problems(world) == []


def test_free_messages_are_counted_with_what_they_would_have_cost(world: World, sent: Message) -> None:
    arrive_and_post(
        world,
        reported("delivered", priced("free_customer_service", "service"), wamid="wamid.1"),
        reported("read", priced("free_entry_point", "marketing"), wamid="wamid.2"),
        reported("read", priced("free_entry_point", "marketing"), wamid="wamid.2"),
    )
    with tenant_scope(world.bakery.id):
        rows = db.session.scalars(select(DayTotal).order_by(DayTotal.free)).all()
    assert [(row.free, row.messages, row.list_micros) for row in rows] == [
        ("free_customer_service", 1, 3_400),
        ("free_entry_point", 1, 25_000),
    ]
    assert journals(world) == []


@pytest.mark.parametrize(
    ("number", "bsuid", "country"),
    [
        ("16505551234", None, "US"),
        ("14165551234", None, "CA"),
        ("4915112345678", None, "DE"),
        ("77012345678", None, "KZ"),
        ("79161234567", None, "RU"),
        (None, "BR.1349", "BR"),
        (None, "nonsense", ""),
        ("", None, ""),
        ("99999", None, ""),
    ],
)
def test_the_country_is_read_from_the_number_or_else_from_the_id(
    number: str | None, bsuid: str | None, country: str
) -> None:
    from app.billing.countries import country_of

    assert country_of(number, bsuid) == country
