import hashlib
import hmac
import json
import logging
import socket
import threading
from typing import Any

import httpx
import pytest

from app.meta.errors import Kind
from app.meta.graph import GraphClient, GraphError, MetaError, NoAnswer, NotConnected

from .conftest import SECRET, TOKEN, Wire


def test_an_answer_is_its_json(graph: GraphClient, wire: Wire) -> None:
    wire.answers({"id": "1", "name": "Lucky Shrub"})
    assert graph.get("1", token=TOKEN, params={"fields": "name"}) == {"id": "1", "name": "Lucky Shrub"}
    assert str(wire.request.url).startswith("https://graph.test/v25.0/1?fields=name")


def test_the_token_travels_in_its_header_and_is_proved(graph: GraphClient, wire: Wire) -> None:
    wire.answers({"success": True})
    graph.post("1/register", token=TOKEN, json={"pin": "123456"})
    proof = hmac.new(SECRET.encode(), TOKEN.encode(), hashlib.sha256).hexdigest()
    assert wire.request.headers["authorization"] == f"Bearer {TOKEN}"
    assert wire.request.url.params["appsecret_proof"] == proof
    assert TOKEN not in str(wire.request.url)


def test_without_a_token_nothing_is_proved(graph: GraphClient, wire: Wire) -> None:
    wire.answers({})
    graph.get("oauth/access_token", token=None)
    assert "authorization" not in wire.request.headers
    assert not wire.request.url.query


def test_lists_travel_in_a_query_as_json(graph: GraphClient, wire: Wire) -> None:
    wire.answers({"success": True})
    graph.post("1/assigned_users", token=TOKEN, params={"tasks": ["MANAGE"], "business": None})
    assert wire.params == {"tasks": '["MANAGE"]'}


def test_pages_follow_the_cursor_to_the_last_page(graph: GraphClient, wire: Wire) -> None:
    first = {"data": [{"id": "1"}], "paging": {"cursors": {"after": "c1"}, "next": "https://graph.test/"}}
    wire.answers(first, {"data": [{"id": "2"}], "paging": {"cursors": {"after": "c2"}}})
    assert [item["id"] for item in graph.pages("9/phone_numbers", token=TOKEN, params={})] == ["1", "2"]
    assert wire.params == {"after": "c1"}


def test_pages_end_when_the_cursor_does_not_move(graph: GraphClient, wire: Wire) -> None:
    page = {"data": [{"id": "1"}], "paging": {"cursors": {"after": "c1"}, "next": "https://graph.test/"}}
    wire.answers(page, page)
    assert len(list(graph.pages("9/phone_numbers", token=TOKEN, params={}))) == 2


def test_metas_refusal_has_its_words_and_ours(graph: GraphClient, wire: Wire) -> None:
    details = {"messaging_product": "whatsapp", "details": "More than 24 hours have passed."}
    wire.refuses(code=131047, message="(#131047) Re-engagement", error_data=details, fbtrace_id="Az8")
    with pytest.raises(GraphError) as refusal:
        graph.post("1/messages", token=TOKEN, json={})
    error = refusal.value
    assert (error.kind, error.code, error.fbtrace_id) == (Kind.FINAL, 131047, "Az8")
    assert (error.details, error.http_status) == ("More than 24 hours have passed.", 400)
    assert error.title.endswith(".")
    assert error.fix.endswith(".")


def test_a_refusal_can_be_stored_as_json(graph: GraphClient, wire: Wire) -> None:
    wire.refuses(code=190, error_subcode=463, message="Session expired \x00", type="OAuthException")
    with pytest.raises(GraphError) as refusal:
        graph.get("1", token=TOKEN)
    stored = json.loads(json.dumps(refusal.value.as_dict()))
    assert stored["kind"] == "pause_number"
    assert (stored["code"], stored["subcode"], stored["details"]) == (190, 463, "Session expired \ufffd")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ({"message": "m", "error_data": "a plain string"}, "a plain string"),
        ({"message": "m", "error_user_title": "Title", "error_user_msg": "Say."}, "Title: Say."),
        ({"message": "m", "error_data": {"details": ""}}, "m"),
        ({"message": 7}, "7"),
        ({}, None),
    ],
)
def test_the_best_of_metas_words_is_stored(graph: GraphClient, wire: Wire, error: Any, words: str) -> None:
    wire.refuses(code=100, **error)
    with pytest.raises(GraphError) as refusal:
        graph.get("1", token=TOKEN)
    assert refusal.value.details == words


