"""Meta as far as sending goes, as cheaply as it can be played: `python -m bench.sink PORT`.

Takes `POST /<version>/<number>/messages`, answers 120 ms later, and enforces Meta's limits: so many messages a second
for a number, and for one person 45 at once, then one in six seconds. `GET /taken/<number>` says what came in.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections import defaultdict, deque
from dataclasses import dataclass, field
from itertools import count
from time import monotonic
from typing import Any

ANSWERS_AFTER = 0.12
PER_SECOND = 80
PAIR_BURST, PAIR_SECONDS = 45, 6
ids = count(1)


@dataclass
class Number:
    """What one number sent: when, to whom, and the words; and how much was refused."""

    per_second: int = PER_SECOND
    taken: list[tuple[float, str, str]] = field(default_factory=list)
    refused: int = 0
    lately: deque[float] = field(default_factory=deque)
    pairs: dict[str, float] = field(default_factory=dict)

    def take(self, message: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        at, to = monotonic(), message["to"]
        while self.lately and self.lately[0] <= at - 1:
            self.lately.popleft()
        full_at = max(self.pairs.get(to, 0.0), at)
        code = 130429 if len(self.lately) >= self.per_second else 0
        if full_at - at > PAIR_SECONDS * (PAIR_BURST - 1):
            code = 131056
        if code:
            self.refused += 1
            return 400, {"error": {"code": code, "message": "too fast", "fbtrace_id": "sink"}}
        self.lately.append(at)
        self.pairs[to] = full_at + PAIR_SECONDS
        self.taken.append((at, to, message["text"]["body"]))
        return 200, {
            "messaging_product": "whatsapp",
            "contacts": [{"input": to, "wa_id": to.removeprefix("+")}],
            "messages": [{"id": f"wamid.sink.{next(ids)}", "message_status": "accepted"}],
        }

    def as_dict(self) -> dict[str, Any]:
        return {"taken": self.taken, "refused": self.refused}


NUMBERS: defaultdict[str, Number] = defaultdict(Number)


class Connection(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport, self.waiting = transport, b""

    def data_received(self, data: bytes) -> None:
        self.waiting += data
        head, ends, rest = self.waiting.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
        if not ends or len(rest) < length:
            return
        self.waiting = rest[length:]
        method, target, _ = head.decode().split(" ", 2)
        number, what = ["", *target.partition("?")[0].split("/")][-2:]
        if method == "POST" and what == "messages":
            status, answer = NUMBERS[number].take(json.loads(rest[:length]))
            asyncio.get_running_loop().call_later(ANSWERS_AFTER, self.answer, status, answer)
        elif method == "POST":
            NUMBERS[what].per_second = json.loads(rest[:length])["per_second"]
            self.answer(200, {})
        else:
            self.answer(200, NUMBERS[what].as_dict())

    def answer(self, status: int, answer: dict[str, Any]) -> None:
        body = json.dumps(answer).encode()
        head = f"HTTP/1.1 {status} -\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self.transport.write(head.encode() + body)  # type: ignore[attr-defined]


async def serve(port: int) -> None:
    # Where it may, it goes before what it measures: what it sees late, it sees at once.
    with contextlib.suppress(PermissionError):
        os.nice(-10)
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
