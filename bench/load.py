"""Posts signed webhooks as fast as they are acknowledged: `python -m bench.load URL SECONDS CONNECTIONS [NUMBER]`.

Prints one JSON object: acknowledged, refused, and latencies in milliseconds.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import time
from urllib.parse import urlsplit

from tests.posts import message, post, signed
from tests.world import BAKERY_NUMBER

PEOPLE = 2000


def request(host: str, number: str, n: int) -> bytes:
    body = post(
        message(
            f"Hello, this is message {n}",
            number=number,
            wa_id=f"1650{n % PEOPLE:07}",
            wamid=f"wamid.load.{time.time_ns()}.{n}",
        )
    )
    head = f"POST /webhooks/whatsapp HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(body)}\r\n"
    return (head + "".join(f"{name}: {value}\r\n" for name, value in signed(body).items()) + "\r\n").encode() + body


async def connection(host: str, port: int, requests: itertools.cycle[bytes], end: float, times: list[float]) -> int:
    reader, writer = await asyncio.open_connection(host, port)
    refused = 0
    while (started := time.perf_counter()) < end:
        writer.write(next(requests))
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
        if length:
            await reader.readexactly(length)
        times.append(time.perf_counter() - started)
        refused += b" 200 " not in head[:15]
    writer.close()
    return refused


async def run(url: str, seconds: float, connections: int, number: str) -> dict[str, float]:
    place = urlsplit(url)
    host, port = place.hostname or "127.0.0.1", place.port or 80
    requests = itertools.cycle([request(host, number, n) for n in range(20_000)])
    times: list[float] = []
    end = time.perf_counter() + seconds
    refused = await asyncio.gather(*(connection(host, port, requests, end, times) for _ in range(connections)))
    times.sort()
    return {
        "rate": len(times) / seconds,
        "refused": sum(refused),
        "p50": times[len(times) // 2] * 1000,
        "p99": times[int(len(times) * 0.99)] * 1000,
    }


if __name__ == "__main__":
    url, seconds, connections, *number = sys.argv[1:]
    figures = asyncio.run(run(url, float(seconds), int(connections), number[0] if number else BAKERY_NUMBER))
    print(json.dumps(figures))
