from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from app.billing.price_lists import PriceList
from app.billing.rate_cards import RateCard
from app.billing.usage import Usage
from app.contacts.models import ContactIdentity
from app.inbox.conversations import Conversation, Message, MessageEvent
from app.tenancy import db, platform_scope, tenant_scope
from app.wabas.models import Waba
from app.webhook_events.models import WebhookEvent
from app.webhooks.drain import drain_batch
from tests.arrivals import arrive, failures
from tests.posts import post, status
from tests.world import World

NOVEMBER = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC).timestamp()
wamids = itertools.count(1)


def priced(type: str = "regular", category: str = "marketing", **more: Any) -> dict[str, Any]:
    return {"billable": type == "regular", "pricing_model": "PMP", "type": type, "category": category} | more


def reported(
    name: str, pricing: dict[str, Any] | None = None, wamid: str = "wamid.hello", **more: Any
) -> dict[str, Any]:
    facts: dict[str, Any] = {"at": NOVEMBER, **({"pricing": pricing} if pricing else {}), **more}
    return status(wamid, name, **facts)


def usages(world: World) -> Sequence[Usage]:
    with tenant_scope(world.bakery.id):
        return db.session.scalars(select(Usage).order_by(Usage.id)).all()


def only(world: World) -> Usage:
    (results,) = usages(world)
    return results


def test_what_arrives_and_is_charged_is_counted(world: World, sent: Message) -> None:
    arrive(reported("sent", priced()), reported("delivered", priced()), reported("read"))
    usage = only(world)
    assert (usage.wamid, usage.category, usage.market) == ("wamid.hello", "marketing", "North America")
    assert (usage.micros, usage.currency, usage.unknown) == (25_000, "USD", "")
    assert usage.arrived_at.timestamp() == NOVEMBER


def test_what_was_only_sent_is_not_counted(world: World, sent: Message) -> None:
    arrive(reported("sent", priced()))
    assert usages(world) == []


def test_read_counts_where_delivered_was_left_out(world: World, sent: Message) -> None:
    arrive(reported("sent", priced()), reported("read", priced()))
    assert only(world).micros == 25_000


@pytest.mark.parametrize("type", ["free_customer_service", "free_entry_point", "free_group_customer_service"])
def test_what_meta_calls_free_is_not_counted(world: World, sent: Message, type: str) -> None:
    arrive(reported("sent", priced(type)), reported("delivered", priced(type) | {"billable": True}))
    assert usages(world) == []


def test_an_older_webhook_without_a_type_says_it_by_billable(world: World, sent: Message) -> None:
    arrive(reported("delivered", {"billable": True, "category": "utility"}))
    assert only(world).micros == 3_400


def test_a_delivery_after_a_failure_is_counted(world: World, sent: Message) -> None:
    arrive(reported("failed", errors=[{"code": 131026}]), reported("delivered", priced()))
    assert only(world).micros == 25_000


ONE_OF_TWO = st.sampled_from(["delivered", "read"])


