"""Bodies of requests: how long one may take, and how many bytes of them a process holds at once.

Any client can send half a body and wait. Without a deadline each such connection would hold its bytes for ever.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from werkzeug.exceptions import ClientDisconnected, RequestTimeout, ServiceUnavailable

# A body within this size may use the whole budget, a larger one half of it: large ones cannot keep small ones out.
SMALL = 64 * 1024
PIECE = 256 * 1024
# Of a form: files beyond are on disk (werkzeug.formparser).
IN_MEMORY = 1024 * 1024
SECONDS = 10
SLOWEST_BYTES_PER_SECOND = 16 * 1024
CHECK_SECONDS = 0.5


class Slow(RequestTimeout):
    """The body took longer than it may."""


class Spent(ServiceUnavailable):
    """The process holds as many bytes of bodies as it may."""

    def __init__(self) -> None:
        super().__init__(retry_after=5)


class Budget:
    """The bytes of bodies that one process holds."""

    def __init__(self, most: int) -> None:
        self.most, self.used = most, 0
        self.lock = threading.Lock()

    @contextlib.contextmanager
    def hold(self) -> Iterator[Held]:
        """The share of one body. It is given back at the end of the block."""
        held = Held(self)
        try:
            yield held
        finally:
            held.give_back()


class Held:
    def __init__(self, budget: Budget) -> None:
        self.budget, self.size, self.is_open = budget, 0, True

    def add(self, size: int) -> None:
        """Raises `Spent`."""
        with self.budget.lock:
            if not self.is_open:
                return
            room = self.budget.most if self.size + size <= SMALL else self.budget.most // 2
            if self.budget.used + size > room:
                raise Spent
            self.budget.used += size
            self.size += size

    def give_back(self) -> None:
        with self.budget.lock:
            self.budget.used -= self.size
            self.is_open = False


class Deadlines:
    """Ends reads that take too long, whatever the server: it shuts the receiving side of their socket."""

    def __init__(self) -> None:
        self.reads: dict[object, tuple[socket.socket, float]] = {}
        self.lock = threading.Lock()
        self.watcher: threading.Thread | None = None

    @contextlib.contextmanager
    def limit(self, connection: socket.socket | None, end: float) -> Iterator[None]:
        """Raises `Slow` when the block ends after `end` (monotonic), `ClientDisconnected` when it raises anything."""
        if connection is not None:
            key = object()
            self.reads[key] = connection, end
            self.watch()
        is_whole = True
        try:
            yield
        except Exception:  # noqa: BLE001  each server has errors of its own for what it cannot read
            is_whole = False
        finally:
            if connection is not None:
                del self.reads[key]
        if time.monotonic() > end:
            raise Slow
        if not is_whole:
            raise ClientDisconnected

    def watch(self) -> None:
        if self.watcher is None or not self.watcher.is_alive():
            with self.lock:
                if self.watcher is None or not self.watcher.is_alive():
                    self.watcher = threading.Thread(target=self.check, daemon=True, name="deadlines of bodies")
                    self.watcher.start()

    def check(self) -> None:
        while True:
            time.sleep(CHECK_SECONDS)
            now = time.monotonic()
            for connection, end in list(self.reads.values()):
                if now > end:
                    with contextlib.suppress(OSError):
                        connection.shutdown(socket.SHUT_RD)


DEADLINES = Deadlines()


class Input:
    """The body of one request, within its deadline and the budget. One that ends before its declared end is none."""

    def __init__(self, environ: dict[str, Any], held: Held, end: float, counted: int) -> None:
        self.raw = environ["wsgi.input"]
        # Where gunicorn and werkzeug's server name it; elsewhere the deadline is checked between two reads.
        self.connection = environ.get("gunicorn.socket") or environ.get("werkzeug.socket")
        self.held, self.end, self.counted = held, end, counted
        # How much of it is still to come; 0 where that is not said, as in chunks, whose end the server checks.
        is_chunked = "HTTP_TRANSFER_ENCODING" in environ
        self.missing = 0 if is_chunked else declared_length(environ.get("CONTENT_LENGTH"))

    def read(self, size: int | None = -1) -> bytes:
        data = self.take(self.raw.read, -1 if size is None else size)
        if self.missing and (size is None or size < 0):
            raise ClientDisconnected
        return data

    def readline(self, size: int | None = -1) -> bytes:
        return self.take(self.raw.readline, -1 if size is None else size)

    def readinto(self, buffer: Any) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def take(self, read: Callable[[int], bytes], size: int) -> bytes:
        with DEADLINES.limit(self.connection, self.end):
            data = read(size)
        self.missing = max(self.missing - len(data), 0)
        # Gunicorn hands on what it has when a connection breaks, as if that were all.
        if self.missing and size and not data:
            raise ClientDisconnected
        self.held.add(min(len(data), self.counted - self.held.size))
        return data

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")


def read(environ: dict[str, Any], held: Held, most: int) -> bytes:
    """A whole body of at most that many bytes. Raises `Slow`, `Spent` and `ClientDisconnected`."""
    source = Input(environ, held, time.monotonic() + SECONDS, counted=most)
    pieces = []
    while piece := source.read(min(PIECE, most)):
        pieces.append(piece)
        most -= len(piece)
    return b"".join(pieces)


class Bodies:
    """WSGI: gives every request a body with a deadline, counted against one budget."""

    def __init__(self, wsgi_app: Any, budget: Budget) -> None:
        self.wsgi_app, self.budget = wsgi_app, budget

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        seconds = SECONDS + declared_length(environ.get("CONTENT_LENGTH")) / SLOWEST_BYTES_PER_SECOND
        with self.budget.hold() as held:
            environ["wsgi.input"] = Input(environ, held, time.monotonic() + seconds, counted=IN_MEMORY)
            return self.wsgi_app(environ, start_response)  # type: ignore[no-any-return]


def declared_length(header: str | None) -> int:
    """Of the body by its Content-Length, in bytes; 0 when there is none, or none that says so."""
    length = header or ""
    return int(length) if length.isascii() and length.isdecimal() and len(length) < 16 else 0
