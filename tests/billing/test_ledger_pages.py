from __future__ import annotations

import datetime as dt
import re

import psycopg
from sqlalchemy import select

from app.billing.price_lists import PriceList
from app.billing.rate_cards import RateCard
from app.inbox.conversations import Message
from app.team.models import Look
from app.tenancy import db, platform_scope, tenant_scope
from tests.billing.books import arrive_and_post, give_plan, journals, priced, reported
from tests.billing.test_ledger import reprice
from tests.client import Browser
from tests.world import World


def page(pat: Browser, world: World, rest: str = "") -> str:
    answer = pat.get(f"/platform/tenants/{world.bakery.id}/ledger{rest}")
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.text)


def test_journals_are_listed_with_the_newest_first_and_filtered(pat: Browser, world: World, sent: Message) -> None:
    give_plan(world, micros=10_000_000, markup={"marketing": 1_000})
    arrive_and_post(world, reported("delivered", priced()), reported("delivered", priced(category="utility"), "w.2"))
    listed = page(pat, world)
    assert "US$0.0275" in listed and "by bank" in listed
    assert "by bank" not in page(pat, world, "?kind=message") and "by bank" in page(pat, world, "?kind=top_up")
    assert "US$0.0275" in page(pat, world, "?month=2026-11") and "US$0.0275" not in page(pat, world, "?month=2026-10")


def test_one_posting_is_one(pat: Browser, world: World) -> None:
    give_plan(world, micros=10_000_000)
    assert "1 posting, the last one" in page(pat, world)


def test_more_journals_are_on_more_pages(pat: Browser, world: World, sent: Message) -> None:
    arrive_and_post(world, *(reported("delivered", priced(), wamid=f"wamid.{n}") for n in range(60)))
    first = page(pat, world)
    (link,) = re.findall(r'href="([^"]+before=[^"]+)"', first)
    second = pat.get(link.replace("&amp;", "&")).text
    assert (first.count("US$0.0250"), second.count("US$0.0250")) == (50, 10)


def test_a_message_is_found_by_its_id_and_its_wamid_with_its_corrections(
    pat: Browser, world: World, sent: Message
) -> None:
    arrive_and_post(world, reported("delivered", priced()), reported("delivered", priced(), "w.2"))
    with platform_scope("tests"):
        prices = PriceList({"1": "North America"}, {("North America", "marketing"): 31_000})
        RateCard.load(prices, "USD", dt.date(2026, 11, 1), "tests")
    assert reprice(world) == 2
    for words in (str(sent.id), "wamid.hello", str(journals(world)[0].id)):
        found = page(pat, world, f"?q={words}")
        assert len(set(re.findall(r"/ledger/[0-9a-f-]{36}", found))) == 3, words
        assert "-US$0.0250" in found and "US$0.0310" in found


def test_a_journal_shows_its_entries_its_price_and_its_corrections(pat: Browser, world: World, sent: Message) -> None:
    give_plan(world, micros=10_000_000, markup={"marketing": 1_000})
    arrive_and_post(world, reported("delivered", priced()))
    journal = next(each for each in journals(world) if each.kind == "message")
    shown = page(pat, world, f"/{journal.id}")
    for words in ("Owed by the business", "Owed to Meta", "US$0.0250", "US$0.0025", "10%", "North America", "is right"):
        assert words in shown, words


def test_which_message_it_was_is_hidden_until_a_reason_is_given(pat: Browser, world: World, sent: Message) -> None:
    arrive_and_post(world, reported("delivered", priced()))
    address = f"/{journals(world)[0].id}"
    assert "wamid.hello" not in page(pat, world) + page(pat, world, address)
    assert pat.post(f"/platform/tenants/{world.bakery.id}/ledger{address}/looks", {"reason": ""}).status_code == 422
    pat.post(f"/platform/tenants/{world.bakery.id}/ledger{address}/looks", {"reason": "a complaint"})
    shown = page(pat, world, address)
    assert "wamid.hello" in shown and str(sent.id) in shown
    with tenant_scope(world.bakery.id):
        assert [(look.kind, look.reason) for look in db.session.scalars(select(Look))] == [("journal", "a complaint")]


def test_owners_see_who_looked(pat: Browser, ann: Browser, world: World, sent: Message) -> None:
    arrive_and_post(world, reported("delivered", priced()))
    path = f"/platform/tenants/{world.bakery.id}/ledger/{journals(world)[0].id}/looks"
    pat.post(path, {"reason": "a complaint"})
    assert "The WhatsApp id of a charged message" in ann.get("/t/bakery/looks").text


def test_a_journal_that_was_edited_by_hand_is_named(
    pat: Browser, world: World, sent: Message, superuser_url: str
) -> None:
    arrive_and_post(world, reported("delivered", priced()))
    with psycopg.connect(superuser_url) as connection:
        connection.execute("update journals set charged_micros = 1")
    assert "The hash is wrong" in page(pat, world, f"/{journals(world)[0].id}")


def test_a_journal_of_another_business_is_not_there(pat: Browser, world: World, sent: Message) -> None:
    arrive_and_post(world, reported("delivered", priced()))
    address = f"/platform/tenants/{world.shoes.id}/ledger/{journals(world)[0].id}"
    assert pat.get(address).status_code == 404
    assert pat.post(f"{address}/looks", {"reason": "a complaint"}).status_code == 404
