from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.simulator.stand_ins import Graph, Product

REPLY = {"type": "reply", "reply": {"id": "yes", "title": "Yes"}}
BUTTONS = {"type": "button", "body": {"text": "Well?"}, "action": {"buttons": [REPLY]}}
LIST = {
    "type": "list",
    "body": {"text": "Which?"},
    "action": {"button": "Choose", "sections": [{"rows": [{"id": "a", "title": "A"}, {"id": "b", "title": "B"}]}]},
}
LINK = {
    "type": "cta_url",
    "body": {"text": "Look"},
    "action": {"name": "cta_url", "parameters": {"display_text": "Open", "url": "https://x.example"}},
}
WHERE = {"type": "location_request_message", "body": {"text": "Where?"}, "action": {"name": "send_location"}}
FLOW = {
    "type": "flow",
    "body": {"text": "Book"},
    "action": {"name": "flow", "parameters": {"flow_message_version": "3", "flow_id": "1", "flow_cta": "Book"}},
}
ANN = {"name": {"formatted_name": "Ann Li", "first_name": "Ann"}, "phones": [{"phone": "+16505550100"}]}


@pytest.fixture
def talk(client: FlaskClient, shop: dict[str, str], write: Callable[..., dict[str, str]]) -> Any:
    write(shop)
    client.post("/control/api/flows", json={"phone_number_id": shop["phone_number_id"], "flow_id": "1"})
    return shop


def sent(graph: Graph, shop: dict[str, str], kind: str, content: Any) -> int:
    answer = graph.send(shop, "16505551234", type=kind, **{kind: content})
    return answer.json["error"]["code"] if answer.status_code != 200 else 200


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("location", {"latitude": "37.44", "longitude": -122.16, "name": "HQ"}),
        ("contacts", [ANN]),
        *[("interactive", content) for content in (BUTTONS, LIST, LINK, WHERE, FLOW)],
    ],
)
def test_what_whatsapp_carries_arrives(
    graph: Graph, product: Product, talk: Any, settle: Callable[[], None], kind: str, content: Any
) -> None:
    assert sent(graph, talk, kind, content) == 200
    settle()
    assert [status["status"] for status in product.statuses()] == ["sent", "delivered"]


@pytest.mark.parametrize(
    ("kind", "content", "code"),
    [
        ("text", {"body": "x", "colour": "red"}, 100),
        ("image", {"id": "123456"}, 100),
        ("image", {"link": "ftp://plain.example/a.png"}, 131009),
        ("image", {"id": "1", "link": "https://x.example/a.png"}, 131009),
        ("location", {"latitude": 91, "longitude": 0}, 131009),
        ("location", {"latitude": 9}, 131008),
        ("contacts", [], 131009),
        ("contacts", [{"name": {"formatted_name": "Ann"}}], 131009),
        ("reaction", {"emoji": "👍"}, 131008),
        ("reaction", {"message_id": "wamid.x", "emoji": "great"}, 131009),
        ("interactive", {"type": "dance"}, 131009),
        ("interactive", BUTTONS | {"body": {"text": "x" * 1025}}, 100),
        ("interactive", BUTTONS | {"footer": {"text": "x" * 61}}, 100),
        ("interactive", BUTTONS | {"action": {"buttons": [REPLY, REPLY]}}, 131009),
        ("interactive", BUTTONS | {"action": {"buttons": []}}, 131009),
        ("interactive", LIST | {"header": {"type": "image", "image": {"link": "https://x.example"}}}, 131009),
        ("interactive", LIST | {"action": {"button": "x" * 21, "sections": []}}, 100),
        ("interactive", WHERE | {"footer": {"text": "No"}}, 131009),
        ("template", {"name": "x"}, 131008),
    ],
)
def test_every_limit_has_its_code(graph: Graph, talk: Any, kind: str, content: Any, code: int) -> None:
    assert sent(graph, talk, kind, content) == code


def test_eleven_rows_are_too_many(graph: Graph, talk: Any) -> None:
    rows = [{"id": str(n), "title": f"Row {n}"} for n in range(6)]
    more = [{"id": f"m{n}", "title": f"More {n}"} for n in range(5)]
    sections = [{"title": "One", "rows": rows}, {"title": "Two", "rows": more}]
    assert sent(graph, talk, "interactive", LIST | {"action": {"button": "Choose", "sections": sections}}) == 131009


def test_a_reaction_is_only_ever_sent(
    graph: Graph,
    product: Product,
    shop: dict[str, str],
    write: Callable[..., dict[str, str]],
    settle: Callable[[], None],
) -> None:
    target = write(shop)["wamid"]
    sent(graph, shop, "reaction", {"message_id": target, "emoji": "👍"})
    sent(graph, shop, "reaction", {"message_id": target, "emoji": ""})
    settle()
    assert [status["status"] for status in product.statuses()] == ["sent", "sent"]


def test_reacting_to_nothing_fails_later(graph: Graph, product: Product, talk: Any, settle: Callable[[], None]) -> None:
    assert sent(graph, talk, "reaction", {"message_id": "wamid.gone", "emoji": "👍"}) == 200
    settle()
    assert product.statuses()[0]["errors"][0]["code"] == 131009


def test_a_reaction_cannot_quote(graph: Graph, talk: Any) -> None:
    reaction = {"message_id": "wamid.x", "emoji": "👍"}
    answer = graph.send(talk, "16505551234", type="reaction", reaction=reaction, context={"message_id": "wamid.y"})
    assert answer.json["error"]["code"] == 131009
