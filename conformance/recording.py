from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx

NOTHING = object()


@dataclass(frozen=True)
class Exchange:
    """One request and its answer. A body that is absent is `NOTHING`; one that is not JSON stays bytes."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: httpx.Headers
    sent: Any
    status: int
    kind: str
    answered: Any


class Recorder(httpx.BaseTransport):
    """Forwards every request and records it with its response."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []
        self.beneath = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        sent = request.read()
        response = self.beneath.handle_request(request)
        answered = response.read()
        self.exchanges.append(_exchange(request, sent, response, answered))
        return httpx.Response(response.status_code, headers=response.headers, stream=_Again(answered))

    def close(self) -> None:
        self.beneath.close()


class _Again(httpx.SyncByteStream):
    def __init__(self, content: bytes) -> None:
        self.content = content

    def __iter__(self) -> Iterator[bytes]:
        yield self.content


def _exchange(request: httpx.Request, sent: bytes, response: httpx.Response, answered: bytes) -> Exchange:
    return Exchange(
        method=request.method,
        path=request.url.path,
        query=tuple(request.url.params.multi_items()),
        headers=request.headers,
        sent=_body(sent, request.headers),
        status=response.status_code,
        kind=plain_type(response.headers),
        answered=_body(answered, response.headers),
    )


def plain_type(headers: httpx.Headers) -> str:
    return str(headers.get("content-type", "")).partition(";")[0].strip()


def _body(content: bytes, headers: httpx.Headers) -> Any:
    if not content:
        return NOTHING
    return json.loads(content) if plain_type(headers) == "application/json" else content
