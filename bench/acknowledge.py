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
GRANIAN = (
    "granian --interface wsgi --host 127.0.0.1 --port {port} --workers 1 --blocking-threads 64 --backpressure 512"
    " --no-ws --log-level error {app}"
)


def run(stack: Stack) -> None:
    targets = {
        "bare Flask, gunicorn gevent": GUNICORN.format(port=8391, app="bench.bare:app"),
        "Switchboard, gunicorn gevent": GUNICORN.format(port=8392, app="wsgi:app"),
        "bare Flask, granian": GRANIAN.format(port=8393, app="bench.bare:app"),
        "Switchboard, granian": GRANIAN.format(port=8394, app="wsgi:app"),
    }
    rates: dict[str, list[dict[str, float]]] = {name: [] for name in targets}
    for port, (name, command) in enumerate(targets.items(), 8391):
        stack.start(name, command)
        stack.wait_for(f"http://127.0.0.1:{port}/healthz")
    for _ in range(ROUNDS):
        for port, name in enumerate(targets, 8391):
            rates[name].append(load(stack, f"http://127.0.0.1:{port}"))
    for name in targets:
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
    for name, found in median.items():
        server = name.rpartition(", ")[2]
        ratio = found["rate"] / median[f"bare Flask, {server}"]["rate"]
        rows.append(
            [
                name,
                f"{found['rate']:,.0f}/s",
                f"{ratio:.2f}",
                f"{found['p50']:.1f}",
                f"{found['p99']:.1f}",
                f"{found['refused']:.0f}",
            ]
        )
    table(
        "Webhooks acknowledged durably (aim: 0.9 of the bare route)",
        ["", "rate", "ratio", "p50 ms", "p99 ms", "refused"],
        rows,
    )
