"""What makes this Meta misbehave, and what makes time pass."""

from flask import Blueprint, Response, jsonify, request

from simulator.clock import month
from simulator.control import lists
from simulator.control.asked import asked, asked_phone_number, refuse, world
from simulator.faults import KINDS, Fault
from simulator.knobs import DEFAULTS

levers = Blueprint("control_levers", __name__, url_prefix="/control/api")


@levers.post("/reset")
def reset() -> Response:
    world().reset()
    return jsonify(success=True)


@levers.route("/knobs", methods=["GET", "POST"])
def knobs() -> Response:
    for name, value in (request.get_json(silent=True) or {}).items():
        if name not in DEFAULTS:
            refuse(400, f"There is no knob called {name}")
        world().knobs[name] = float(value)
    return jsonify(world().knobs.all())


@levers.post("/clock")
def clock() -> Response:
    world().advance(float(asked("advance")))
    return jsonify(now=world().clock.now())


@levers.post("/free-messages")
def free_messages() -> Response:
    """How many of this month's free service messages the number has used."""
    used, this_month = int(asked("used")), month(world().clock.now())
    world().store.insert(
        "free_messages", replace=True, phone_number_id=asked_phone_number().id, month=this_month, used=used
    )
    return jsonify(success=True)


@levers.get("/faults")
def list_faults() -> Response:
    return jsonify(faults=lists.records(world(), Fault))


@levers.post("/faults")
def add_fault() -> Response:
    kind = asked("kind", "error")
    if kind not in KINDS:
        refuse(400, f"kind must be one of {', '.join(KINDS)}")
    world().store.insert(
        "faults",
        edge=str(asked("edge")),
        kind=kind,
        code=asked("code", 0) or None,
        subcode=asked("subcode", 0) or None,
        http=asked("http", 0) or None,
        details=str(asked("details", "")),
        seconds=float(asked("seconds", 30)),
        remaining=int(asked("times", 1)),
    )
    return list_faults()


@levers.delete("/faults")
def clear_faults() -> Response:
    world().store.write("delete from faults")
    return jsonify(success=True)
