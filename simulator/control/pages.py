from flask import Blueprint, Response, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Answer

from simulator.businesses import Business
from simulator.control import clients, lists
from simulator.control.asked import world
from simulator.dialing import digits_of
from simulator.faults import Fault
from simulator.html import strict
from simulator.tokens import Token

pages = Blueprint("control_pages", __name__)
pages.after_request(strict)


@pages.get("/")
@pages.get("/control")
def index() -> str:
    return render_template(
        "control/page.html",
        settings=world().settings,
        businesses=Business.where(world(), "true order by created_at desc"),
        tokens=Token.where(world(), "kind = 'business' order by issued_at desc limit 20"),
        deliveries=lists.deliveries(world(), limit=30),
        accepted=lists.newest_accepted(world(), limit=30),
        knobs=world().knobs.all(),
        faults=Fault.where(world(), "remaining > 0"),
    )


@pages.get("/control/accepted")
def accepted() -> Response:
    return jsonify(accepted=lists.accepted(world(), after=request.args.get("after", 0, int)))


@pages.post("/control/numbers")
def add_number() -> Answer:
    name, digits = request.form.get("name", "").strip(), digits_of(request.form.get("number", ""))
    if name and 8 <= len(digits) <= 15:
        clients.ready(world(), name, digits, clients.Wishes())
    return back()


@pages.post("/control/knobs")
def turn_knobs() -> Answer:
    for name in world().knobs.all():
        if request.form.get(name):
            world().knobs[name] = float(request.form[name])
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