def test_a_refusal_inside_a_200_is_still_a_refusal(graph: GraphClient, wire: Wire) -> None:
    wire.refuses(200, code=131030, message="not allowed")
    with pytest.raises(GraphError):
        graph.post("1/messages", token=TOKEN, json={})


def test_metas_stated_waiting_time_is_stored_in_seconds(graph: GraphClient, wire: Wire) -> None:
    usage = '{"1022": [{"type": "whatsapp", "estimated_time_to_regain_access": 7}]}'
    headers = {"x-business-use-case-usage": usage}
    wire.answers(httpx.Response(400, json={"error": {"code": 80007}}, headers=headers))
    with pytest.raises(GraphError) as refusal:
        graph.get("1", token=TOKEN)
    assert (refusal.value.kind, refusal.value.wait) == (Kind.RETRY_LATER, 420)


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (400, {"code": 987654}, Kind.HUMAN),
        (400, {"code": 987654, "is_transient": True}, Kind.RETRY),
        (500, {"code": 987654}, Kind.UNKNOWN_OUTCOME),
        (429, {"code": 987654}, Kind.THROTTLE),
    ],
)
def test_an_unknown_code_is_judged_by_the_rest_of_the_answer(
    graph: GraphClient, wire: Wire, status: Any, error: Any, kind: str
) -> None:
    wire.refuses(status, **error)
    with pytest.raises(GraphError) as refusal:
        graph.get("1", token=TOKEN)
    assert refusal.value.kind is kind


@pytest.mark.parametrize(
    "answer",
    [
        httpx.ReadTimeout("no answer"),
        httpx.ReadError("connection reset"),
        httpx.WriteError("broken pipe"),
        httpx.WriteTimeout("too slow"),
        httpx.RemoteProtocolError("Server disconnected without sending a response."),
        httpx.Response(502, html="<h1>Bad gateway</h1>"),
        httpx.Response(500, json={"message": "not Meta's form"}),
        httpx.Response(503, json={"error": "not Meta's form"}),
        httpx.Response(302, headers={"location": "https://elsewhere.test"}),
        httpx.Response(200, html="<h1>Welcome to this hotel's network</h1>"),
        httpx.Response(200, json=[1]),
        httpx.Response(200),
    ],
)
def test_a_lost_or_strange_answer_leaves_the_outcome_open(graph: GraphClient, wire: Wire, answer: Any) -> None:
    wire.answers(answer)
    with pytest.raises(NoAnswer) as lost:
        graph.post("1/messages", token=TOKEN, json={})
    assert lost.value.kind is Kind.UNKNOWN_OUTCOME
    assert len(wire.requests) == 1


@pytest.mark.parametrize(
    "failure",
    [
        httpx.ConnectError("[Errno -2] Name or service not known"),
        httpx.ConnectTimeout("too slow"),
        httpx.PoolTimeout("too busy"),
    ],
)
def test_without_a_connection_nothing_was_done(graph: GraphClient, wire: Wire, failure: Any) -> None:
    wire.answers(failure)
    with pytest.raises(NotConnected) as unavailable:
        graph.post("1/messages", token=TOKEN, json={})
    assert unavailable.value.kind is Kind.RETRY


