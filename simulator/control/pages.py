from flask import Blueprint, Response, abort, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Answer

from simulator import (
    business_agent,
    coexistence,
    direct_send,
    magic,
    sample_templates,
    template_events,
    template_life,
    template_magic,
)
from simulator.account_events import EVENTS
from simulator.businesses import Business
from simulator.clock import iso
from simulator.control import clients, lists, templates
from simulator.control.body import world
from simulator.credit_line import CreditLine
from simulator.customers import Customer
from simulator.dialing import digits_of
from simulator.faults import KINDS, Fault
from simulator.foreign_lines import credit_of
from simulator.html import strict
from simulator.knobs import UNITS
from simulator.message_templates import CATEGORIES, STATUSES, MessageTemplate
from simulator.number_extras import Extras
from simulator.phone import handset
from simulator.phone_numbers import PhoneNumber
from simulator.tokens import Token
from simulator.wabas import Waba

RESTRICTED_DAYS = 7

pages = Blueprint("control_pages", __name__)
pages.after_request(strict)


@pages.get("/")
@pages.get("/control")
def index() -> str:
    return render_template(
        "control/page.html",
        settings=world().settings,
        wabas_of=Waba.of_business,
        numbers_of=PhoneNumber.of_waba,
        has_agent=business_agent.is_on,
        credit_of=credit_of,
        businesses=Business.where(world(), "true order by created_at desc"),
        tokens=Token.where(world(), "kind = 'business' order by issued_at desc limit 20"),
        deliveries=lists.deliveries(world(), limit=30),
        accepted=lists.newest_accepted(world(), limit=30),
        knobs=world().knobs.all(),
        units=UNITS,
        faults=Fault.where(world(), "remaining != 0"),
        kinds=KINDS,
        magic=magic,
        prefix=magic.CODE_PREFIX,
        people=handset.people(world()),
        templates=MessageTemplate.where(world(), "true order by created_at desc limit 50"),
        statuses=STATUSES,
        reasons=template_events.REASONS,
        qualities=template_events.QUALITIES,
        categories=CATEGORIES,
        acts=templates.ACTS,
        endings=template_magic.ENDINGS,
        direct_send_states=direct_send.STATES,
        accounts=Waba.where(world(), "true order by created_at desc limit 20"),
        events=EVENTS,
        code_of=lambda number: Extras(number)["verification_code"],
        now=iso(world().clock.now()),
        line=CreditLine.of(world()),
        amounts=CreditLine.of(world()).amounts(),
        hosted=url_for("dialog.start_hosted", app_id=world().settings.app_id, config_id=world().settings.config_id),
    )


@pages.get("/control/accepted")
def accepted() -> Response:
    return jsonify(accepted=lists.accepted(world(), after=request.args.get("after", 0, int)))


@pages.post("/control/numbers")
def add_number() -> Answer:
    name, digits = request.form.get("name", "").strip(), digits_of(request.form.get("number", ""))
    if name and 8 <= len(digits) <= 15:
        clients.ready(world(), name, digits, clients.ClientOptions())
    return back()


@pages.post("/control/knobs")
def turn_knobs() -> Answer:
    for name in world().knobs.all():
        if request.form.get(name):
            world().knobs[name] = float(request.form[name])
    return back()


@pages.post("/control/faults")
def add_fault() -> Answer:
    form = request.form
    code = form.get("code", "").strip()
    Fault.order(
        world(),
        form["edge"].strip(),
        form["kind"],
        code=int(code) if code else None,
        times=int(form.get("times") or 1),
        chance=float(form.get("chance") or 1),
        seconds=float(form.get("seconds") or 30),
    )
    return back()


@pages.post("/control/faults/clear")
def clear_faults() -> Answer:
    world().store.write("delete from faults")
    return back()


@pages.post("/control/numbers/<number_id>/app")
def use_app(number_id: str) -> Answer:
    number = PhoneNumber.find(world(), number_id) or abort(404)
    people = coexistence.people_of(world(), number)
    match request.form.get("act"):
        case "join" | "leave" as act:
            coexistence.join(number, act == "join")
        case "agent-on" | "agent-off" as act:
            business_agent.switch(number, act == "agent-on")
        case "history":
            coexistence.send_history(world(), number, people)
        case "decline":
            coexistence.decline_history(world(), number)
        case "contacts":
            coexistence.sync_contacts(world(), number, [coexistence.contact_of(one) for one in people])
        case _:
            customer, text = Customer.with_number(world(), request.form["to"]), request.form.get("text", "").strip()
            coexistence.write_from_app(world(), number, customer, "text", {"body": text or "Hello"})
    return back()


@pages.post("/control/numbers/<number_id>/event")
def happen(number_id: str) -> Answer:
    number = PhoneNumber.find(world(), number_id) or abort(404)
    if event := EVENTS.get(request.form.get("event", "")):
        event(number)
    return back()


@pages.post("/control/clock")
def move_clock() -> Answer:
    world().advance(float(request.form.get("days") or 0) * 86400)
    return back()


@pages.post("/control/credit-line")
def set_credit_line() -> Answer:
    form = request.form
    CreditLine.of(world()).set(owed=form.get("owed"), most=form.get("most"), currency=form.get("currency"))
    return back()


@pages.post("/control/templates")
def add_templates() -> Answer:
    sample_templates.add_samples(world())
    return back()


@pages.post("/control/templates/<template_id>")
def judge_template(template_id: str) -> Answer:
    """The form sends what was chosen: a status with its reason, a quality, a category, or an act."""
    template = MessageTemplate.find(world(), template_id) or abort(404)
    form = request.form
    if form.get("status") in STATUSES:
        template_events.change_status(template, form["status"], form.get("reason") or None)
    if form.get("quality") in template_events.QUALITIES:
        template_events.change_quality(template, form["quality"])
    if form.get("category") in CATEGORIES and form["category"] != template.category:
        change = template_events.announce_category if "announced" in form else template_events.change_category
        change(template, form["category"])
    if act := templates.ACTS.get(form.get("act", "")):
        act(template)
    return back()


@pages.post("/control/wabas/<waba_id>")
def set_account(waba_id: str) -> Answer:
    """Direct Send, the restriction of utility templates, insights, and the verification of the business."""
    waba, form = Waba.find(world(), waba_id) or abort(404), request.form
    state = form.get("direct_send", waba.direct_send)
    if state in direct_send.STATES:
        direct_send.set_access(waba, state, "direct_send_media" in form)
    waba.update(insights=int("insights" in form))
    waba.business.update(verified=int("verified" in form))
    if ("restricted" in form) != waba.is_utility_restricted:
        template_life.restrict_utility(waba, RESTRICTED_DAYS if "restricted" in form else 0)
    return back()


@pages.post("/control/tokens/revoke")
def revoke() -> Answer:
    for token in Token.where(world(), "business_id = ?", request.form.get("business_id")):
        token.revoke()
    return back()


@pages.post("/control/reset")
def reset() -> Answer:
    world().reset()
    return back()


def back() -> Answer:
    return redirect(url_for("control_pages.index"), 303)
