"""Durable acknowledgement against a bare Flask route that only checks the signature, on the same server."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys

from bench.report import table
from dev.stack import Stack

ROUNDS, SECONDS, CONNECTIONS = 5, 4, 16
GUNICORN = "gunicorn --worker-class gevent --workers 1 --worker-connections 3000 --bind 127.0.0.1:{port} {app}"
DOOR = "granian --interface rsgi --host 127.0.0.1 --port {port} --workers 1 --no-ws --log-level error app.door:door"
GRANIAN = (
    "granian --interface wsgi --host 127.0.0.1 --port {port} --workers 1 --blocking-threads 64 --backpressure 512"
    " --no-ws --log-level error {app}"
)


FIRST_PORT = 8391
TARGETS = {
    "bare Flask, gunicorn gevent": GUNICORN.replace("{app}", "bench.bare:app"),
    "Switchboard, gunicorn gevent": GUNICORN.replace("{app}", "wsgi:app"),
    "the door": DOOR,
    "bare Flask, granian": GRANIAN.replace("{app}", "bench.bare:app"),
    "Switchboard, granian": GRANIAN.replace("{app}", "wsgi:app"),
}
FLOORS = {"Switchboard, granian": "bare Flask, granian", "bare Flask, granian": "bare Flask, granian"}


def run(stack: Stack) -> None:
    rates: dict[str, list[dict[str, float]]] = {name: [] for name in TARGETS}
    urls = {name: f"http://127.0.0.1:{port}" for port, name in enumerate(TARGETS, FIRST_PORT)}
    for port, (name, command) in enumerate(TARGETS.items(), FIRST_PORT):
        stack.start(name, command.format(port=port))
        stack.wait_for(f"{urls[name]}/healthz")
    for _ in range(ROUNDS):
        for name, url in urls.items():
            rates[name].append(load(stack, url))
    for name in TARGETS:
        stack.parts.pop(name).stop()
    show(rates)


def load(stack: Stack, url: str) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.load", url, str(SECONDS), str(CONNECTIONS)]
    done = subprocess.run(command, env=stack.env, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def show(rates: dict[str, list[dict[str, float]]]) -> None:
    median = {
        name: {key: statistics.median(r[key] for r in rounds) for key in rounds[0]} for name, rounds in rates.items()
    }
    rows = []
    for name, measured in median.items():
        floor = FLOORS.get(name, "bare Flask, gunicorn gevent")
        ratio = measured["rate"] / median[floor]["rate"]
        rows.append(
            [
                name,
                f"{measured['rate']:,.0f}/s",
                f"{ratio:.2f}",
                f"{measured['p50']:.1f}",
                f"{measured['p99']:.1f}",
                f"{measured['refused']:.0f}",
            ]
        )
    table(
        "Webhooks acknowledged durably (aims: 0.9 of a bare route on the same server, the door 2.0 of it on gunicorn)",
        ["", "rate", "ratio", "p50 ms", "p99 ms", "refused"],
        rows,
    )
