from __future__ import annotations

import datetime as dt
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from app.billing.reconciliation import Reconciliation, VolumeComparison
from app.inbox.conversations import Message
from app.meta.errors import MetaError
from app.meta.graph import GraphClient
from app.meta.pricing_analytics import Volume, fetch
from app.tenancy import db, now, tenant_scope
from tests.arrivals import arrive, graph_answering
from tests.billing.books import priced, reported
from tests.client import Browser
from tests.simulated import Road
from tests.world import World

DAY = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
NEXT = DAY + dt.timedelta(days=1)
NUMBER = "15550783881"


def volume(count: int, country: str = "US", category: str = "marketing", type: str = "regular") -> Volume:
    return Volume(DAY, NEXT, NUMBER, country, category, type, count)


def compare(world: World, sent: Message, *volumes: Volume) -> list[VolumeComparison]:
    """The differences, after comparing on the next day."""
    with tenant_scope(world.bakery.id):
        comparison = Reconciliation(sent.phone_number_id)
        comparison.compare({NUMBER: sent.phone_number_id}, volumes, NEXT + dt.timedelta(hours=9))
    return differences(world)


def differences(world: World) -> list[VolumeComparison]:
    with tenant_scope(world.bakery.id):
        return list(db.session.scalars(VolumeComparison.open()))


def test_what_both_counted_is_no_difference(world: World, sent: Message) -> None:
    arrive(reported("delivered", priced()), reported("read", priced("free_entry_point"), wamid="wamid.2"))
    assert compare(world, sent, volume(1), volume(1, type="free_entry_point")) == []


@pytest.mark.parametrize(
    ("metas", "difference"),
    [([volume(3)], 1), ([volume(1)], -1), ([], -2), ([volume(2), volume(5, "DE")], 5), ([volume(2, type="x")], 2)],
)
def test_what_only_one_counted_is_one(world: World, sent: Message, metas: list[Volume], difference: int) -> None:
    arrive(reported("delivered", priced()), reported("delivered", priced(), wamid="wamid.2"))
    assert difference in [each.difference for each in compare(world, sent, *metas)]


def test_comparing_again_replaces_the_figures_and_what_is_equal_now_is_gone(world: World, sent: Message) -> None:
    arrive(reported("delivered", priced()))
    assert len(compare(world, sent, volume(2))) == 1
    arrive(reported("delivered", priced(), wamid="wamid.late"))
    assert compare(world, sent, volume(2)) == []


def test_an_explained_difference_is_listed_again_only_if_its_figures_change(world: World, sent: Message) -> None:
    (results,) = compare(world, sent, volume(2))
    with tenant_scope(world.bakery.id):
        VolumeComparison.get_or_404(results.id).explain("our door was closed", by="Pat")
    assert compare(world, sent, volume(2)) == []
    assert len(compare(world, sent, volume(3))) == 1


def test_what_other_software_sent_is_counted_and_no_difference(world: World, sent: Message) -> None:
    arrive(reported("delivered", priced()), reported("delivered", priced(), wamid="wamid.others"))
    assert compare(world, sent, volume(2)) == []
    with tenant_scope(world.bakery.id):
        assert db.session.scalars(select(VolumeComparison.other_software)).all() == [1]


def test_a_day_of_meta_begins_where_its_zone_says(world: World, sent: Message) -> None:
    arrive(reported("delivered", priced(), at=(DAY + dt.timedelta(hours=3)).timestamp()))
    shifted = dt.timedelta(hours=7)
    yesterday = Volume(DAY - dt.timedelta(days=1) + shifted, DAY + shifted, NUMBER, "US", "marketing", "regular", 1)
    assert compare(world, sent, yesterday) == []


def test_a_day_that_is_not_over_is_not_compared(world: World, sent: Message) -> None:
    arrive(reported("delivered", priced()))
    with tenant_scope(world.bakery.id):
        early = DAY + dt.timedelta(hours=13)
        Reconciliation(sent.phone_number_id).compare({NUMBER: sent.phone_number_id}, [volume(9)], early)
    assert differences(world) == []


