"""From Meta's post to a colleague's screen, with 500 pages open: the stream tells, the page fetches the thread."""

from __future__ import annotations

import asyncio
import time
from urllib.parse import urlsplit

from flask import Flask

from app import create_app
from app.config import Settings
from app.team.models import UserSession
from app.tenancy import global_scope
from bench.acknowledge import GRANIAN, GUNICORN
from bench.report import percentile, table
from bench.town import Town
from dev.stack import Stack
from tests.posts import message, post, signed

STREAMS, TOWNS, SAMPLES = 500, 25, 150
PORT = 8395
SERVERS = {"gunicorn gevent": GUNICORN, "granian, 600 threads": GRANIAN.replace("64", "600").replace("512", "600")}


def run(stack: Stack) -> None:
    app = create_app(Settings.from_environment(stack.env))
    with app.app_context():
        towns = [Town.named(f"live{n}") for n in range(TOWNS)]
        towns[0].fill(200, 20)
        cookies = {town.tenant.slug: cookie(app, town) for town in towns}
    stack.start("worker")
    rows = []
    for name, command in SERVERS.items():
        stack.start("web", command.format(port=PORT, app="wsgi:app"))
        stack.wait_for(f"http://127.0.0.1:{PORT}/healthz")
        times = asyncio.run(Audience(towns, cookies).measure())
        rows.append([name, *(f"{percentile(times, share) * 1000:.0f}" for share in (0.5, 0.95, 0.99))])
        stack.parts.pop("web").stop()
    stack.parts.pop("worker").stop()
    table(f"Webhook to screen, {STREAMS} pages open (aim: p95 under 500 ms)", ["", "p50 ms", "p95 ms", "p99 ms"], rows)


def cookie(app: Flask, town: Town) -> str:
    with global_scope():
        token = UserSession.begin(town.owner, user_agent="bench", ip="127.0.0.1")
    serializer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
    return f"session={serializer.dumps({'_user_id': token, '_fresh': True})}"


class Audience:
    """Open pages of all towns. One of them, in the first town, is watched."""

    def __init__(self, towns: list[Town], cookies: dict[str, str]) -> None:
        self.towns, self.cookies = towns, cookies
        self.told = asyncio.Event()
        self.writers: list[asyncio.StreamWriter] = []

    async def measure(self) -> list[float]:
        readers = [await self.open_stream(self.towns[n % TOWNS]) for n in range(STREAMS)]
        idle = [asyncio.create_task(self.drop(reader)) for reader in readers]
        watched = asyncio.create_task(self.watch(await self.open_stream(self.towns[0])))
        times = [await self.one_message(n) for n in range(SAMPLES)]
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

    async def watch(self, reader: asyncio.StreamReader) -> None:
        while True:
            if b"data: arrival" in await reader.readline():
                self.told.set()

    async def one_message(self, n: int) -> float:
        """Also a little traffic of the others, as there always is."""
        for town in self.towns[1:4]:
            await self.post(town, n)
        self.told.clear()
        started = time.perf_counter()
        await self.post(self.towns[0], n)
        await asyncio.wait_for(self.told.wait(), 10)
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
