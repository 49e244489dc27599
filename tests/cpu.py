"""The CPU time that work takes, against what it may take on a machine of this speed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

# What a request may cost on a machine on which the reference work takes USUAL.
SECONDS, USUAL = 0.3, 0.005
TRIES = 3


class Meter:
    """`most`: what a request may cost here. A slow machine, or one that others use, has more."""

    def __init__(self) -> None:
        self.most = SECONDS * max(1.0, min(cpu_of(reference_work) for _ in range(5)) / USUAL)

    def seconds(self, work: Callable[[], object]) -> float:
        """The best of a few tries; of one, where that is well within."""
        best = float("inf")
        for _ in range(TRIES):
            best = min(best, cpu_of(work))
            if best < self.most:
                break
        return best


def cpu_of(work: Callable[[], object]) -> float:
    started = time.thread_time()
    work()
    return time.thread_time() - started


def reference_work() -> None:
    """Of the kind that pages do, and of a fixed size."""
    rows = [{"id": n, "words": "apple pear plum" * 5} for n in range(600)]
    for _ in range(8):
        json.loads(json.dumps(rows))
