"""WhatsApp Flows: the edges that manage them, what Meta finds wrong, and the phone that plays them."""

import io
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from simulator import World
from simulator.flow_rules import errors_in
from tests.simulator.stand_ins import Graph, Product


def footer(name: str, **action: Any) -> dict[str, Any]:
    return {"type": "Footer", "label": "Continue", "on-click-action": {"name": name, **action}}


def screen(id: str, *children: dict[str, Any], **more: Any) -> dict[str, Any]:
    form = {"type": "Form", "name": "form", "children": list(children)}
    return {"id": id, "title": "A", "layout": {"type": "SingleColumnLayout", "children": [form]}} | more


NAME = {"type": "TextInput", "name": "name", "label": "Name", "required": True}
BREAD = {"type": "RadioButtonsGroup", "name": "bread", "label": "Bread", "data-source": [{"id": "0", "title": "Rye"}]}
NEXT = footer("navigate", next={"type": "screen", "name": "B"}, payload={})
DONE = footer("complete", payload={"name": "${screen.A.form.name}", "bread": "${form.bread}"})
FORM: dict[str, Any] = {
    "version": "7.3",
    "screens": [screen("A", NAME, NEXT), screen("B", BREAD, DONE, terminal=True)],
}


@pytest.fixture
def waba(shop: dict[str, str]) -> str:
    return shop["waba_id"]


class Flows:
    def __init__(self, graph: Graph, shop: dict[str, str]) -> None:
        self.graph, self.shop, self.token = graph, shop, shop["token"]

    def call(self, method: str, path: str, **request: Any) -> Any:
        return self.graph(method, path, token=self.token, **request)

    def create(self, name: str = "Order", **more: Any) -> str:
        answer = self.call("POST", f"{self.shop['waba_id']}/flows", json={"name": name, "categories": ["OTHER"]} | more)
        assert answer.status_code == 200, answer.json
        return str(answer.json["id"])

    def upload(self, id: str, flow_json: Any) -> Any:
        text = flow_json if isinstance(flow_json, str) else json.dumps(flow_json)
        data = {"name": "flow.json", "asset_type": "FLOW_JSON", "file": (io.BytesIO(text.encode()), "flow.json")}
        return self.call("POST", f"{id}/assets", data=data)

    def published(self, flow_json: Any = None) -> str:
        id = self.create()
        assert self.upload(id, flow_json or FORM).json == {"success": True, "validation_errors": []}
        assert self.call("POST", f"{id}/publish").json == {"success": True}
        return id


@pytest.fixture
def flows(graph: Graph, shop: dict[str, str]) -> Flows:
    return Flows(graph, shop)


def test_a_flow_is_made_as_a_draft_and_listed(flows: Flows, waba: str) -> None:
    id = flows.create()
    listed = flows.call("GET", f"{waba}/flows").json["data"]
    assert [(one["id"], one["status"], one["categories"]) for one in listed] == [(id, "DRAFT", ["OTHER"])]


def test_a_name_is_taken_once(flows: Flows, waba: str) -> None:
    flows.create()
    again = flows.call("POST", f"{waba}/flows", json={"name": "Order", "categories": ["OTHER"]})
    assert again.json["error"]["code"] == 100


def test_the_json_that_was_uploaded_can_be_downloaded(flows: Flows, client: FlaskClient) -> None:
    id = flows.create()
    flows.upload(id, FORM)
    (asset,) = flows.call("GET", f"{id}/assets").json["data"]
    path = re.sub(r"^https?://[^/]+", "", asset["download_url"])
    assert client.get(path).json == FORM
    assert client.get(path.replace("/flow.json", "x/flow.json")).status_code == 404


def test_status_changes_are_posted(flows: Flows, product: Product, settle: Callable[[], None]) -> None:
    id = flows.published()
    flows.call("POST", f"{id}/deprecate")
    settle()
    changes = [(one.get("old_status"), one["new_status"]) for one in product.values("flows")]
    assert sorted(changes, key=str) == sorted(
        [(None, "DRAFT"), ("DRAFT", "PUBLISHED"), ("PUBLISHED", "DEPRECATED")], key=str
    )


@pytest.mark.parametrize(
    ("act", "code"), [("publish", 139002), ("assets", 139001), ("delete", 139004), ("deprecate", 139003)]
)
def test_a_published_flow_is_not_changed(flows: Flows, act: str, code: int) -> None:
    id = flows.published()
    if act == "deprecate":
        flows.call("POST", f"{id}/deprecate")
    if act == "assets":
        answer = flows.upload(id, FORM)
    elif act == "delete":
        answer = flows.call("DELETE", id)
    else:
        answer = flows.call("POST", f"{id}/{act}")
    assert answer.json["error"]["code"] == code


def test_a_draft_with_errors_is_not_published(flows: Flows) -> None:
    id = flows.create()
    errors = flows.upload(id, FORM | {"version": "1.0"}).json["validation_errors"]
    assert errors[0]["error"] == "INVALID_VERSION"
    assert flows.call("POST", f"{id}/publish").json["error"]["code"] == 139002


