"""The official client signs in by itself: it reads where, registers, sends the person there, and fetches its tokens."""

from __future__ import annotations

import asyncio
import dataclasses
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
    """Somebody at a browser, who allows what they are asked for."""

    def __init__(self, browser: Browser) -> None:
        self.browser, self.brought = browser, ""

    async def go(self, url: str) -> None:
        query = parse_qsl(urlsplit(url).query)
        page = self.browser.get("/oauth/authorize", query_string=query).headers["Location"]
        scopes = dict(query)["scope"].split()
        self.brought = self.browser.post(page, {"scopes": scopes}).headers["Location"]

    async def come_back(self) -> AuthorizationCodeResult:
        brought = {name: values[0] for name, values in parse_qs(urlsplit(self.brought).query).items()}
        return AuthorizationCodeResult(code=brought["code"], state=brought["state"], iss=brought["iss"])


def test_the_official_client_signs_in_and_reads(
    server: str, shared_app: Flask, ann: Browser, carla: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = outside(shared_app)
    here = dataclasses.replace(ours, settings=ours.settings.model_copy(update={"public_url": server}))
    monkeypatch.setitem(shared_app.extensions, "outside", here)
    person, memory = Person(ann.confirmed()), Memory()
    about = OAuthClientMetadata(client_name="Editor", redirect_uris=[AnyUrl(CALLBACK)])

    async def read() -> Any:
        auth = OAuthClientProvider(f"{server}/mcp", about, memory, person.go, person.come_back)
        http = httpx2.AsyncClient(auth=auth, trust_env=False)
        async with http, Client(streamable_http_client(f"{server}/mcp", http_client=http)) as client:
            listed = await client.list_tools()
            return listed, await client.call_tool("get_conversation", {"conversation_id": str(carla.id)})

    listed, talk = asyncio.run(read())
    assert [each.name for each in listed.tools] == NAMES and not talk.is_error
    assert memory.tokens and memory.tokens.refresh_token and memory.client and memory.client.client_id
