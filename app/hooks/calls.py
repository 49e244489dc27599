"""Posts many requests at a time on connections that stay open, in an event loop of a thread of its own.

Addresses are checked as everywhere (`app.egress`): the one that is checked is the one that is dialled. An endpoint has
its connections to itself. No redirect is followed, and of an answer little is read.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import socket
import ssl
import threading
import uuid
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from queue import SimpleQueue
from time import monotonic
from typing import Any, Self

import h11
import httpx
import structlog

from app.egress import CONNECT_SECONDS, PORT, TOTAL_SECONDS, Egress, Refused, all_outside
from app.tenancy import now

log = structlog.get_logger()

CHUNK = 16 * 1024
# Of an answer so much is stored; a longer one than MOST_BYTES ends its connection.
ANSWER_BYTES, MOST_BYTES = 1024, 64 * 1024
# How long the rest of an answer may take whose status is known.
REST_SECONDS = 2
# A connection that has been idle for longer may be closed by the other side at the very moment it is used.
IDLE_SECONDS = 15
IDLE_CONNECTIONS = 64
# Names are looked up in threads, which a slow name server blocks: of one business no more than a few.
RESOLVERS, RESOLVERS_OF_TENANT = 128, 4

Origin = tuple[uuid.UUID, bytes]


@dataclass(frozen=True, slots=True)
class Call:
    """One request, with all that it needs: it runs without a database."""

    tenant_id: uuid.UUID
    endpoint_id: uuid.UUID
    url: httpx.URL
    headers: tuple[tuple[str, str], ...]
    body: bytes
    # What it delivers, for whoever submitted it.
    parcel: Any = None

    @property
    def origin(self) -> Origin:
        """Calls of one origin share connections."""
        return self.endpoint_id, self.url.raw_host


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came back: a status and the beginning of the answer, or the kind of error (see `words.ERRORS`)."""

    status: int | None
    answer: str = ""
    error: str = ""
    retry_after: float | None = None
    milliseconds: int = 0

    @property
    def is_success(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


class Closed(Exception):
    """The other side had closed the connection before it got the request."""


class TooMuch(Exception):
    """So much came without a status that nothing more is read."""


class Connection:
    """One connection to one endpoint, for one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.http = h11.Connection(h11.CLIENT)
        self.idle_since = monotonic()
        self.is_fresh = True

    @property
    def is_usable(self) -> bool:
        is_young = self.is_fresh or monotonic() - self.idle_since < IDLE_SECONDS
        return is_young and not self.reader.at_eof() and not self.writer.is_closing()

    async def post(self, call: Call) -> tuple[h11.Response, bytes]:
        """The response and the beginning of its body. Raises `Closed`, `TooMuch`, h11's errors and OSError."""
        length = ("Content-Length", str(len(call.body)))
        host = ("Host", call.url.netloc.decode())
        head = h11.Request(method="POST", target=call.url.raw_path, headers=[host, *call.headers, length])
        sent = [self.http.send(event) for event in (head, h11.Data(data=call.body), h11.EndOfMessage())]
        self.writer.write(b"".join(part for part in sent if part))
        await self.writer.drain()
        response = await self.read_status()
        body = bytearray()
        with contextlib.suppress(TimeoutError, h11.RemoteProtocolError, OSError):
            async with asyncio.timeout(REST_SECONDS):
                await self.read_rest(body)
        return response, bytes(body[:ANSWER_BYTES])

    async def read_status(self) -> h11.Response:
        size = 0
        while True:
            event = self.http.next_event()
            if isinstance(event, h11.Response):
                return event
            if event is not h11.NEED_DATA:
                continue
            if size > MOST_BYTES:
                raise TooMuch
            data = await self.reader.read(CHUNK)
            if not (data or size or self.is_fresh):
                raise Closed
            size += len(data)
            self.http.receive_data(data)

    async def read_rest(self, body: bytearray) -> None:
        size = 0
        while size <= MOST_BYTES:
            event = self.http.next_event()
            if event is h11.NEED_DATA:
                data = await self.reader.read(CHUNK)
                size += len(data)
                self.http.receive_data(data)
            elif isinstance(event, h11.Data):
                body += event.data[: ANSWER_BYTES - len(body)]
            else:
                return

    def next_cycle(self) -> bool:
        """Makes it ready for another request. Returns whether it can take one."""
        if self.http.our_state is not h11.DONE or self.http.their_state is not h11.DONE:
            return False
        self.http.start_next_cycle()
        self.idle_since, self.is_fresh = monotonic(), False
        return True

    def close(self) -> None:
        self.writer.transport.abort()


class Caller:
    """Makes calls; each outcome is put into `done`. Used as a context manager."""

    def __init__(self, egress: Egress) -> None:
        self.egress = egress
        self.done: SimpleQueue[tuple[Call, Outcome]] = SimpleQueue()
        self.idle: defaultdict[Origin, list[Connection]] = defaultdict(list)
        self.lookups: dict[str, asyncio.Future[Sequence[str]]] = {}
        self.turns: defaultdict[uuid.UUID, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(RESOLVERS_OF_TENANT)
        )
        self.tasks: set[asyncio.Task[None]] = set()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True, name="calls")
        self.resolvers = ThreadPoolExecutor(RESOLVERS, "resolver")

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self.finish(), self.loop).result()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()
        self.resolvers.shutdown(wait=False, cancel_futures=True)

    async def finish(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        for connections in self.idle.values():
            for connection in connections:
                connection.close()
        # The transports close in the next rounds of the loop.
        await asyncio.sleep(0.01)

    def submit(self, calls: Sequence[Call]) -> None:
        if calls:
            self.loop.call_soon_threadsafe(self.begin, calls)

    def begin(self, calls: Sequence[Call]) -> None:
        for call in calls:
            task = self.loop.create_task(self.execute(call))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    async def execute(self, call: Call) -> None:
        """Puts an outcome into `done` whatever happens: the run of all businesses waits for it."""
        began = monotonic()
        try:
            outcome = await self.outcome(call, began)
        except Exception:
            log.exception("call ended without an outcome", endpoint=str(call.endpoint_id))
            outcome = Outcome(None, error="protocol", milliseconds=round((monotonic() - began) * 1000))
        self.done.put((call, outcome))

    async def outcome(self, call: Call, began: float) -> Outcome:
        error = ""
        try:
            async with asyncio.timeout(TOTAL_SECONDS):
                response, body = await self.exchange(call)
        except Refused:
            error = "refused"
        except TimeoutError:
            error = "timeout"
        except (socket.gaierror, UnicodeError):
            error = "name"
        except ssl.SSLError:
            error = "tls"
        except OSError:
            error = "connection"
        except (h11.RemoteProtocolError, h11.LocalProtocolError, TooMuch):
            error = "protocol"
        took = round((monotonic() - began) * 1000)
        if error:
            return Outcome(None, error=error, milliseconds=took)
        answer = body.decode("utf-8", "replace").replace("\x00", "\ufffd")
        return Outcome(response.status_code, answer, "", retry_after(response), took)

    async def exchange(self, call: Call) -> tuple[h11.Response, bytes]:
        """On a connection that is open, or a new one: what the other side had closed meanwhile is tried once more."""
        while connection := self.take_idle(call.origin):
            with contextlib.suppress(Closed, ConnectionError):
                return await self.exchange_on(connection, call)
        return await self.exchange_on(await self.connect(call), call)

    async def exchange_on(self, connection: Connection, call: Call) -> tuple[h11.Response, bytes]:
        is_reused = False
        try:
            response = await connection.post(call)
            idle = self.idle[call.origin]
            if is_reused := len(idle) < IDLE_CONNECTIONS and connection.next_cycle():
                idle.append(connection)
        finally:
            if not is_reused:
                connection.close()
        return response

    def take_idle(self, origin: Origin) -> Connection | None:
        connections = self.idle[origin]
        while connections:
            connection = connections.pop()
            if connection.is_usable:
                return connection
            connection.close()
        return None

    async def connect(self, call: Call) -> Connection:
        host = call.url.raw_host.decode()
        addresses = all_outside(await self.look_up(host, self.turns[call.tenant_id]))
        for address in addresses[:-1]:
            with contextlib.suppress(OSError):
                return await self.dial(address, host)
        return await self.dial(addresses[-1], host)

    async def dial(self, address: str, host: str) -> Connection:
        place, port = self.egress.route(address)
        async with asyncio.timeout(CONNECT_SECONDS):
            opened = await asyncio.open_connection(place, port, ssl=self.egress.trust, server_hostname=host)
        return Connection(*opened)

    async def look_up(self, host: str, turns: asyncio.Semaphore) -> Sequence[str]:
        """The addresses of a name, looked up once for all who wait. A turn ends with its look-up."""
        if host not in self.lookups:
            await turns.acquire()
            if host in self.lookups:
                turns.release()
            else:
                lookup = self.loop.run_in_executor(self.resolvers, self.egress.resolve, host, PORT)
                self.lookups[host] = lookup
                lookup.add_done_callback(lambda ended: self.end_lookup(host, ended, turns))
        return await asyncio.shield(self.lookups[host])

    def end_lookup(self, host: str, ended: asyncio.Future[Sequence[str]], turns: asyncio.Semaphore) -> None:
        self.lookups.pop(host, None)
        turns.release()
        # Read here, as no one may be waiting for it any more.
        if not ended.cancelled():
            ended.exception()


def retry_after(response: h11.Response) -> float | None:
    """In how many seconds the other side wants to be asked again (RFC 9110 §10.2.3); None where it says nothing."""
    value = next((value for name, value in response.headers if name == b"retry-after"), b"").decode("latin-1").strip()
    if value.isascii() and value.isdecimal():
        return float(value[:9])
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    return max((moment - now()).total_seconds(), 0.0)
