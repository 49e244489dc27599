"""The official client signs in by itself: it reads where, registers, sends the person there, and fetches its tokens."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable, Collection
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx2
import pytest
from flask import Flask
from mcp import Client
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken
from pydantic import AnyUrl

from app.extensions import outside
from app.inbox.conversations import Conversation
from tests.client import Browser
from tests.mcp.test_official_client import NAMES

CALLBACK = "http://127.0.0.1:4711/callback"


class Memory:
    """What the client stores."""

    tokens: OAuthToken | None = None
    client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


class Person:
    """Somebody at a browser, who allows what they are asked for, but for what is `withheld`."""

    def __init__(self, browser: Browser, withheld: Collection[str] = ()) -> None:
        self.browser, self.withheld, self.brought, self.visits = browser, withheld, "", 0

    async def go(self, url: str) -> None:
        self.visits += 1
        query = parse_qsl(urlsplit(url).query)
        page = self.browser.get("/oauth/authorize", query_string=query).headers["Location"]
        scopes = [each for each in dict(query)["scope"].split() if each not in self.withheld]
        self.brought = self.browser.post(page, {"scopes": scopes}).headers["Location"]

    async def come_back(self) -> AuthorizationCodeResult:
        brought = {name: values[0] for name, values in parse_qs(urlsplit(self.brought).query).items()}
        return AuthorizationCodeResult(code=brought["code"], state=brought["state"], iss=brought["iss"])


@pytest.fixture
def here(server: str, shared_app: Flask, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of the server, which knows it by that."""
    ours = outside(shared_app)
    moved = dataclasses.replace(ours, settings=ours.settings.model_copy(update={"public_url": server}))
    monkeypatch.setitem(shared_app.extensions, "outside", moved)
    return server


def signed_in(url: str, person: Person, memory: Memory, do: Callable[[Client], Awaitable[Any]]) -> Any:
    """Does something with a client that signs in when it is asked to."""
    about = OAuthClientMetadata(client_name="Editor", redirect_uris=[AnyUrl(CALLBACK)])

    async def connected() -> Any:
        auth = OAuthClientProvider(f"{url}/mcp", about, memory, person.go, person.come_back)
        http = httpx2.AsyncClient(auth=auth, trust_env=False)
        async with http, Client(streamable_http_client(f"{url}/mcp", http_client=http)) as client:
            return await do(client)

    return asyncio.run(connected())


def test_the_official_client_signs_in_and_reads(here: str, ann: Browser, carla: Conversation) -> None:
    async def read(client: Client) -> Any:
        listed = await client.list_tools()
        return listed, await client.call_tool("get_conversation", {"conversation_id": str(carla.id)})

    memory = Memory()
    listed, talk = signed_in(here, Person(ann.confirmed()), memory, read)
    assert [each.name for each in listed.tools] == NAMES and not talk.is_error
    assert memory.tokens and memory.tokens.refresh_token and memory.client and memory.client.client_id
    assert memory.tokens.scope and "messages:read" in memory.tokens.scope and "write" not in memory.tokens.scope


def test_the_official_client_asks_for_more_when_a_tool_needs_it(here: str, ann: Browser, carla: Conversation) -> None:
    async def write(client: Client) -> Any:
        await client.list_tools()
        first = memory.tokens.scope if memory.tokens else None
        return first, await client.call_tool("send_reply", {"conversation_id": str(carla.id), "text": "Your bread."})

    memory, person = Memory(), Person(ann.confirmed())
    first, preview = signed_in(here, person, memory, write)
    assert preview.structured_content["data"]["can_be_sent"] and person.visits == 2
    assert first and memory.tokens and memory.tokens.scope
    assert set(memory.tokens.scope.split()) == {*first.split(), "messages:write"}


def test_a_person_who_allows_no_more_leaves_the_call_refused(here: str, ann: Browser, carla: Conversation) -> None:
    async def write(client: Client) -> Any:
        return await client.call_tool("send_reply", {"conversation_id": str(carla.id), "text": "Your bread."})

    person = Person(ann.confirmed(), withheld={"messages:write"})
    with pytest.raises(ExceptionGroup) as raised:
        signed_in(here, person, Memory(), write)
    assert "messages:write" in str(raised.value.exceptions) and person.visits == 2
