"""Connections to Meta for httpx, whose own pool looks through all of them at each request and slows down from 64 on."""

from __future__ import annotations

import http.client
import ssl
import threading
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from select import POLLIN, poll
from time import monotonic
from typing import Any

import httpx

# A connection that has been idle for longer may be closed by Meta at the very moment it is used.
IDLE_SECONDS = 15.0
CHUNK = 64 * 1024

Origin = tuple[str, str, int | None]


@dataclass(frozen=True, slots=True)
class Idle:
    """A connection without a request, and since when (monotonic)."""

    connection: http.client.HTTPConnection
    since: float

    @property
    def is_open(self) -> bool:
        """Whether Meta has not closed it: a closed one can be read from, and nothing else is to be read now."""
        sock, changed = self.connection.sock, poll()
        changed.register(sock, POLLIN)
        has_rest = isinstance(sock, ssl.SSLSocket) and sock.pending() > 0
        return monotonic() - self.since < IDLE_SECONDS and not has_rest and not changed.poll(0)


class Connections(httpx.BaseTransport):
    """Makes `most` requests at a time, each on a connection that is not in use. Safe to share between threads."""

    def __init__(self, most: int) -> None:
        self.room = threading.BoundedSemaphore(most)
        self.lock = threading.Lock()
        # The longest idle of each origin first.
        self.idle: defaultdict[Origin, list[Idle]] = defaultdict(list)
        self.tls = httpx.create_ssl_context(trust_env=False)
        self.tls.set_alpn_protocols(["http/1.1"])

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Raises httpx's errors. Up to `ConnectError` and its like nothing was sent."""
        seconds = request.extensions["timeout"]
        if not self.room.acquire(timeout=seconds["pool"]):
            raise httpx.PoolTimeout("too many requests at once", request=request)
        try:
            return self.exchange(request, seconds)
        except BaseException:
            self.room.release()
            raise

    def exchange(self, request: httpx.Request, seconds: dict[str, float]) -> httpx.Response:
        origin = (request.url.scheme, request.url.host, request.url.port)
        connection = self.take(origin) or self.connect(origin, seconds["connect"])
        try:
            send(connection, request, seconds["write"])
            answer = receive(connection, seconds["read"])
            stream = Body(self, origin, connection, answer)
            return httpx.Response(answer.status, headers=answer.headers.items(), stream=stream)
        except BaseException:
            connection.close()
            raise

    def take(self, origin: Origin) -> http.client.HTTPConnection | None:
        """The connection that was used last, if it is still open."""
        while True:
            with self.lock:
                if not (waiting := self.idle[origin]):
                    return None
                last = waiting.pop()
            if last.is_open:
                return last.connection
            last.connection.close()

    def connect(self, origin: Origin, seconds: float) -> http.client.HTTPConnection:
        scheme, host, port = origin
        if scheme == "https":
            made: Any = http.client.HTTPSConnection(host, port or 443, timeout=seconds, context=self.tls)
        elif scheme == "http":
            made = http.client.HTTPConnection(host, port or 80, timeout=seconds)
        else:
            raise httpx.UnsupportedProtocol(f"not a web address: {scheme}")
        try:
            made.connect()
        except TimeoutError:
            made.close()
            raise httpx.ConnectTimeout("too slow") from None
        except (OSError, UnicodeError) as error:
            made.close()
            raise httpx.ConnectError(type(error).__name__) from None
        return made  # type: ignore[no-any-return]

    def give_back(self, origin: Origin, connection: http.client.HTTPConnection, *, is_usable: bool) -> None:
        """Ends a request. Closes what has been idle for too long, of every origin."""
        self.room.release()
        at, expired = monotonic(), [] if is_usable else [connection]
        with self.lock:
            if is_usable:
                self.idle[origin].append(Idle(connection, at))
            for waiting in self.idle.values():
                while waiting and waiting[0].since < at - IDLE_SECONDS:
                    expired.append(waiting.pop(0).connection)
        for old in expired:
            old.close()

    def close(self) -> None:
        with self.lock:
            waiting = [idle for each in self.idle.values() for idle in each]
            self.idle.clear()
        for idle in waiting:
            idle.connection.close()


def send(connection: http.client.HTTPConnection, request: httpx.Request, seconds: float) -> None:
    connection.sock.settimeout(seconds)
    headers = {name.decode("ascii"): value.decode("latin-1") for name, value in request.headers.raw}
    body = request.stream
    content: Any = b"".join(body) or None if isinstance(body, httpx.ByteStream) else body
    path = request.url.raw_path.decode("ascii")
    try:
        connection.request(request.method, path, content, headers, encode_chunked=True)
    except TimeoutError:
        raise httpx.WriteTimeout("too slow") from None
    except ValueError:
        raise httpx.LocalProtocolError("a header has characters that no header may have") from None
    except OSError:
        # Who refuses a request before its end may have said why.
        return


def receive(connection: http.client.HTTPConnection, seconds: float) -> http.client.HTTPResponse:
    connection.sock.settimeout(seconds)
    try:
        answer = connection.getresponse()
    except TimeoutError:
        raise httpx.ReadTimeout("too slow") from None
    except OSError as error:
        raise httpx.ReadError(type(error).__name__) from None
    except (http.client.HTTPException, ValueError) as error:
        raise httpx.RemoteProtocolError(type(error).__name__) from None
    if answer.status < 200:
        # The answer itself is still to come: the next request would take it for its own.
        raise httpx.RemoteProtocolError("an answer ahead of the answer")
    return answer


class Body(httpx.SyncByteStream):
    """The rest of a response, read piece by piece. Read to its end, it leaves a connection for the next request."""

    def __init__(
        self,
        connections: Connections,
        origin: Origin,
        connection: http.client.HTTPConnection,
        answer: http.client.HTTPResponse,
    ) -> None:
        self.connections, self.origin = connections, origin
        self.connection, self.answer = connection, answer
        self.is_whole = self.is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        try:
            while chunk := self.answer.read(CHUNK):
                yield chunk
        except TimeoutError:
            raise httpx.ReadTimeout("too slow") from None
        except OSError as error:
            raise httpx.ReadError(type(error).__name__) from None
        except (http.client.HTTPException, ValueError) as error:
            raise httpx.RemoteProtocolError(type(error).__name__) from None
        if self.answer.length:
            raise httpx.RemoteProtocolError("the answer ended too early")
        self.is_whole = True

    def close(self) -> None:
        if not self.is_closed:
            self.is_closed = True
            is_usable = self.is_whole and not self.answer.will_close
            self.connections.give_back(self.origin, self.connection, is_usable=is_usable)
