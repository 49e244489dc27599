"""Garbage collection in processes that run for long."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def paused() -> Iterator[None]:
    """While much is loaded that stays: looking through it again and again takes a quarter of a start."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def collect_rarely() -> None:
    """Called once all is loaded, which is then never looked at again.

    One pass over half a million objects takes half a second, in which every request of a process waits; and without
    this, a batch of a thousand messages, or a burst of requests, sets off dozens of smaller passes.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
