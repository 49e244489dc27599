"""Hashing passwords outside of the event loop: a few at a time, and only as many waiting as are soon served."""

from __future__ import annotations

import contextlib
import contextvars
import functools
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any, TypeVar

from gevent import monkey
from gevent.threadpool import ThreadPoolExecutor as GeventThreadPoolExecutor
from werkzeug.exceptions import TooManyRequests

from app.tenancy import refuse_inside_transaction

# A hash takes a core and 19 MB for 20 ms.
THREADS = 2
# So many sign in at once, fewer than there are connections to Postgres; so many more wait for that, so long.
AT_ONCE, WAITING, PATIENCE_SECONDS = 12, 200, 5.0

Result = TypeVar("Result")
seats, places = threading.BoundedSemaphore(AT_ONCE), threading.BoundedSemaphore(AT_ONCE + WAITING)
is_seated = contextvars.ContextVar("is_seated", default=False)


class TooBusy(TooManyRequests):
    """More passwords wait to be hashed than this process hashes within seconds."""


@contextlib.contextmanager
def seat() -> Iterator[None]:
    """One of the few who sign in at once. Raises `TooBusy`, and `TransactionOpen`: the wait may be long."""
    if is_seated.get():
        yield
        return
    refuse_inside_transaction()
    if not places.acquire(blocking=False):
        raise TooBusy
    try:
        if not seats.acquire(timeout=PATIENCE_SECONDS):
            raise TooBusy
        token = is_seated.set(True)
        try:
            yield
        finally:
            is_seated.reset(token)
            seats.release()
    finally:
        places.release()


def outside_the_loop(work: Callable[..., Result], *arguments: Any) -> Result:
    """The result of `work`, done in a thread. Raises what `seat` raises."""
    refuse_inside_transaction()
    with seat():
        return pool().submit(work, *arguments).result()


@functools.cache
def pool() -> Executor:
    """Real threads. Where gevent has replaced the usual ones, its own pool lets other requests run meanwhile."""
    kind = GeventThreadPoolExecutor if monkey.is_module_patched("threading") else ThreadPoolExecutor
    return kind(max_workers=THREADS)
