"""To a colleague's screen, with 500 pages open: from Meta's post, and from what an agent does.

The stream announces, the page fetches the list again.
"""

from __future__ import annotations

import asyncio
import time
from urllib.parse import urlencode, urlsplit

from flask import Flask
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import select

from app import create_app
from app.config import Settings
from app.inbox.conversations import Conversation
from app.team.models import UserSession
from app.tenancy import db, global_scope, tenant_scope
from bench.acknowledge import GRANIAN, GUNICORN
from bench.report import percentile, table
from bench.town import Town
from dev.stack import Stack
from tests.posts import message, post, signed

STREAMS, TOWNS, SAMPLES = 500, 25, 150
PORT = 8395
FORM = "bench"
SERVERS = {"gunicorn gevent": GUNICORN, "granian, 600 threads": GRANIAN.replace("64", "600").replace("512", "600")}


def run(stack: Stack) -> None:
    app = create_app(Settings.from_environment(stack.env))
    with app.app_context():
        towns = [Town.named(f"live{n}") for n in range(TOWNS)]
        towns[0].fill(200, 20)
        cookies = {town.tenant.slug: cookie(app, town) for town in towns}
        token = form_token(app)
        with tenant_scope(towns[0].tenant.id):
            conversation = str(db.session.scalars(select(Conversation.id).limit(1)).one())
    stack.start("worker")
    rows = []
    for name, command in SERVERS.items():
        stack.start("web", command.format(port=PORT, app="wsgi:app"))
        stack.wait_for(f"http://127.0.0.1:{PORT}/healthz")
        for what, times in asyncio.run(Audience(towns, cookies, conversation, token).measure()).items():
            rows.append([what, name, *(f"{percentile(times, share) * 1000:.0f}" for share in (0.5, 0.95, 0.99))])
        stack.parts.pop("web").stop()
    stack.parts.pop("worker").stop()
    heads = ["", "", "p50 ms", "p95 ms", "p99 ms"]
    table(f"To a colleague's screen, {STREAMS} pages open (aim: p95 under 500 ms, 1 s for actions)", heads, rows)


def cookie(app: Flask, town: Town) -> str:
    with global_scope():
        token = UserSession.begin(town.owner, user_agent="bench", ip="127.0.0.1")
    serializer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
    return f"session={serializer.dumps({'_user_id': token, '_fresh': True, 'csrf_token': FORM})}"


def form_token(app: Flask) -> str:
    """What the pages of these sessions put into their forms."""
    return str(URLSafeTimedSerializer(str(app.secret_key), salt="wtf-csrf-token").dumps(FORM))


class Audience:
    """Open pages of all towns. One of them, in the first town, is watched."""

    def __init__(self, towns: list[Town], cookies: dict[str, str], conversation: str, token: str) -> None:
        self.towns, self.cookies, self.conversation, self.token = towns, cookies, conversation, token
        self.event_seen = asyncio.Event()
        self.writers: list[asyncio.StreamWriter] = []

    async def measure(self) -> dict[str, list[float]]:
        readers = [await self.open_stream(self.towns[n % TOWNS]) for n in range(STREAMS)]
        idle = [asyncio.create_task(self.drop(reader)) for reader in readers]
        watched = asyncio.create_task(self.watch(await self.open_stream(self.towns[0])))
        times = {"Meta's post": [await self.one_message(n) for n in range(SAMPLES)]}
        watched.cancel()
        watched = asyncio.create_task(self.watch(await self.open_stream(self.towns[0]), b"data: conversation"))
        times["an agent's action"] = [await self.one_action(n) for n in range(SAMPLES)]
        for task in [*idle, watched]:
            task.cancel()
        return times

    async def open_stream(self, town: Town) -> asyncio.StreamReader:
        reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
        path = f"/t/{town.tenant.slug}/live"
        writer.write(request("GET", path, {"Cookie": self.cookies[town.tenant.slug]}))
        head = await reader.readuntil(b"\r\n\r\n")
        assert b" 200 " in head[:15], head[:200]
        await reader.readuntil(b": open")
        self.writers.append(writer)
        return reader

    async def drop(self, reader: asyncio.StreamReader) -> None:
        while await reader.read(4096):
            pass

    async def watch(self, reader: asyncio.StreamReader, words: bytes = b"data: arrival") -> None:
        while True:
            if words in await reader.readline():
                self.event_seen.set()

    async def one_message(self, n: int) -> float:
        """Also a little traffic of the others, as there always is."""
        for town in self.towns[1:4]:
            await self.post(town, n)
        self.event_seen.clear()
        started = time.perf_counter()
        await self.post(self.towns[0], n)
        await asyncio.wait_for(self.event_seen.wait(), 10)
        await self.fetch()
        return time.perf_counter() - started

    async def one_action(self, n: int) -> float:
        """An agent resolves a conversation, or opens it again."""
        town = self.towns[0]
        self.event_seen.clear()
        form = urlencode({"state": ("resolved", "open")[n % 2]}).encode()
        headers = {"Cookie": self.cookies[town.tenant.slug], "HX-Request": "true", "X-CSRFToken": self.token}
        headers |= {"Content-Type": "application/x-www-form-urlencoded", "Origin": f"http://127.0.0.1:{PORT}"}
        started = time.perf_counter()
        path = f"/t/{town.tenant.slug}/inbox/{self.conversation}/state"
        assert b" 200 " in await exchange(request("POST", path, headers, form))
        await asyncio.wait_for(self.event_seen.wait(), 10)
        await self.fetch()
        return time.perf_counter() - started

    async def post(self, town: Town, n: int) -> None:
        body = post(message(f"Live {n}", number=town.number.meta_id, wa_id="4915100000001"), waba=town.waba_meta_id)
        await exchange(request("POST", "/webhooks/whatsapp", signed(body), body))

    async def fetch(self) -> None:
        town = self.towns[0]
        headers = {"Cookie": self.cookies[town.tenant.slug], "HX-Request": "true"}
        assert b" 200 " in await exchange(request("GET", f"/t/{town.tenant.slug}/inbox/list", headers))


def request(method: str, path: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    fields = {"Host": urlsplit(f"http://127.0.0.1:{PORT}").netloc, "Content-Length": str(len(body))} | headers
    head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return head.encode() + b"\r\n" + body


async def exchange(raw: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
    writer.write(raw.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))
    answer = await reader.read()
    writer.close()
    return answer[:15]
