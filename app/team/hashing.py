"""Hashing passwords outside of the event loop: a few at a time, and only as many waiting as are soon served."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any, TypeVar

from gevent import monkey
from gevent.threadpool import ThreadPoolExecutor as GeventThreadPoolExecutor
from werkzeug.exceptions import TooManyRequests

from app.tenancy import refuse_inside_transaction

# A hash takes a core and 19 MB for 20 ms. Whoever waits longest waits less than a second.
THREADS, WAITING = 2, 64

Result = TypeVar("Result")
places = threading.BoundedSemaphore(THREADS + WAITING)


class TooBusy(TooManyRequests):
    """More passwords wait to be hashed than this process hashes within a second."""


def outside_the_loop(work: Callable[..., Result], *arguments: Any) -> Result:
    """The result of `work`, done in a thread. Raises `TooBusy`, and `TransactionOpen`: the wait may be long."""
    refuse_inside_transaction()
    if not places.acquire(blocking=False):
        raise TooBusy
    try:
        return pool().submit(work, *arguments).result()
    finally:
        places.release()


@functools.cache
def pool() -> Executor:
    """Real threads. Where gevent has replaced the usual ones, its own pool lets other requests run meanwhile."""
    kind = GeventThreadPoolExecutor if monkey.is_module_patched("threading") else ThreadPoolExecutor
    return kind(max_workers=THREADS)
