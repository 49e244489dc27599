"""The door as a process of its own: takes Meta's webhooks and runs no page, so that no page can delay Meta.

`granian --interface rsgi app.door:door`, see the Procfile. It does what `app/webhooks/door.py` does within a web
process, for one event loop. Interface: https://github.com/emmett-framework/granian/blob/master/docs/spec/RSGI.md
"""

from __future__ import annotations

import asyncio
import resource
from typing import Any
from urllib.parse import parse_qs

from app import create_app, headers
from app.bodies import SMALL, Budget, Held, Slow, Spent, declared_length
from app.extensions import outside
from app.garbage import collect_rarely
from app.meta import signature
from app.meta.challenge import challenge_of
from app.webhooks.async_intake import AsyncIntake
from app.webhooks.door import BODIES, LARGEST, PATH
from app.webhooks.intake import DatabaseUnavailable

SECONDS = 10
PLAIN = [*headers.BARE, ("Content-Type", "text/plain; charset=utf-8")]


class TooLarge(Exception):
    """The body is larger than any of Meta's."""


def raise_file_limit() -> None:
    """To what the system allows: each connection is a file, and strangers may hold some thousands of them open."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class Door:
    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Loads everything before the first request comes."""
        raise_file_limit()
        app = create_app(has_pages=False)
        settings = outside(app).settings
        self.secrets, self.token = settings.meta_app_secrets, settings.meta_verify_token
        self.intake = AsyncIntake(app, settings.database_url, is_pooled=settings.database_pooled)
        self.budget = Budget(BODIES)
        collect_rarely()

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        if scope.proto != "http":
            return
        if scope.path == PATH and scope.method == "POST":
            status = await self.receive(scope, protocol)
            more = [("Retry-After", "5")] if status == 503 else []
            protocol.response_empty(status, [*headers.BARE, *more])
        elif scope.path == PATH and scope.method == "GET":
            answer = challenge_of(dict(parse_qs(scope.query_string)), self.token)
            protocol.response_str(403 if answer is None else 200, PLAIN, answer or "")
        elif scope.path == "/healthz":
            protocol.response_str(200, PLAIN, "ok\n")
        else:
            protocol.response_empty(404, headers.BARE)

    async def receive(self, scope: Any, protocol: Any) -> int:
        """The status of the response. Nothing is read from a stranger, nor what is too large anyway."""
        claimed = scope.headers.get("x-hub-signature-256")
        if not signature.is_complete(claimed):
            return 401
        length = declared_length(scope.headers.get("content-length"))
        if length > LARGEST:
            return 413
        try:
            with self.budget.hold() as held:
                async with asyncio.timeout(SECONDS):
                    body = await read(protocol, held, length)
                if not signature.verify(body, claimed, self.secrets):
                    return 401
                await self.intake.add(body)
        except TooLarge:
            return 413
        except (TimeoutError, Slow):
            return 408
        except (DatabaseUnavailable, Spent):
            # Meta retries what is not acknowledged for a week.
            return 503
        return 200


async def read(protocol: Any, held: Held, length: int) -> bytes:
    """The whole body; at once where it is small and says so. Raises `TooLarge` and `Spent`."""
    if 0 < length <= SMALL:
        held.add(length)
        return await protocol()  # type: ignore[no-any-return]
    pieces, size = [], 0
    async for piece in protocol:
        size += len(piece)
        if size > LARGEST:
            raise TooLarge
        held.add(len(piece))
        pieces.append(piece)
    return b"".join(pieces)


door = Door()
