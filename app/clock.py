"""The scheduler: runs each sweep when it is due, `python -m app.clock`. Several may run at once."""

from __future__ import annotations

import contextlib
import signal
import threading
import time

import redis as redis_client

from app import create_app
from app.extensions import redis
from app.tenancy.queue import SWEEPS

SECONDS, BEAT_SECONDS = 5, 60


def tick() -> None:
    with contextlib.suppress(redis_client.RedisError):
        redis.set("clock beat", int(time.time()), ex=BEAT_SECONDS)
    for sweep in SWEEPS.values():
        if sweep.claim():
            sweep.run()


def main() -> None:
    app, stopping = create_app(), threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    signal.signal(signal.SIGINT, lambda *_: stopping.set())
    with app.app_context():
        while not stopping.wait(SECONDS):
            tick()


if __name__ == "__main__":
    main()
