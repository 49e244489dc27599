"""Template analytics, from what was really sent."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from simulator import World
from tests.simulator.stand_ins import Graph

PARTS = [
    {"type": "BODY", "text": "Your order has been shipped."},
    {
        "type": "BUTTONS",
        "buttons": [
            {"type": "QUICK_REPLY", "text": "Thanks"},
            {"type": "URL", "text": "Track", "url": "https://x.example/t"},
        ],
    },
]
PEOPLE = ("16505550001", "16505550002", "16505550003")
DAY = 86400


@pytest.fixture
def sent(
    client: FlaskClient, graph: Graph, shop: dict[str, str], settle: Callable[[], None]
) -> Callable[[], dict[str, str]]:
    """A template was sent to three people; the id of the template and of each message."""

    def sent() -> dict[str, str]:
        about = {"phone_number_id": shop["phone_number_id"], "name": "shipped", "components": PARTS}
        ids = {"template": client.post("/control/api/templates", json=about).get_json()["id"]}
        for to in PEOPLE:
            content = {"name": "shipped", "language": {"code": "en_US"}}
            answer = graph.send(shop, to, type="template", template=content)
            ids[to] = answer.json["messages"][0]["id"]
        settle()
        return ids

    return sent


@pytest.fixture
def analytics(graph: Graph, world: World, shop: dict[str, str]) -> Any:
    def analytics(**query: Any) -> Any:
        now = int(world.clock.now())
        usual = {"start": now - DAY, "end": now + DAY, "granularity": "daily"}
        edge = "template_group_analytics" if "template_group_ids" in query else "template_analytics"
        path = f"{shop['waba_id']}/{edge}"
        return graph("GET", path, token=shop["token"], query_string=usual | query).json

    return analytics


@pytest.fixture
def enabled(graph: Graph, shop: dict[str, str]) -> None:
    path = f"{shop['waba_id']}?is_enabled_for_insights=true"
    assert graph("POST", path, token=shop["token"]).json == {"success": True}


def points(answer: Any) -> Any:
    (about,) = answer["data"]
    return about["data_points"]


def test_insights_must_be_enabled_and_stay_so(graph: Graph, shop: dict[str, str], analytics: Any, sent: Any) -> None:
    template = sent()["template"]
    assert analytics(template_ids=f"[{template}]")["error"]["code"] == 200007
    graph("POST", f"{shop['waba_id']}?is_enabled_for_insights=true", token=shop["token"])
    assert graph("GET", f"{shop['waba_id']}?fields=is_enabled_for_insights", token=shop["token"]).json[
        "is_enabled_for_insights"
    ]
    disable = graph("POST", f"{shop['waba_id']}?is_enabled_for_insights=false", token=shop["token"])
    assert disable.json["error"]["code"] == 200006


@pytest.mark.usefixtures("enabled")
def test_what_was_sent_delivered_read_and_tapped_is_counted(
    client: FlaskClient, shop: dict[str, str], analytics: Any, sent: Any
) -> None:
    ids = sent()
    number = {"phone_number_id": shop["phone_number_id"]}
    client.post("/control/api/reads", json=number | {"from": PEOPLE[0]})
    client.post("/control/api/answers", json=number | {"from": PEOPLE[0], "wamid": ids[PEOPLE[0]], "option": 0})
    for _ in range(2):
        client.post("/control/api/answers", json=number | {"from": PEOPLE[1], "wamid": ids[PEOPLE[1]], "option": 1})
    (point,) = points(analytics(template_ids=f"[{ids['template']}]"))
    assert (point["template_id"], point["sent"], point["delivered"], point["read"]) == (ids["template"], 3, 3, 1)
    clicks = {(one["type"], one["button_content"]): one["count"] for one in point["clicked"]}
    assert clicks == {
        ("quick_reply_button", "Thanks"): 1,
        ("url_button", "Track"): 2,
        ("unique_url_button", "Track"): 1,
    }


@pytest.mark.usefixtures("enabled")
def test_an_address_opened_on_the_phone_counts(client: FlaskClient, world: World, analytics: Any, sent: Any) -> None:
    ids = sent()
    customer = world.store.value("select customer_id from messages where id = ?", ids[PEOPLE[0]])
    page = client.get(f"/phone/{customer}/links/{ids[PEOPLE[0]]}/1")
    assert (page.status_code, page.location) == (302, "https://x.example/t")
    assert points(analytics(template_ids=ids["template"]))[0]["clicked"][0]["count"] == 1


@pytest.mark.usefixtures("enabled")
def test_the_cost_is_hidden_where_a_partner_pays(analytics: Any, sent: Any, world: World) -> None:
    template = sent()["template"]
    assert "cost" not in points(analytics(template_ids=f"[{template}]"))[0]
    world.store.write("update wabas set allocation_id = null")
    assert {one["type"] for one in points(analytics(template_ids=f"[{template}]"))[0]["cost"]} >= {"amount_spent"}


@pytest.mark.usefixtures("enabled")
def test_only_the_metrics_that_were_asked_for_are_given(analytics: Any, sent: Any) -> None:
    (point,) = points(analytics(template_ids=sent()["template"], metric_types="sent"))
    assert set(point) == {"template_id", "start", "end", "sent"}


@pytest.mark.usefixtures("enabled")
def test_ten_templates_at_once_and_only_own_ones(analytics: Any) -> None:
    for ids in ("1", ",".join("1234567890a")):
        assert analytics(template_ids=ids)["error"]["code"] == 100


@pytest.mark.usefixtures("enabled")
def test_a_group_is_added_up(client: FlaskClient, shop: dict[str, str], analytics: Any, sent: Any) -> None:
    body = {"waba_id": shop["waba_id"], "template_ids": [sent()["template"]]}
    group = client.post("/control/api/template-groups", json=body).get_json()["id"]
    (point,) = points(analytics(template_group_ids=group))
    assert (point["template_group_id"], point["sent"]) == (group, 3)


def test_accounts_in_europe_have_no_analytics(client: FlaskClient, graph: Graph) -> None:
    shop = client.post("/control/api/seed", json={"name": "B", "display_phone_number": "+4930123456"}).get_json()
    path = f"{shop['waba_id']}/template_analytics?start=1&end=2&template_ids=1"
    assert graph("GET", path, token=shop["token"]).json["error"]["code"] == 200005


def test_two_templates_that_were_sent_often_are_compared(
    client: FlaskClient, graph: Graph, world: World, shop: dict[str, str], sent: Any
) -> None:
    ids = sent()
    about = {"phone_number_id": shop["phone_number_id"], "name": "other", "components": PARTS}
    other = client.post("/control/api/templates", json=about).get_json()["id"]
    now = int(world.clock.now())
    path = f"{ids['template']}/compare?template_ids=[{other}]&start={now - 7 * DAY}&end={now}"
    assert "1000 times" in graph("GET", path, token=shop["token"]).json["error"]["message"]
    many = """
        insert into messages (id, seq, phone_number_id, customer_id, direction, type, content, status, created_at,
          template_id)
        with recursive n(i) as (select 1 union all select i + 1 from n where i < 1000)
        select ? || i, i, 'n', 'c', 'out', 'template', '{}', 'sent', ?, ? from n"""
    for template in (ids["template"], other):
        world.store.write(many, template, now - 60, template)
    metrics = graph("GET", path, token=shop["token"]).json["data"]
    assert [one["metric"] for one in metrics] == ["BLOCK_RATE", "MESSAGE_SENDS", "TOP_BLOCK_REASON"]
    assert metrics[1]["number_values"][1] == {"key": other, "value": 1000}
