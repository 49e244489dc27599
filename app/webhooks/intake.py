"""Storing what Meta posts before it is acknowledged: many requests, one commit."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

import psycopg
from flask import Flask

from app.meta.events import address_in
from app.sockets import POSTGRES

from .jobs import drain

INSERT = "insert into webhook_events (body, address) select * from unnest(%b::bytea[], %s::text[])"
GROUP_BYTES = 8_000_000
OPTIONS, SET_TIMEOUT = "-c statement_timeout=10s", "set local statement_timeout = '10s'"

Each = TypeVar("Each")


class DatabaseUnavailable(Exception):
    """The bodies could not be stored. Meta retries them."""


def connection_options(is_pooled: bool) -> dict[str, Any]:
    """Options for psycopg. A pooler accepts neither startup options nor prepared statements."""
    more: dict[str, Any] = {"prepare_threshold": None} if is_pooled else {"options": OPTIONS}
    return {"autocommit": True, **POSTGRES, **more}


def insert_of(bodies: list[bytes]) -> tuple[str, tuple[list[bytes], list[str]]]:
    """The statement that stores these bodies, each with the number it is for, and its values."""
    return INSERT, (bodies, [address_in(body) for body in bodies])


def next_group(queue: list[Each], size_of: Callable[[Each], int]) -> tuple[list[Each], list[Each]]:
    """The first of a queue that go into one transaction, at least one; and the rest."""
    size, count = 0, 0
    for each in queue:
        size += size_of(each)
        if count and size > GROUP_BYTES:
            break
        count += 1
    return queue[:count], queue[count:]


def enqueue_drain(app: Flask) -> None:
    with app.app_context():
        drain.enqueue()


class Waiter:
    def __init__(self, body: bytes) -> None:
        self.body = body
        self.woken = threading.Event()
        self.stored = self.failed = False


class GroupCommit:
    """A leader inserts all that has queued up in one transaction, then one of those still waiting leads.

    Alone a request pays for its own commit; under load the commits of a process follow each other without a gap.
    """

    def __init__(self, app: Flask, url: str, *, is_pooled: bool = False) -> None:
        self.app, self.url, self.is_pooled = app, url, is_pooled
        self.lock = threading.Lock()
        self.queue: list[Waiter] = []
        self.is_led = False
        self.connection: psycopg.Connection | None = None

    def add(self, body: bytes) -> None:
        """Returns when the body is safe on disk. Raises `DatabaseUnavailable` when it is not."""
        waiter = Waiter(body)
        with self.lock:
            self.queue.append(waiter)
            leads, self.is_led = not self.is_led, True
        if not leads:
            waiter.woken.wait()
        if not (waiter.stored or waiter.failed):
            self.lead()
        if not waiter.stored:
            raise DatabaseUnavailable

    def lead(self) -> None:
        group = self.next_group()
        try:
            self.store(group)
            for waiter in group:
                waiter.stored = True
        finally:
            self.release(group)
        enqueue_drain(self.app)

    def next_group(self) -> list[Waiter]:
        with self.lock:
            group, self.queue = next_group(self.queue, lambda waiter: len(waiter.body))
            return group

    def release(self, group: list[Waiter]) -> None:
        with self.lock:
            successor = self.queue[0] if self.queue else None
            self.is_led = successor is not None
        for waiter in group:
            waiter.failed = not waiter.stored
            waiter.woken.set()
        if successor:
            successor.woken.set()

    def store(self, group: list[Waiter]) -> None:
        bodies = [waiter.body for waiter in group]
        try:
            self.insert(bodies)
        except psycopg.OperationalError:
            # The connection may have died while idle. If the first try was stored after all, the drain
            # sees the bodies twice, which changes nothing.
            self.disconnect()
            try:
                self.insert(bodies)
            except psycopg.OperationalError:
                self.disconnect()
                raise DatabaseUnavailable from None

    def insert(self, bodies: list[bytes]) -> None:
        if self.connection is None:
            self.connection = psycopg.connect(self.url, **connection_options(self.is_pooled))
        if not self.is_pooled:
            self.connection.execute(*insert_of(bodies), prepare=True)
            return
        with self.connection.transaction():
            self.connection.execute(SET_TIMEOUT)
            self.connection.execute(*insert_of(bodies))

    def disconnect(self) -> None:
        if self.connection:
            self.connection.close()
        self.connection = None
