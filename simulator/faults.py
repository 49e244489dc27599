"""Failures ordered in advance: the next calls of an edge go wrong in the way that was asked for."""

import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from flask import Response, request

from simulator.errors import GraphError
from simulator.record import Record

if TYPE_CHECKING:
    from simulator.world import World

KINDS = ("error", "http500", "timeout", "drop-after-accept")


@dataclass
class Fault(Record):
    table: ClassVar[str] = "faults"

    edge: str
    kind: str
    code: int | None
    subcode: int | None
    http: int | None
    details: str
    seconds: float
    remaining: int

    @classmethod
    def next_for(cls, world: "World", edge: str) -> "Fault | None":
        with world.store.transaction():
            waiting = cls.where(
                world, "edge in (?, ?) and remaining > 0 order by id", edge, f"{request.method} {edge}"
            )
            if waiting:
                waiting[0].update(remaining=waiting[0].remaining - 1)
        return waiting[0] if waiting else None


def around(world: "World", edge: str, answer: Callable[[], Response]) -> Response:
    fault = Fault.next_for(world, edge)
    if fault is None:
        return answer()
    if fault.kind == "error":
        raise GraphError(fault.code or 1, fault.details, subcode=fault.subcode, http=fault.http)
    if fault.kind == "http500":
        return Response("<html><body>Sorry, something went wrong.</body></html>", 500, mimetype="text/html")
    if fault.kind == "timeout":
        time.sleep(fault.seconds)
    else:
        answer()
    return hang_up()


def hang_up() -> Response:
    """The caller never hears; without a socket (in-process) the call itself breaks."""
    connection = request.environ.get("werkzeug.socket")
    if connection is None:
        raise ConnectionAbortedError("The simulator hung up, as ordered")
    connection.shutdown(socket.SHUT_RDWR)
    return Response()
