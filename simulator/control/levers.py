"""Faults, limits and the clock."""

from flask import Blueprint, Response, jsonify, request

from simulator import invoices, magic, tiers, volumes
from simulator.account_events import EVENTS
from simulator.control import lists
from simulator.control.body import (
    member,
    phone_number_member,
    refuse,
    require_record,
    waba_member,
    whole_member,
    world,
)
from simulator.credit_line import CreditLine
from simulator.dialing import digits_of
from simulator.faults import ALIASES, KINDS, Fault
from simulator.knobs import DEFAULTS
from simulator.number_extras import Extras
from simulator.phone_numbers import PhoneNumber
from simulator.webhooks import payloads, publishing
from simulator.zones import month_of, zone_of

levers = Blueprint("control_levers", __name__, url_prefix="/control/api")


@levers.post("/reset")
def reset() -> Response:
    """Deletes everything and starts again."""
    world().reset()
    return jsonify(success=True)


@levers.route("/knobs", methods=["GET", "POST"])
def knobs() -> Response:
    """Reads all knobs, or sets the given ones."""
    for name, value in (request.get_json(silent=True) or {}).items():
        if name not in DEFAULTS:
            refuse(400, f"There is no knob called {name}")
        world().knobs[name] = float(value)
    return jsonify(world().knobs.all())


@levers.post("/clock")
def clock() -> Response:
    """Moves the clock forward by so many seconds."""
    world().advance(float(member("advance")))
    return jsonify(now=world().clock.now())


@levers.post("/volume-differences")
def volume_differences() -> Response:
    """Makes pricing analytics count `volume` more (or fewer) messages of a number on the day of `at`."""
    about = {name: str(member(name)) for name in ("country", "category", "type")}
    volumes.plant(world(), phone_number_member(), whole_member("at"), whole_member("volume"), about)
    return jsonify(success=True)


@levers.post("/partner-traffic")
def partner_traffic() -> Response:
    """Another partner of the number's business sends so many messages: they count in its volume tiers."""
    business = phone_number_member().waba.business
    tiers.add_traffic(business, str(member("market")), str(member("category")), whole_member("volume"))
    return jsonify(success=True)


@levers.post("/invoice-differences")
def invoice_differences() -> Response:
    """Makes the invoice of a month charge `volume` messages and `amount` more (or less) to the number's account."""
    about = {name: str(member(name)) for name in ("country", "category")}
    amount = float(member("amount", 0))
    invoices.plant(phone_number_member().waba, str(member("month")), about, whole_member("volume"), amount)
    return jsonify(success=True)


@levers.get("/invoice-reports/<month>")
def invoice_report(month: str) -> Response:
    """The report of a month's invoice, as one downloads it from the Billing hub."""
    return Response(invoices.report(world(), month), mimetype="text/csv")


@levers.route("/credit-line", methods=["GET", "POST"])
def credit_line() -> Response:
    """What the partner owes Meta and its limit, in whole units of the currency."""
    line, body = CreditLine.of(world()), request.get_json(silent=True) or {}
    line.set(owed=body.get("owed"), most=body.get("most"), currency=body.get("currency"))
    return jsonify(line.amounts())


@levers.post("/free-messages")
def free_messages() -> Response:
    """How many of this month's free service messages the number has used."""
    number, used = phone_number_member(), whole_member("used")
    this_month = month_of(world().clock.now(), zone_of(number.waba.timezone_id))
    world().store.insert("free_messages", replace=True, phone_number_id=number.id, month=this_month, used=used)
    return jsonify(success=True)


@levers.post("/random")
def random_seed() -> Response:
    """Seeds the random numbers, so that a run on one thread can be repeated."""
    world().random.seed(whole_member("seed"))
    return jsonify(success=True)


@levers.post("/limits")
def limits() -> Response:
    """A null resets a number's throughput; a messaging limit of -1 is none; the other limits are the portfolio's."""
    number, body = phone_number_member(), request.get_json()
    if "throughput" in body:
        number.update(throughput=body["throughput"])
    if "messaging_limit" in body:
        number.waba.business.update(messaging_limit=int(body["messaging_limit"]))
    if "most_numbers" in body:
        number.waba.business.update(most_numbers=int(body["most_numbers"]))
    return jsonify(throughput=number.messages_per_second, messaging_limit=number.waba.business.messaging_limit)


@levers.get("/magic")
def magic_numbers() -> Response:
    """Lists the numbers that trigger a failure."""
    return jsonify(calls=magic.CALLS, statuses=magic.STATUSES, errors=magic.errors())


@levers.post("/webhooks")
def send_webhook() -> Response:
    """Any webhook at all: field and value as Meta documents them."""
    value, field = member("value"), str(member("field"))
    if number_id := member("phone_number_id", ""):
        number = require_record(PhoneNumber.find(world(), str(number_id)), "phone number")
        publishing.publish_for_number(number, field, payloads.head(number) | value)
    else:
        publishing.publish_for_waba(waba_member(), field, value)
    return jsonify(success=True)


@levers.post("/account-events")
def account_event() -> Response:
    """Something happens to a client's account: see simulator/account_events.py."""
    name = str(member("event"))
    if name not in EVENTS:
        refuse(400, f"event must be one of {', '.join(EVENTS)}")
    EVENTS[name](phone_number_member())
    return jsonify(success=True)


@levers.get("/verification-code")
def verification_code() -> Response:
    """The code that the number received by SMS or by voice."""
    number = require_record(PhoneNumber.find(world(), request.args.get("phone_number_id", "")), "phone number")
    return jsonify(code=Extras(number)["verification_code"])


@levers.get("/faults")
def list_faults() -> Response:
    """Lists the ordered faults."""
    return jsonify(faults=lists.records(world(), Fault))


@levers.post("/faults")
def add_fault() -> Response:
    """Orders a fault for the next calls of an edge."""
    kind = str(member("kind", "error"))
    if kind not in KINDS and kind not in ALIASES:
        refuse(400, f"kind must be one of {', '.join(KINDS)}")
    Fault.order(
        world(),
        str(member("edge")),
        ALIASES.get(kind, kind),
        code=member("code", 0) or None,
        subcode=member("subcode", 0) or None,
        http=member("http", 0) or None,
        details=str(member("details", "")),
        seconds=float(member("seconds", 30)),
        times=whole_member("times", 1),
        chance=float(member("chance", 1)),
        phone_number_id=member("phone_number_id", "") or None,
        customer=digits_of(str(member("to", ""))) or None,
    )
    return list_faults()


@levers.delete("/faults")
def clear_faults() -> Response:
    """Removes every ordered fault."""
    world().store.write("delete from faults")
    return jsonify(success=True)
