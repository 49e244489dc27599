from typing import Any

import pytest

from app.meta.errors import GraphError, NoAddress, NoAnswer
from app.meta.graph import GraphClient
from app.meta.messages import Accepted, mark_read, send
from app.meta.outgoing import content_of

from .conftest import TOKEN, Wire

ACCEPTED = {
    "messaging_product": "whatsapp",
    "contacts": [{"input": "+16505551234", "wa_id": "16505551234", "user_id": "US.134"}],
    "messages": [{"id": "wamid.A", "message_status": "accepted"}],
}


def send_text(*arguments: Any, body: Any, **more: Any) -> Any:
    return send(*arguments, content=content_of("text", body, {}), **more)


def test_a_text_is_accepted_under_its_wamid(graph: GraphClient, wire: Wire) -> None:
    wire.answers(ACCEPTED)
    accepted = send_text(graph, TOKEN, "1065", to="16505551234", body="Hi", callback_data="v1.x")
    assert accepted == Accepted("wamid.A", "16505551234", "US.134", "accepted")
    assert wire.request.url.path == "/v25.0/1065/messages"
    assert wire.json["text"] == {"body": "Hi", "preview_url": False}
    assert wire.json["biz_opaque_callback_data"] == "v1.x"


@pytest.mark.parametrize("to", ["16505551234", "+16505551234"])
def test_a_number_never_goes_out_as_a_local_one(graph: GraphClient, wire: Wire, to: Any) -> None:
    wire.answers(ACCEPTED)
    send_text(graph, TOKEN, "1065", to=to, body="Hi", callback_data=None)
    assert wire.json["to"] == "+16505551234"


def test_a_person_without_a_number_is_sent_to_by_user_id(graph: GraphClient, wire: Wire) -> None:
    wire.answers({"messages": [{"id": "wamid.A"}]})
    accepted = send_text(graph, TOKEN, "1065", recipient="US.134", body="Hi", callback_data=None)
    assert accepted == Accepted("wamid.A", None, None, None)
    assert wire.json["recipient"] == "US.134"
    assert "to" not in wire.json


def test_a_reply_names_the_message_it_answers(graph: GraphClient, wire: Wire) -> None:
    wire.answers(ACCEPTED)
    send_text(graph, TOKEN, "1065", to="1", body="Hi", callback_data=None, context_wamid="wamid.Q")
    assert wire.json["context"] == {"message_id": "wamid.Q"}


def test_any_content_can_be_sent(graph: GraphClient, wire: Wire) -> None:
    wire.answers(ACCEPTED)
    content = {"type": "template", "template": {"name": "hello_world", "language": {"code": "en_US"}}}
    send(graph, TOKEN, "1065", to="1", content=content, callback_data=None)
    assert wire.json["template"] == content["template"]


def test_a_message_without_an_address_is_not_sent(graph: GraphClient) -> None:
    with pytest.raises(NoAddress):
        send_text(graph, TOKEN, "1065", body="Hi", callback_data=None)


@pytest.mark.parametrize("answer", [{}, {"messages": []}, {"messages": [{}]}, {"messages": "wamid"}])
def test_an_answer_without_a_wamid_leaves_the_outcome_open(graph: GraphClient, wire: Wire, answer: Any) -> None:
    wire.answers(answer)
    with pytest.raises(NoAnswer):
        send_text(graph, TOKEN, "1065", to="1", body="Hi", callback_data=None)


def test_a_refusal_is_raised(graph: GraphClient, wire: Wire) -> None:
    wire.refuses(code=131047, message="Re-engagement")
    with pytest.raises(GraphError):
        send_text(graph, TOKEN, "1065", to="1", body="Hi", callback_data=None)


def test_reading_can_show_typing(graph: GraphClient, wire: Wire) -> None:
    wire.answers({"success": True}, {"success": True})
    mark_read(graph, TOKEN, "1065", "wamid.A")
    assert wire.json == {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.A"}
    mark_read(graph, TOKEN, "1065", "wamid.A", typing=True)
    assert wire.json["typing_indicator"] == {"type": "text"}
