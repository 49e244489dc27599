import sqlite3
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from simulator import World
from tests.simulator.stand_ins import Graph, Product


def test_seeding_the_same_number_twice_gives_the_same_client(client: FlaskClient, shop: dict[str, str]) -> None:
    again = client.post("/control/api/seed", json={"name": "Other", "display_phone_number": "15550783881"})
    assert again.json == shop


def test_a_seeded_number_can_send_at_once(graph: Graph, shop: dict[str, str]) -> None:
    assert graph.send(shop, "16505551234").status_code == 200


def test_a_new_token_replaces_a_revoked_one(client: FlaskClient, shop: dict[str, str]) -> None:
    client.post("/control/api/tokens/revoke", json={"token": shop["token"]})
    again = client.post("/control/api/seed", json={"name": "Lucky Shrub", "display_phone_number": "15550783881"})
    assert again.get_json()["token"] != shop["token"]
    assert again.get_json()["waba_id"] == shop["waba_id"]


def test_deliveries_show_what_was_answered(
    client: FlaskClient,
    product: Product,
    shop: dict[str, str],
    write: Callable[..., dict[str, str]],
    settle: Callable[[], None],
) -> None:
    write(shop)
    settle()
    newest = client.get("/control/api/deliveries").get_json()["deliveries"][0]
    assert (newest["state"], newest["answer"], newest["attempts"]) == ("delivered", 200, 1)


def test_the_accepted_log_cannot_be_rewritten(world: World, graph: Graph, shop: dict[str, str]) -> None:
    graph.send(shop, "16505551234")
    for sql in ("delete from accepted", "update accepted set wamid = 'x'"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            world.store.write(sql)


def test_resetting_forgets_everything(client: FlaskClient, graph: Graph, shop: dict[str, str]) -> None:
    graph.send(shop, "16505551234")
    client.post("/control/api/reset")
    state = client.get("/control/api/state").get_json()
    assert (state["wabas"], state["tokens"]) == ([], [])
    assert client.get("/control/accepted").get_json()["accepted"] == []


def test_knobs_can_be_turned_and_read(client: FlaskClient) -> None:
    assert client.post("/control/api/knobs", json={"duplicates": 0.5}).get_json()["duplicates"] == 0.5
    assert client.post("/control/api/knobs", json={"gravity": 1}).status_code == 400


def test_what_is_missing_is_named(client: FlaskClient) -> None:
    answer = client.post("/control/api/inbound", json={})
    assert (answer.status_code, answer.json) == (400, {"error": "phone_number_id is missing"})


def test_the_panel_shows_the_businesses(client: FlaskClient, shop: dict[str, str]) -> None:
    page = client.get("/control")
    assert "Lucky Shrub" in page.text
    assert shop["token"] not in page.text
    assert "unsafe" not in page.headers["Content-Security-Policy"]


def test_a_failure_can_be_ordered_on_the_panel(client: FlaskClient, graph: Graph, shop: dict[str, str]) -> None:
    client.post("/control/faults", data={"edge": "messages", "kind": "error", "code": "130429", "times": "1"})
    assert "messages · error 130429 · × 1" in client.get("/control").text
    assert graph.send(shop, "16505551234").json["error"]["code"] == 130429


def test_the_panel_plays_the_business_app(
    client: FlaskClient, product: Product, shop: dict[str, str], settle: Callable[[], None]
) -> None:
    app = f"/control/numbers/{shop['phone_number_id']}/app"
    client.post(app, data={"act": "join"})
    client.post(app, data={"act": "echo", "to": "16505551234", "text": "From the phone"})
    settle()
    assert product.values("smb_message_echoes")[0]["message_echoes"][0]["text"] == {"body": "From the phone"}


def test_the_panel_hands_out_templates_and_judges_them(client: FlaskClient, shop: dict[str, str]) -> None:
    client.post("/control/templates")
    template = client.get("/control/api/templates").get_json()["templates"][0]
    client.post(f"/control/templates/{template['id']}", data={"status": "PAUSED"})
    assert client.get("/control/api/templates").get_json()["templates"][0]["status"] == "PAUSED"


def test_the_panel_lists_the_magic_numbers(client: FlaskClient) -> None:
    page = client.get("/control").text
    assert "15558000003" in page
    assert "15559131047" in page