@pytest.mark.parametrize(
    ("flow_json", "kind"),
    [
        ("{", "INVALID_FORMAT"),
        ("[]", "INVALID_PROPERTY_TYPE"),
        ({"version": "7.3", "screens": []}, "REQUIRED_PROPERTY_MISSING"),
        ({"version": "7.3", "screens": [screen("A1", NAME, DONE, terminal=True)]}, "INVALID_SCREEN_ID"),
        ({"version": "7.3", "screens": [screen("A", NAME, NAME, terminal=True)]}, "DUPLICATE_FORM_COMPONENT_NAMES"),
        ({"version": "7.3", "screens": [screen("A", NAME, NEXT)]}, "MISSING_TERMINAL_SCREEN"),
        ({"version": "7.3", "screens": [screen("A", NAME | {"label": "x" * 21})]}, "TEXT_TOO_LONG"),
        ({"version": "7.3", "screens": [screen("A", {"type": "Slider"})]}, "INVALID_COMPONENT"),
        ({"version": "7.3", "screens": [screen("A", NAME, footer("data_exchange"))]}, "INVALID_DATA_EXCHANGE"),
        (
            {"version": "7.3", "screens": [screen("A", footer("complete", payload={"a": "${form.b}"}))]},
            "INVALID_REFERENCE",
        ),
    ],
)
def test_what_is_wrong_is_named(flow_json: Any, kind: str) -> None:
    text = flow_json if isinstance(flow_json, str) else json.dumps(flow_json)
    assert kind in [error["error"] for error in errors_in(text)]


def test_a_form_that_is_right_has_no_errors() -> None:
    assert errors_in(json.dumps(FORM)) == []


def sent(flows: Flows, shop: dict[str, str], write: Callable[..., Any], settle: Callable[[], None], **more: Any) -> str:
    """The message with the form, and the phone's address of it."""
    id = flows.published()
    write(shop)
    parameters = {"flow_message_version": "3", "flow_id": id, "flow_cta": "Order", "flow_token": "tok"} | more
    flow = {"type": "flow", "body": {"text": "Order"}, "action": {"name": "flow", "parameters": parameters}}
    answer = flows.graph.send(shop, "16505551234", type="interactive", interactive=flow, text=None)
    settle()
    return str(answer.json["messages"][0]["id"])


@pytest.fixture
def form(
    client: FlaskClient,
    world: World,
    flows: Flows,
    shop: dict[str, str],
    write: Callable[..., Any],
    settle: Callable[[], None],
) -> str:
    wamid = sent(flows, shop, write, settle)
    customer = world.store.value("select id from customers where wa_id = '16505551234'")
    return f"/phone/{customer}/{shop['phone_number_id']}/flows/{wamid}/0"


def state_in(page: Any) -> str:
    match = re.search(r'name="state" value="([^"]*)"', page.text)
    assert match
    return match[1].replace("&#34;", '"').replace("&amp;", "&")


def test_the_phone_plays_a_form_screen_by_screen(
    client: FlaskClient, form: str, product: Product, settle: Callable[[], None]
) -> None:
    first = client.get(form)
    assert "Name" in first.text and "Bread" not in first.text
    second = client.post(form, data={"state": state_in(first), "field-name": "Carla"})
    assert "Bread" in second.text
    assert client.post(form, data={"state": state_in(second), "field-bread": "0"}).status_code == 303
    settle()
    (reply,) = [one for one in product.inbound() if one["type"] == "interactive"]
    answers = json.loads(reply["interactive"]["nfm_reply"]["response_json"])
    assert answers == {"flow_token": "tok", "name": "Carla", "bread": "0"}


def test_the_phone_shows_what_was_sent_in_as_a_card(client: FlaskClient, form: str) -> None:
    second = client.post(form, data={"state": state_in(client.get(form)), "field-name": "Carla"})
    client.post(form, data={"state": state_in(second), "field-bread": "0"})
    chat = client.get(form.partition("/flows/")[0]).text
    assert re.search(r"<dt[^>]*>Name</dt>\s*<dd[^>]*>Carla</dd>", chat)
    assert re.search(r"<dt[^>]*>Bread</dt>\s*<dd[^>]*>Rye</dd>", chat)
    assert "response_json" not in chat and "&#34;name&#34;" not in chat and "flow_token" not in chat


def test_a_required_field_does_not_leave_the_screen(client: FlaskClient, form: str) -> None:
    page = client.post(form, data={"state": state_in(client.get(form)), "field-name": " "})
    assert "Required" in page.text and "Bread" not in page.text


def test_the_way_back_restores_what_was_filled_in(client: FlaskClient, form: str) -> None:
    second = client.post(form, data={"state": state_in(client.get(form)), "field-name": "Carla"})
    first = client.post(form, data={"state": state_in(second), "back": "1"})
    assert 'value="Carla"' in first.text


@pytest.mark.parametrize(("knob", "count", "has_token"), [("flow_without_token", 1, False), ("flow_twice", 2, True)])
def test_knobs_leave_the_token_out_or_send_twice(
    client: FlaskClient,
    world: World,
    form: str,
    product: Product,
    settle: Callable[[], None],
    knob: str,
    count: int,
    has_token: bool,
) -> None:
    world.knobs[knob] = 1
    second = client.post(form, data={"state": state_in(client.get(form)), "field-name": "Carla"})
    client.post(form, data={"state": state_in(second), "field-bread": "0"})
    settle()
    replies = [one["interactive"]["nfm_reply"] for one in product.inbound() if one["type"] == "interactive"]
    assert len(replies) == count
    assert ("flow_token" in json.loads(replies[0]["response_json"])) == has_token


def test_a_key_is_registered_and_shown(flows: Flows, shop: dict[str, str]) -> None:
    path = f"{shop['phone_number_id']}/whatsapp_business_encryption"
    assert flows.call("GET", path).json == {"data": []}
    assert flows.call("POST", path, json={"business_public_key": "nonsense"}).json["error"]["code"] == 100
