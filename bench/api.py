"""The API: messages accepted at 200 a second by two processes, and its lists with 300,000 messages, over HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import pathlib
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import psycopg

from app import create_app
from app.api import ApiKey
from app.api.scopes import SCOPES
from app.config import Settings
from app.inbox.conversations import Conversation
from app.tenancy import Actor, db, tenant_scope
from bench.desk import superuser
from bench.report import percentile, table
from bench.town import Town
from dev.stack import Stack

CONVERSATIONS, MESSAGES_EACH = 30_000, 10
RATE, SECONDS, KEYS, CONNECTIONS, REQUESTS = 200, 20, 4, 32, 200
LISTS = {
    "messages": "/messages?limit=50",
    "messages of a conversation": "/conversations/{conversation}/messages?limit=50",
    "failed messages": "/messages?filter[state]=failed&limit=50",
    "conversations": "/conversations?limit=50&include=contact",
    "contacts": "/contacts?limit=50",
}


Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def exchange(connection: Connection, request: bytes) -> bytes:
    """The head of the answer."""
    reader, writer = connection
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
    await reader.readexactly(length)
    return head


@dataclass
class Caller:
    """Sends requests at a steady pace, each at its moment on whichever connection is free."""

    url: str
    times: list[float] = field(default_factory=list)
    refused: int = 0

    async def work(self, queue: asyncio.Queue[tuple[float, bytes]]) -> None:
        connection: Connection | None = None
        while True:
            moment, request = await queue.get()
            if connection is None:
                connection = await self.connect()
            try:
                head = await exchange(connection, request)
            except (asyncio.IncompleteReadError, ConnectionError):
                # The server had closed it while it was idle.
                connection = await self.connect()
                head = await exchange(connection, request)
            # From when it was due: one that waits for a connection waits for the server.
            self.times.append(time.perf_counter() - moment)
            self.refused += not head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 202"))
            if b"\r\nconnection: close" in head.lower():
                connection[1].close()
                connection = None
            queue.task_done()

    async def connect(self) -> Connection:
        place = urlsplit(self.url)
        return await asyncio.open_connection(place.hostname, place.port)

    async def run(self, requests: list[bytes], rate: float) -> None:
        queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        workers = [asyncio.create_task(self.work(queue)) for _ in range(CONNECTIONS)]
        began = time.perf_counter()
        for place, request in enumerate(requests):
            moment = began + place / rate
            await asyncio.sleep(max(0.0, moment - time.perf_counter()))
            queue.put_nowait((moment, request))
        joined = asyncio.create_task(queue.join())
        done, _ = await asyncio.wait([joined, *workers], return_when=asyncio.FIRST_COMPLETED)
        for task in [joined, *workers]:
            task.cancel()
        for task in done:
            task.result()


def request_of(url: str, secret: str, method: str, path: str, body: object = None) -> bytes:
    data = b"" if body is None else json.dumps(body).encode()
    head = f"{method} /api/v1{path} HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\nAuthorization: Bearer {secret}\r\n"
    return f"{head}Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data


def run(stack: Stack) -> None:
    with create_app(Settings.from_environment(stack.env)).app_context():
        town = Town.named("api")
        town.fill(CONVERSATIONS, MESSAGES_EACH)
        with tenant_scope(town.tenant.id):
            by = Actor.agent(town.owner)
            secrets = [ApiKey.create(f"Key {place}", "live", list(SCOPES), by=by)[1] for place in range(KEYS)]
            talks = db.session.scalars(
                Conversation.newest_first().with_only_columns(Conversation.id).limit(2_000)
            ).all()
    # As autovacuum does within a minute.
    with psycopg.connect(superuser(stack), autocommit=True) as connection:
        connection.execute("vacuum analyze")
    stack.env["WEB_CONCURRENCY"] = "2"
    web = stack.start("web").process.pid
    stack.wait_for(f"{stack.web}/healthz")
    sends = [
        request_of(
            stack.web,
            secrets[place % KEYS],
            "POST",
            "/messages",
            {
                "type": "text",
                "to": {"conversation_id": str(talks[place % len(talks)])},
                "text": {"body": f"No. {place}"},
            },
        )
        for place in range(RATE * SECONDS)
    ]
    # The first seconds of two processes, whose connections prepare each statement, and how it goes on.
    servers = web, stack.postgres.process.pid if stack.postgres.process else None
    names = f"send, {RATE}/s, just started", f"send, {RATE}/s"
    rows = [figures(stack.web, servers, name, sends, RATE) for name in names]
    for name, path in LISTS.items():
        lists = [request_of(stack.web, secrets[0], "GET", path.format(conversation=talks[0]))] * REQUESTS
        rows.append(figures(stack.web, servers, name, lists, 10))
    stack.parts.pop("web").stop()
    heads = ["", "p50 ms", "p95 ms", "web CPU ms", "Postgres CPU ms", "caller CPU ms", "refused"]
    table("The API (aims: a send p95 under 50 ms, lists p95 under 60 ms)", heads, rows)


def figures(url: str, servers: tuple[int, int | None], name: str, requests: list[bytes], rate: float) -> list[str]:
    """`servers`: web and Postgres, whose CPU time is divided by the requests. The caller's own shows that it is not the
    limit: it shares the machine."""
    caller, before = Caller(url), [*map(cpu_of, servers), time.process_time()]
    asyncio.run(caller.run(requests, rate))
    after = [*map(cpu_of, servers), time.process_time()]
    costs = (f"{(now - then) / len(requests) * 1000:.1f}" for then, now in zip(before, after, strict=True))
    times = (f"{percentile(caller.times, share) * 1000:.0f}" for share in (0.5, 0.95))
    return [name, *times, *costs, str(caller.refused)]


def cpu_of(server: int | None) -> float:
    """The seconds of CPU time that the processes of a group, and the children of its leader, have used.

    proc(5): ppid, pgrp, utime and stime. Each process of Postgres is a group of its own. Nan for a Postgres elsewhere.
    """
    if server is None:
        return float("nan")
    seconds = 0.0
    for file in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parts = file.read_text().rpartition(")")[2].split()
            if server in (int(parts[1]), int(parts[2])):
                seconds += (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")
    return seconds