def test_three_planted_differences_are_found_and_nothing_else(road: Road) -> None:
    """Through Meta as it is simulated, which hides what messages cost on a shared line."""
    conversation = road.customer_writes()
    sent = [road.reply(conversation, str(n)) for n in range(4)]
    road.deliver()
    road.until(lambda: all(road.state_of(each) == "delivered" for each in sent))
    today = int(now().timestamp())
    number = {"phone_number_id": road.number.meta_id, "at": today}
    free = {"category": "service", "type": "free_customer_service"}
    road.meta.post("volume-differences", **number, **free, country="US", volume=1)
    road.meta.post("volume-differences", **number, **free, country="BR", volume=2)
    road.meta.post("volume-differences", **number, country="DE", category="marketing", type="regular", volume=3)
    tomorrow = now() + dt.timedelta(days=1)
    with tenant_scope(road.world.bakery.id):
        assert Reconciliation(road.number.waba_id).run(tomorrow) == 3
    results = {(each.country, each.category, each.difference) for each in differences(road.world)}
    assert results == {("US", "service", 1), ("BR", "service", 2), ("DE", "marketing", 3)}


def test_without_planted_differences_nothing_differs(road: Road) -> None:
    conversation = road.customer_writes()
    sent = road.reply(conversation, "Hello")
    road.deliver()
    road.until(lambda: road.state_of(sent) == "delivered")
    with tenant_scope(road.world.bakery.id):
        assert Reconciliation(road.number.waba_id).run(now() + dt.timedelta(days=1)) == 0


def test_an_account_whose_analytics_meta_refuses_changes_nothing(world: World, sent: Message) -> None:
    graph_answering(lambda _: httpx.Response(403, json={"error": {"code": 200, "message": "No"}}))
    with tenant_scope(world.bakery.id):
        waba_id = db.session.scalars(select(Message)).one().conversation.phone_number.waba_id
        assert Reconciliation(waba_id).run() is None


def test_points_that_cannot_be_read_are_left_out(app: Any) -> None:
    points = [{"start": 1, "end": 2, "volume": 3}, {"start": "x"}, {"volume": 1}, 7]
    answer = {"data": [{"data_points": points}, 5], "paging": {}}
    graph = GraphClient(
        "https://x.example",
        "v25.0",
        "1",
        "s",
        transport=httpx.MockTransport(lambda _: httpx.Response(200, json=answer)),
    )
    assert [each.volume for each in fetch(graph, "token", "1", DAY, NEXT)] == [3]


def test_before_the_first_comparison_no_number_of_differences_is_named(pat: Browser) -> None:
    page = pat.get("/platform/reconciliation").text
    assert "Nothing has been compared yet" in page and "0 differences" not in page


def test_the_console_lists_differences_down_to_messages_until_they_are_explained(
    pat: Browser, world: World, sent: Message
) -> None:
    arrive(reported("delivered", priced()))
    (results,) = compare(world, sent, volume(2))
    page = f"/platform/tenants/{world.bakery.id}/reconciliation/{results.id}"
    assert "ours 1, Meta 2" in pat.get("/platform/reconciliation").text
    assert "wamid.hello" in pat.get(page).text
    assert pat.post(f"{page}/explanation", {"reason": ""}).status_code == 422
    pat.post(f"{page}/explanation", {"reason": "a webhook was lost"})
    listed = pat.get("/platform/reconciliation").text
    assert "a webhook was lost" in listed and "Meta counted what we counted" in listed


def test_on_a_shared_line_meta_gives_no_cost(road: Road) -> None:
    graph, waba = GraphClient(road.meta.url, "v25.0", "1", "app-secret"), road.ids["waba_id"]
    day = {"start": str(int(now().timestamp()) - 86400), "end": str(int(now().timestamp())), "granularity": "DAILY"}
    with pytest.raises(MetaError, match="Cost not available"):
        graph.get(f"{waba}/pricing_analytics", token=road.ids["token"], params=day | {"metric_types": '["COST"]'})
