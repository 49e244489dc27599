"""Assistants: programs that speak MCP, by hand and with the official client."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import httpx2
import pytest
from flask import Flask
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from werkzeug.test import TestResponse

from tests.api.conftest import Caller, MakeCaller, caller, carla, number, shop
from tests.client import isolated
from tests.simulated import Served

__all__ = ["caller", "carla", "number", "shop"]
VERSION = "2026-07-28"
META = {"io.modelcontextprotocol/protocolVersion": VERSION, "io.modelcontextprotocol/clientCapabilities": {}}


class Assistant:
    """A program with a key, which writes each request by hand."""

    def __init__(self, key: Caller) -> None:
        self.key = key

    def post(self, body: Any, **headers: str) -> TestResponse:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Authorization": f"Bearer {self.key.secret}", "Content-Type": "application/json"}
        sent |= {"MCP-Protocol-Version": VERSION} | {name.replace("_", "-"): each for name, each in headers.items()}
        return isolated(self.key.client.post, "/mcp", data=data, headers=sent)

    def ask(self, method: str, **params: Any) -> TestResponse:
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {"_meta": META} | params}
        named = {"Mcp_Name": str(params["name"])} if "name" in params else {}
        return self.post(body, Mcp_Method=method, **named)

    def call(self, tool: str, /, **arguments: Any) -> dict[str, Any]:
        answer = self.ask("tools/call", name=tool, arguments=arguments)
        assert answer.status_code == 200, answer.text
        return answer.json["result"]  # type: ignore[index,no-any-return]

    def data(self, tool: str, /, **arguments: Any) -> dict[str, Any]:
        """What a call that works answers."""
        result = self.call(tool, **arguments)
        assert not result["isError"], result
        return result["structuredContent"]["data"]  # type: ignore[no-any-return]

    def refusal(self, tool: str, /, **arguments: Any) -> str:
        """The code of what a call is refused for."""
        result = self.call(tool, **arguments)
        assert result["isError"], result
        return result["structuredContent"]["code"]  # type: ignore[no-any-return]


@pytest.fixture
def assistant(shop: Caller) -> Assistant:
    """An assistant of Bakery's that may do everything."""
    return Assistant(shop)


MakeAssistant = Callable[..., Assistant]


@pytest.fixture
def make_assistant(caller: MakeCaller) -> MakeAssistant:
    def make(*arguments: Any, **options: Any) -> Assistant:
        return Assistant(caller(*arguments, **options))

    return make


@pytest.fixture(scope="module")
def server(shared_app: Flask) -> Iterator[str]:
    with Served(shared_app) as served:
        yield served.url


Run = Callable[[Callable[[Client], Awaitable[Any]]], Any]


@pytest.fixture
def run(server: str, shop: Caller) -> Run:
    """Runs something with the official client, which has connected with the key of `shop`."""

    def with_client(do: Callable[[Client], Awaitable[Any]]) -> Any:
        async def connected() -> Any:
            headers = {"Authorization": f"Bearer {shop.secret}"}
            http = httpx2.AsyncClient(headers=headers, trust_env=False)
            async with http, Client(streamable_http_client(f"{server}/mcp", http_client=http)) as client:
                return await do(client)

        return asyncio.run(connected())

    return with_client
