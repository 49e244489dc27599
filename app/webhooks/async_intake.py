"""The intake of the door's process: one task inserts all that has queued up, in one transaction, again and again."""

from __future__ import annotations

import asyncio

import psycopg
import structlog
from flask import Flask

from .intake import SET_TIMEOUT, DatabaseUnavailable, connection_options, enqueue_drain, insert_of, next_group

log = structlog.get_logger()

Waiting = tuple[bytes, "asyncio.Future[None]"]


class AsyncIntake:
    """Stores bodies for one event loop. While one commit is under way, the bodies of the next one gather."""

    def __init__(self, app: Flask, url: str, *, is_pooled: bool) -> None:
        self.app, self.url, self.is_pooled = app, url, is_pooled
        self.waiting: list[Waiting] = []
        self.writer: asyncio.Task[None] | None = None
        self.enqueueing: asyncio.Future[None] | None = None
        self.connection: psycopg.AsyncConnection | None = None

    async def add(self, body: bytes) -> None:
        """Returns when the body is safe on disk. Raises `DatabaseUnavailable` when it is not."""
        loop = asyncio.get_running_loop()
        stored: asyncio.Future[None] = loop.create_future()
        self.waiting.append((body, stored))
        if self.writer is None or self.writer.done():
            self.writer = loop.create_task(self.write())
        await stored

    async def write(self) -> None:
        while self.waiting:
            group, self.waiting = next_group(self.waiting, lambda each: len(each[0]))
            try:
                await self.store([body for body, _ in group])
            except DatabaseUnavailable as error:
                settle(group, error)
            except Exception as error:
                # Whatever it is, none of these waits for ever, and Meta sends them again.
                log.exception("webhooks not stored", count=len(group))
                settle(group, DatabaseUnavailable(type(error).__name__))
            else:
                settle(group)
                self.wake_drain()

    def wake_drain(self) -> None:
        """Enqueues the drain in a thread: Redis may be slow, and one at a time is enough."""
        if self.enqueueing is None or self.enqueueing.done():
            self.enqueueing = asyncio.get_running_loop().run_in_executor(None, enqueue_drain, self.app)

    async def store(self, bodies: list[bytes]) -> None:
        try:
            await self.insert(bodies)
        except psycopg.OperationalError:
            # The connection may have died while idle. If the first try was stored after all, the drain
            # sees the bodies twice, which changes nothing.
            await self.disconnect()
            try:
                await self.insert(bodies)
            except psycopg.OperationalError:
                await self.disconnect()
                raise DatabaseUnavailable from None

    async def insert(self, bodies: list[bytes]) -> None:
        if self.connection is None:
            self.connection = await psycopg.AsyncConnection.connect(self.url, **connection_options(self.is_pooled))
        if not self.is_pooled:
            await self.connection.execute(*insert_of(bodies), prepare=True)
            return
        async with self.connection.transaction():
            await self.connection.execute(SET_TIMEOUT)
            await self.connection.execute(*insert_of(bodies))

    async def disconnect(self) -> None:
        if self.connection:
            await self.connection.close()
        self.connection = None


def settle(group: list[Waiting], error: DatabaseUnavailable | None = None) -> None:
    """Wakes all waiters; clients that disconnected are no longer among them."""
    for _, stored in group:
        if stored.done():
            continue
        if error:
            stored.set_exception(error)
        else:
            stored.set_result(None)