def test_a_bare_429_says_that_nothing_was_done(graph: GraphClient, wire: Wire) -> None:
    wire.answers(httpx.Response(429, html="slow down"))
    with pytest.raises(GraphError) as refusal:
        graph.post("1/messages", token=TOKEN, json={})
    assert (refusal.value.kind, refusal.value.code) == (Kind.THROTTLE, None)


def test_a_closed_port_is_not_connected() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    graph = GraphClient(f"http://127.0.0.1:{port}", "v25.0", "1", SECRET)
    with pytest.raises(NotConnected):
        graph.get("1", token=TOKEN)


def test_a_connection_dropped_after_the_request_is_no_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def read_and_hang_up() -> None:
            connection, _ = server.accept()
            connection.recv(65_536)
            connection.close()

        thread = threading.Thread(target=read_and_hang_up)
        thread.start()
        graph = GraphClient(f"http://127.0.0.1:{server.getsockname()[1]}", "v25.0", "1", SECRET)
        with pytest.raises(NoAnswer):
            graph.post("1/messages", token=TOKEN, json={"messaging_product": "whatsapp"})
        thread.join()
        graph.close()


@pytest.mark.parametrize("path", ["", "/1", "1/../2", "1?fields=id", "1/messages#", "1//2", "é", "1 2"])
def test_a_path_that_is_not_metas_never_leaves_the_house(graph: GraphClient, wire: Wire, path: str) -> None:
    with pytest.raises(ValueError, match="not a path"):
        graph.get(path, token=TOKEN)
    assert not wire.requests


def test_a_call_can_be_refused_before_it_is_made(graph: GraphClient, wire: Wire) -> None:
    def refuse() -> None:
        raise RuntimeError("a transaction is open")

    graph.before_call = refuse
    with pytest.raises(RuntimeError):
        graph.get("1", token=TOKEN)
    assert not wire.requests


@pytest.mark.parametrize("token", ["EAAsecret\n", "EAAsecrét", "EAA\x00secret"])
def test_a_damaged_token_is_not_sent_and_not_shown(graph: GraphClient, wire: Wire, token: str) -> None:
    with pytest.raises(NotConnected) as damaged:
        graph.get("1", token=token)
    assert damaged.value.kind is Kind.PAUSE_NUMBER
    assert "secr" not in f"{damaged.value}{damaged.value!r}{damaged.value.as_dict()}"
    assert not wire.requests


def everything_shown(error: BaseException | None) -> str:
    shown = ""
    while error is not None:
        shown += f"{error} {error!r} {vars(error)}"
        error = error.__cause__ or error.__context__
    return shown


@pytest.mark.parametrize(
    "answer",
    [
        httpx.ReadTimeout(f"Bearer {TOKEN}"),
        httpx.ConnectError(f"Bearer {TOKEN}"),
        httpx.LocalProtocolError(f"Illegal header value b'Bearer {TOKEN}'"),
        httpx.Response(502, text=TOKEN),
        httpx.Response(401, json={"error": {"code": 190, "message": f"Malformed access token {TOKEN}"}}),
        httpx.Response(400, json={"error": {"code": 100, "error_data": "x" * 1_990 + TOKEN + SECRET}}),
    ],
)
def test_neither_token_nor_secret_is_in_an_error_or_a_log(
    graph: GraphClient, wire: Wire, caplog: pytest.LogCaptureFixture, answer: Any
) -> None:
    caplog.set_level(logging.DEBUG)
    wire.answers(answer)
    with pytest.raises(MetaError) as failure:
        graph.post("1/messages", token=TOKEN, json={}, params={"client_secret": SECRET})
    shown = everything_shown(failure.value) + caplog.text + repr(graph)
    assert TOKEN not in shown
    assert TOKEN[:12] not in shown
    assert SECRET not in shown


def test_a_successful_call_with_a_secret_in_its_address_is_not_logged(
    graph: GraphClient, wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    wire.answers({})
    graph.get("debug_token", token=graph.app_token, params={"input_token": TOKEN})
    assert TOKEN not in caplog.text
    assert SECRET not in caplog.text
