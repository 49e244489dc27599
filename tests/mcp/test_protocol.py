"""The door itself: who comes in, and what it makes of garbage."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.client import isolated
from tests.mcp.conftest import META, Assistant


def request(**more: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": META}} | more


def test_without_a_key_it_says_where_to_read_about_keys(assistant: Assistant) -> None:
    answer = assistant.post(request(), Authorization="", Mcp_Method="tools/list")
    header = answer.headers["WWW-Authenticate"]
    assert answer.status_code == 401 and answer.json and answer.json["error"]["data"]["code"] == "unauthorized"
    assert "messages:read" in header and ":write" not in header.partition('scope="')[2].partition('"')[0]
    path = header.partition('resource_metadata="')[2].rstrip('"').partition("://")[2].partition("/")[2]
    document = isolated(assistant.key.client.get, f"/{path}").json
    assert document and document["resource"].endswith("/mcp") and document["bearer_methods_supported"] == ["header"]
    assert document["authorization_servers"] and "messages:write" in document["scopes_supported"]


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT"])
def test_there_is_no_stream_and_no_session(assistant: Assistant, method: str) -> None:
    answer = isolated(assistant.key.client.open, "/mcp", method=method)
    assert answer.status_code == 405 and "POST" in answer.headers["Allow"] and answer.json


def test_nothing_below_it_is_a_page(assistant: Assistant) -> None:
    answer = isolated(assistant.key.client.get, "/mcp/nothing")
    assert answer.status_code == 404 and answer.json and answer.json["error"]["data"]["code"] == "not_found"


DEEP = b'{"jsonrpc":"2.0","id":1,"method":"tools/list","params":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
GARBAGE: list[tuple[Any, int, int]] = [
    (b"", 400, -32700),
    (b"{", 400, -32700),
    (b"\xff\xfe", 400, -32700),
    (DEEP, 400, -32700),
    (b'{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"x":NaN}}', 400, -32700),
    (b'{"jsonrpc":"2.0","id":1,"id":2,"method":"tools/list"}', 400, -32700),
    (b'{"id":' + b"9" * 10_000 + b"}", 400, -32700),
    ([request(), request()], 400, -32600),
    ([], 400, -32600),
    (5, 400, -32600),
    (None, 400, -32600),
    ({}, 400, -32600),
    (request(jsonrpc="1.0"), 400, -32600),
    (request(method=5), 400, -32600),
    (request(id=None), 400, -32600),
    (request(id=True), 400, -32600),
    (request(id={}), 400, -32600),
    (request(id="x" * 1_000), 400, -32600),
    (request(params=[]), 400, -32600),
    (request(params=None), 400, -32600),
    ({"jsonrpc": "2.0", "id": 1, "result": {}}, 400, -32600),
    (request(params={}), 400, -32602),
    (request(params={"_meta": 5}), 400, -32602),
    (request(params={"_meta": META | {"io.modelcontextprotocol/protocolVersion": 5}}), 400, -32020),
    (request(method="tools/call"), 400, -32020),
]


@pytest.mark.parametrize(("body", "status", "code"), GARBAGE)
def test_garbage_is_a_jsonrpc_error(assistant: Assistant, body: Any, status: int, code: int) -> None:
    started = time.process_time()
    answer = assistant.post(body if isinstance(body, bytes) else json.dumps(body).encode(), Mcp_Method="tools/list")
    assert answer.json and (answer.status_code, answer.json["error"]["code"]) == (status, code)
    assert time.process_time() - started < 1


def test_ten_megabytes_are_too_large(assistant: Assistant) -> None:
    answer = assistant.post(b'"' + b"x" * 10_000_000 + b'"', Mcp_Method="tools/list")
    assert answer.status_code == 413 and answer.json and answer.json["error"]["data"]["code"] == "too_large"
    assert "may have 1,000,000 bytes" in answer.json["error"]["message"]


def test_another_type_of_body_is_refused(assistant: Assistant) -> None:
    assert assistant.post(request(), Content_Type="text/plain").status_code == 415


def test_an_unknown_method_is_not_found(assistant: Assistant) -> None:
    answer = assistant.ask("resources/list")
    assert answer.json and (answer.status_code, answer.json["error"]["code"]) == (404, -32601)


def test_an_unknown_tool_is_an_error_of_the_request(assistant: Assistant) -> None:
    answer = assistant.ask("tools/call", name="drop_tables", arguments={})
    assert answer.json and (answer.status_code, answer.json["error"]["code"]) == (400, -32602)


def test_headers_that_say_something_else_are_refused(assistant: Assistant) -> None:
    answer = assistant.post(request(), Mcp_Method="tools/call")
    assert answer.json and answer.json["error"]["code"] == -32020


@pytest.mark.parametrize("method", ["initialize", "tools/list"])
def test_other_versions_are_named_the_one_there_is(assistant: Assistant, method: str) -> None:
    meta = META | {"io.modelcontextprotocol/protocolVersion": "2025-11-25"}
    params = {"_meta": meta, "protocolVersion": "2025-11-25"}
    answer = assistant.post(request(method=method, params=params), Mcp_Method=method, MCP_Protocol_Version="2025-11-25")
    assert answer.json and answer.json["error"]["code"] == -32022
    assert answer.json["error"]["data"] == {"supported": ["2026-07-28"], "requested": "2025-11-25"}


def test_a_notification_gets_no_answer(assistant: Assistant) -> None:
    answer = assistant.post({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {}})
    assert (answer.status_code, answer.data) == (202, b"")


def test_pages_of_other_sites_are_refused(assistant: Assistant) -> None:
    assert assistant.post(request(), Origin="https://evil.example", Mcp_Method="tools/list").status_code == 403


def test_it_counts_as_the_api_does(assistant: Assistant) -> None:
    assert '"key"' in assistant.ask("tools/list").headers["RateLimit"]