@given(
    bearer=ONE_OF_TWO,
    order=st.lists(st.sampled_from(["sent", "delivered", "read", "failed"]), max_size=8),
    data=st.data(),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_in_whatever_order_and_however_often_statuses_come_a_message_is_charged_once(
    world: World, sent: Message, bearer: str, order: list[str], data: st.DataObject
) -> None:
    """Meta puts the price on `sent` and on one of `delivered` and `read`; the posts may be of any size."""
    wamid = f"wamid.{next(wamids)}"
    sequence = data.draw(st.permutations([*order, bearer]))
    statuses = [reported(name, priced() if name in ("sent", bearer) else None, wamid=wamid) for name in sequence]
    cut = data.draw(st.integers(0, len(statuses)))
    for part in (statuses[:cut], statuses[cut:], statuses[cut:]):
        with platform_scope("tests"):
            db.session.add_all(WebhookEvent(body=post(each)) for each in part)
        drain_batch()
    with tenant_scope(world.bakery.id):
        charged = db.session.execute(select(Usage.micros, Usage.market).where(Usage.wamid == wamid)).all()
    assert charged == [(25_000, "North America")] and failures() == []


def test_the_price_is_that_of_the_day_it_arrived(world: World, sent: Message) -> None:
    with platform_scope("tests"):
        prices = PriceList({"*": "Everywhere"}, {("Everywhere", "marketing"): 90_000})
        RateCard.load(prices, "USD", dt.date(2026, 11, 20), "tests")
    for hours in (-13, -12):
        arrive(reported("delivered", priced(), wamid=f"wamid.{hours}", at=NOVEMBER + hours * 3600))
    assert [(usage.micros, usage.market) for usage in usages(world)] == [
        (25_000, "North America"),
        (90_000, "Everywhere"),
    ]


def test_a_price_once_counted_stays_when_a_card_is_corrected(world: World, sent: Message) -> None:
    arrive(reported("delivered", priced()))
    with platform_scope("tests"):
        prices = PriceList({"*": "Everywhere"}, {("Everywhere", "marketing"): 1})
        RateCard.load(prices, "USD", dt.date(2026, 10, 1), "tests")
    arrive(reported("read", priced()))
    assert only(world).micros == 25_000


@pytest.mark.parametrize(
    ("more", "pricing", "why"),
    [
        ({"recipient_id": None, "recipient_user_id": "US.1349"}, priced(), "no_number"),
        ({"recipient_id": "13405551234"}, priced(), "unlisted"),
        ({}, priced(category="marketing_lite"), "no_rate"),
        ({}, priced(subtype="paid_exempt"), "exempt"),
        ({"at": dt.datetime(2026, 9, 1, tzinfo=dt.UTC).timestamp()}, priced(), "no_card"),
    ],
)
def test_what_has_no_price_is_stored_with_the_reason(
    world: World, sent: Message, more: dict[str, Any], pricing: dict[str, Any], why: str
) -> None:
    arrive(reported("delivered", pricing, **more))
    usage = only(world)
    assert (usage.micros, usage.unknown) == (None, why)


@pytest.mark.parametrize(("currency", "why"), [("", "no_currency"), ("BRL", "no_card")])
def test_an_account_without_a_price_list_is_counted_all_the_same(
    world: World, sent: Message, currency: str, why: str
) -> None:
    with tenant_scope(world.bakery.id):
        db.session.scalars(select(Waba)).one().currency = currency
    arrive(reported("delivered", priced()))
    assert (only(world).micros, only(world).unknown, only(world).currency) == (None, why, currency)


def test_a_number_shown_another_time_tells_the_market(world: World, sent: Message) -> None:
    with tenant_scope(world.bakery.id):
        contact_id = Conversation.get_or_404(sent.conversation_id).contact_id
        db.session.add(ContactIdentity(contact_id=contact_id, kind="bsuid", value="US.1349"))
    arrive(reported("delivered", priced(), recipient_id=None, recipient_user_id="US.1349"))
    assert only(world).market == "North America"


def test_what_other_software_sent_from_our_number_is_counted(world: World, sent: Message) -> None:
    arrive(reported("delivered", priced(), wamid="wamid.of.others"))
    assert only(world).wamid == "wamid.of.others"


def test_many_at_once_are_each_counted_once(world: World, sent: Message) -> None:
    every = [reported("delivered", priced(), wamid=f"wamid.{n % 50}") for n in range(200)]
    arrive(*every)
    assert len(usages(world)) == 50


def test_a_usage_is_undone_with_the_statuses_it_came_with(
    world: World, sent: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are one transaction: where counting fails, the statuses are held and nothing is half recorded."""
    monkeypatch.setattr("app.billing.usage.Rates", None)
    arrive(reported("delivered", priced()))
    with tenant_scope(world.bakery.id):
        assert db.session.scalars(select(MessageEvent)).all() == []
    assert usages(world) == []
