"""Calls that fail: ordered in advance, by chance, or because of a magic recipient."""

import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from flask import Response, jsonify, request

from simulator import dialing, magic
from simulator.context import Context
from simulator.errors import GraphError
from simulator.phone_numbers import PhoneNumber
from simulator.record import Record

KINDS = {
    "error": "Meta refuses with the code, its HTTP status and the details",
    "http500": "a 500 in HTML; nothing is done",
    "429": "refused with status 429 and Retry-After",
    "refuse": "the connection closes before the request is read",
    "timeout": "nothing for so many seconds, then the connection closes; nothing is done",
    "stall": "nothing for so many seconds, then done and answered",
    "drop-after-accept": "done, and the connection closes without an answer",
    "accept-then-500": "done, and the answer is a 500",
    "accept-then-502": "done, and the answer is a 502 in HTML",
}
ALIASES = {"accept-then-drop": "drop-after-accept"}
FOREVER = -1
INCOMPLETE_DEREGISTRATION = 133000
SORRY = "<html><body>Sorry, something went wrong.</body></html>"
BAD_GATEWAY = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


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
    chance: float
    phone_number_id: str | None
    customer: str | None

    @classmethod
    def order(cls, world: Context, edge: str, kind: str, *, times: int = 1, **columns: Any) -> None:
        """Orders a fault for the next calls of an edge."""
        defaults: dict[str, Any] = {"details": "", "seconds": 30.0, "chance": 1.0}
        world.store.insert("faults", edge=edge, kind=kind, remaining=times, **(defaults | columns))

    @classmethod
    def next_for(cls, world: Context, edge: str) -> Self | None:
        """The fault for the current call, or None."""
        waiting = cls.where(world, "edge in (?, ?) and remaining != 0 order by id", edge, f"{request.method} {edge}")
        return next((fault for fault in waiting if fault._applies() and fault._strike()), None)

    def _applies(self) -> bool:
        """Draws the chance last, so that a seed gives the same failures in every run."""
        return (
            (self.phone_number_id is None or self.phone_number_id in request.path)
            and (self.customer is None or self.customer == recipient())
            and (self.chance >= 1 or self.world.random.random() < self.chance)
        )

    def _strike(self) -> bool:
        """Uses up one occurrence; two calls at once never share the last one."""
        if self.remaining == FOREVER:
            return True
        with self.world.store.transaction() as db:
            sql = "update faults set remaining = remaining - 1 where id = ? and remaining > 0"
            return db.execute(sql, (self.id,)).rowcount == 1


def around(world: Context, edge: str, answer: Callable[[], Response]) -> Response:
    """Answers the call, or lets the ordered fault happen."""
    if fault := Fault.next_for(world, edge):
        _make_true(fault)
        return act(fault.kind, answer, fault.seconds, _error(fault))
    if edge == "messages" and recipient() in magic.CALLS:
        return act(magic.CALLS[recipient()][0], answer, magic.STALL)
    return answer()


def act(kind: str, answer: Callable[[], Response], seconds: float, error: GraphError | None = None) -> Response:
    """Lets one kind of fault happen."""
    match ALIASES.get(kind, kind):
        case "error":
            raise error or GraphError(1)
        case "http500":
            return Response(SORRY, 500, mimetype="text/html")
        case "429":
            return _too_many(error or GraphError(80007))
        case "refuse":
            return hang_up()
        case "timeout":
            time.sleep(seconds)
            return hang_up()
        case "stall":
            time.sleep(seconds)
            return answer()
    answer()
    match kind:
        case "accept-then-500":
            raise GraphError(131000, "Message failed to send due to an unknown error.", http=500)
        case "accept-then-502":
            return Response(BAD_GATEWAY, 502, mimetype="text/html")
    return hang_up()


def recipient() -> str:
    """The digits of the recipient of this call, or an empty text."""
    body = request.get_json(silent=True)
    to = body.get("to") if isinstance(body, dict) else request.values.get("to")
    return dialing.digits_of(str(to)) if to else ""


def hang_up() -> Response:
    """Closes the connection without a response; without a socket (in-process) raises."""
    connection = request.environ.get("werkzeug.socket")
    if connection is None:
        raise ConnectionAbortedError("The simulator hung up, as ordered")
    connection.shutdown(socket.SHUT_RDWR)
    return Response()


def _make_true(fault: Fault) -> None:
    """An ordered 133000 comes with the state that it is about, so that deregistering again helps."""
    if fault.code == INCOMPLETE_DEREGISTRATION:
        for number in PhoneNumber.where(fault.world, "instr(?, id)", request.path):
            number.update(deregistering=1)


def _too_many(error: GraphError) -> Response:
    response = jsonify(error.body())
    response.status_code = 429
    response.headers["Retry-After"] = "1"
    return response


def _error(fault: Fault) -> GraphError:
    code = fault.code or (80007 if fault.kind == "429" else 1)
    return GraphError(code, fault.details, subcode=fault.subcode, http=fault.http)
