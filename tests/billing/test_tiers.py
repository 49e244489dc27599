"""Volume tiers: Meta counts a portfolio's messages over all partners, and prices those beyond a count lower."""

from __future__ import annotations

import datetime as dt
import pathlib
import uuid

import pytest
from flask import Flask
from sqlalchemy import select

from app.billing.price_lists import PriceList, Unusable, first_of
from app.billing.rate_cards import RateCard
from app.billing.repricing import Repricing
from app.billing.tier_lists import TierList
from app.billing.tiers import Tiers, in_order
from app.inbox.conversations import Message
from app.message_templates.jobs import fetch_templates
from app.message_templates.models import MessageTemplate
from app.meta.pricing_analytics import Volume
from app.tenancy import db, now, platform_scope, tenant_scope
from app.wabas.models import PhoneNumber, Waba
from tests.billing.books import arrive_and_post, give_plan, journals, owed, post, priced, problems, reported
from tests.client import Browser
from tests.simulated import Road
from tests.world import World

DAY = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
TIERS = ["market,category,from,to,price", "North America,utility,0,2,0.0034", "North America,utility,3,MAX,0.0030"]


def card(tiers: list[str]) -> None:
    with platform_scope("tests"):
        prices = PriceList({"1": "North America"}, {("North America", "utility"): 3_400})
        TierList(prices).read(tiers)
        RateCard.load(prices, "USD", dt.date(2026, 11, 1), "tests")


def utility(count: int) -> list[dict[str, object]]:
    pricing, noon = priced(category="utility"), DAY.timestamp() + 43_200
    return [reported("delivered", pricing, wamid=f"wamid.{n}", at=noon + n) for n in range(count)]


def counted(world: World, **tiers: int) -> int:
    """Meta's count of the day, by the tiers `first` and `second`. Returns how many journals changed."""
    names = {"first": "0:2", "second": "3:MAX", "unlisted": "7:MAX"}
    volumes = [
        Volume(DAY, DAY + dt.timedelta(days=1), "", "US", "utility", "regular", volume, names[name])
        for name, volume in tiers.items()
    ]
    with tenant_scope(world.bakery.id):
        return Tiers(db.session.scalars(select(Waba.id)).one()).apply(volumes, dt.UTC)


def test_what_meta_counts_in_a_higher_tier_has_its_price_with_the_mark_up(world: World, sent: Message) -> None:
    card(TIERS)
    give_plan(world, markup={"utility": 1_000})
    arrive_and_post(world, *utility(3))
    assert counted(world, first=2, second=1) == 1
    assert owed(world, "payable") == -(3_400 + 3_400 + 3_000) and owed(world) == 3_740 + 3_740 + 3_300
    last = journals(world)[-1]
    assert (last.kind, last.wamid, last.tier) == ("repricing", "wamid.2", "3:MAX") and problems(world) == []


def test_the_same_count_again_changes_nothing_and_a_settled_one_does(world: World, sent: Message) -> None:
    card(TIERS)
    arrive_and_post(world, *utility(3))
    assert [counted(world, first=2, second=1), counted(world, first=2, second=1)] == [1, 0]
    assert counted(world, first=3) == 1
    assert owed(world, "payable") == -3 * 3_400 and problems(world) == []


def test_where_another_partner_has_used_up_the_first_tier_all_are_in_the_second(world: World, sent: Message) -> None:
    card(TIERS)
    arrive_and_post(world, *utility(3))
    assert counted(world, second=3) == 3
    assert owed(world, "payable") == -3 * 3_000


def test_a_tier_without_a_price_leaves_the_list_price(world: World, sent: Message) -> None:
    card(TIERS)
    arrive_and_post(world, *utility(2))
    assert counted(world, unlisted=2) == 0 and owed(world, "payable") == -2 * 3_400


def test_a_later_card_does_not_change_the_tier(world: World, sent: Message) -> None:
    card(TIERS)
    arrive_and_post(world, *utility(1))
    counted(world, second=1)
    card([line.replace("0.0030", "0.0029") for line in TIERS])
    with tenant_scope(world.bakery.id):
        assert Repricing().run(dt.date(2026, 11, 1))[0] == 1
    assert owed(world, "payable") == -2_900 and journals(world)[-1].tier == "3:MAX"


def test_what_meta_has_not_counted_is_in_its_last_tier() -> None:
    assert in_order({"3:MAX": 1, "0:2": 2}, 5) == ["0:2", "0:2", "3:MAX", "3:MAX", "3:MAX"]
    assert in_order({"0:MAX": 10**9}, 2) == ["0:MAX", "0:MAX"]


