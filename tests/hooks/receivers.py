"""A server of this machine that webhooks reach under any name, and what it got."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from standardwebhooks.webhooks import Webhook

from app.egress import Egress
from tests.push.push_services import NAME, OPEN_INTERNET, certified

URL = f"https://{NAME}/hook"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass(frozen=True)
class Got:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes
    connection: int
    at: float

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.body)  # type: ignore[no-any-return]

    def verified(self, secret: str) -> Any:
        """By the reference library of Standard Webhooks."""
        return Webhook(secret).verify(self.body, self.headers)


Answer = bytes | Callable[[ssl.SSLSocket], None]


@dataclass
class Receiver:
    """Answers each request with the next of `answers`, and after those with the last."""

    answers: list[Answer] = field(default_factory=lambda: [OK])
    # By path, for a server with several webhooks.
    answers_at: dict[str, Answer] = field(default_factory=dict)
    got: list[Got] = field(default_factory=list)
    connections: int = 0

    def reset(self) -> None:
        self.answers, self.answers_at, self.got, self.connections = [OK], {}, [], 0

    def answer_with(self, *statuses: int, **headers: str) -> None:
        self.answers = [status_line(status, b"", **headers) for status in statuses]

    @property
    def types(self) -> list[str]:
        return [got.json["type"] for got in self.got]

    def serve(self, connection: ssl.SSLSocket) -> None:
        self.connections += 1
        number, waiting = self.connections, b""
        with contextlib.suppress(OSError), connection:
            while True:
                while b"\r\n\r\n" not in waiting:
                    if not (data := connection.recv(65536)):
                        return None
                    waiting += data
                head, _, rest = waiting.partition(b"\r\n\r\n")
                lines = head.decode().split("\r\n")
                headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
                while len(rest) < int(headers["content-length"]):
                    rest += connection.recv(65536)
                waiting = rest[int(headers["content-length"]) :]
                body = rest[: int(headers["content-length"])]
                path = lines[0].split()[1]
                self.got.append(Got(path, headers, body, number, time.monotonic()))
                answer = self.answers_at.get(path) or self.answers[0]
                self.answers = self.answers[1:] or self.answers
                if callable(answer):
                    return answer(connection)
                connection.sendall(answer)


def status_line(status: int, body: bytes = b"", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} Status", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


@contextlib.contextmanager
def receiving(receiver: Receiver, folder: Path) -> Iterator[Egress]:
    """The receiver over TLS, and a way out on which every public address leads there."""
    certificate, key = certified(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    listening = socket.create_server(("127.0.0.1", 0), backlog=200)
    port = listening.getsockname()[1]

    def accept() -> None:
        while True:
            try:
                plain, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=shake, args=(plain,), daemon=True).start()

    def shake(plain: socket.socket) -> None:
        with contextlib.suppress(OSError):
            receiver.serve(context.wrap_socket(plain, server_side=True))

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    trust = ssl.create_default_context(cafile=str(certificate))
    yield Egress(lambda host, _: [OPEN_INTERNET], trust=trust, route=lambda _: ("127.0.0.1", port))
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join()