@pytest.mark.parametrize(
    ("tier", "first"),
    [
        ("0:750000", 0),
        ("0:MAX", 0),
        ("25000001:50000000", 25_000_001),
        ("100000:MAX", 100_000),
        ("x", None),
        ("", None),
    ],
)
def test_a_tier_is_read_in_both_ways_in_which_meta_writes_it(tier: str, first: int | None) -> None:
    assert first_of(tier) == first


HEAD = TIERS[0]
WRONG = {
    "a gap": [HEAD, "North America,utility,0,2,0.0034", "North America,utility,5,MAX,0.0030"],
    "an overlap": [HEAD, "North America,utility,0,9,0.0034", "North America,utility,5,MAX,0.0030"],
    "no end": [HEAD, "North America,utility,0,2,0.0034"],
    "another first price": [HEAD, "North America,utility,0,MAX,0.0033"],
    "a negative price": [HEAD, "North America,utility,0,MAX,-1"],
    "a market that is not on the card": [HEAD, "Atlantis,utility,0,MAX,0.1"],
    "a category without tiers": [HEAD, "North America,marketing,0,MAX,0.1"],
    "other columns": ["market,price"],
    "a value too few": [HEAD, "North America,utility,0"],
    "no numbers": [HEAD, "North America,utility,x,y,0.1"],
}


@pytest.mark.parametrize("lines", WRONG.values(), ids=WRONG.keys())
def test_a_wrong_list_of_tiers_is_refused(lines: list[str]) -> None:
    prices = PriceList({"1": "North America"}, {("North America", "utility"): 3_400})
    with pytest.raises(Unusable):
        TierList(prices).read(lines)
    assert prices.tiers == {}


def test_tiers_are_loaded_with_their_card(app: Flask, tmp_path: pathlib.Path) -> None:
    list_prices, tiers = tmp_path / "card.csv", tmp_path / "tiers.csv"
    columns = "market,country_calling_codes,marketing,utility,authentication,authentication_international,service"
    list_prices.write_text(f"{columns}\nNorth America,1,0.025,0.0034,0.0034,,0.0034\n")
    tiers.write_text("\n".join(TIERS))
    command = ["rates", "load", str(list_prices), "--tiers", str(tiers), "--valid-from", "2027-01-01"]
    assert app.test_cli_runner().invoke(args=command).exit_code == 0
    assert "are the same already" in app.test_cli_runner().invoke(args=command).output
    loaded = RateCard.on("USD", dt.date(2027, 1, 1))
    assert loaded and loaded.prices.price_in_tier("North America", "utility", "3:MAX") == 3_000


def test_the_traffic_of_another_partner_lowers_the_price_at_the_simulated_meta(road: Road, ann: Browser) -> None:
    """Nairobi's first utility template of the month is the 100,001st of the portfolio."""
    with platform_scope("tests"):
        prices = PriceList({"254": "Rest of Africa"}, {("Rest of Africa", "utility"): 4_000})
        prices.tiers["Rest of Africa", "utility"] = {100_000: 3_800}
        RateCard.load(prices, "USD", dt.date(2026, 10, 1), "tests")
    number = {"phone_number_id": road.number.meta_id}
    road.meta.post("partner-traffic", **number, market="Rest of Africa", category="utility", volume=100_000)
    send_utility_to_nairobi(road, ann)
    with tenant_scope(road.world.bakery.id):
        waba = Waba.get_or_404(PhoneNumber.get_or_404(road.number.id).waba_id)
        assert Tiers(waba.id).run(now() + dt.timedelta(days=1)) == 1
    assert owed(road.world, "payable") == -3_800


def send_utility_to_nairobi(road: Road, ann: Browser) -> None:
    talk = road.customer_writes(wa_id="254700123456")
    body = {"type": "BODY", "text": "Your order is on its way."}
    road.meta.post("templates", waba_id=road.ids["waba_id"], name="on_its_way", components=[body], category="UTILITY")
    fetch_templates(road.world.bakery.id, road.number.waba_id)
    with tenant_scope(road.world.bakery.id):
        template = db.session.query(MessageTemplate).filter_by(name="on_its_way").one()
    ann.post(f"~/inbox/{talk.id}/templates/{template.id}", {"client_id": str(uuid.uuid4())})
    road.deliver()
    road.until(lambda: post(road.world) == 1)
