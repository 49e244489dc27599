"""A flow on the phone: one screen after the other."""

from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Answer

from simulator.customer_actions import CustomerActions
from simulator.flow_runs import Run
from simulator.flows import Flow
from simulator.html import strict
from simulator.messages import Message
from simulator.phone.views import customer_of, world

flows = Blueprint("phone_flows", __name__, url_prefix="/phone/<customer_id>/<number_id>/flows/<wamid>/<int:at>")
flows.after_request(strict)


@flows.get("")
def open_flow(customer_id: str, number_id: str, wamid: str, at: int) -> str:
    message, option, flow = flow_of(customer_id, wamid, at)
    return page(Run.begin(flow, message.number, option), customer_id, number_id, wamid, at)


@flows.post("")
def step(customer_id: str, number_id: str, wamid: str, at: int) -> str | Answer:
    """The button of a screen, or the way back."""
    message, option, flow = flow_of(customer_id, wamid, at)
    run = Run.resume(flow, message.number, str(option.get("flow_token", "unused")), request.form["state"])
    run.fill({name.removeprefix("field-"): request.form.getlist(name) for name in request.form})
    if "back" in request.form:
        run.problems = {}
        run.back()
    else:
        run.press()
    if run.done is None:
        return page(run, customer_id, number_id, wamid, at)
    CustomerActions(world(), message.number, message.customer).complete_flow(wamid, option, run.done)
    return redirect(url_for("phone.show", customer_id=customer_id, number_id=number_id), 303)


def flow_of(customer_id: str, wamid: str, at: int) -> tuple[Message, dict[str, Any], Flow]:
    """The message, its option, and the flow that it opens."""
    message = Message.find(world(), wamid) or abort(404)
    options = message.shape.get("options", [])
    if message.customer_id != customer_of(customer_id).id or not 0 <= at < len(options):
        abort(404)
    option = options[at]
    flow = named(message, option)
    return message, option, flow or abort(404)


def named(message: Message, option: dict[str, Any]) -> Flow | None:
    """The flow that an option opens, if it has a form to show."""
    if option["kind"] != "flow" or option.get("name") != "flow":
        return None
    waba = message.number.waba
    flow = Flow.find(world(), str(option.get("flow_id") or "")) or Flow.by_name(
        waba, str(option.get("flow_name") or "")
    )
    return flow if flow and flow.waba_id == waba.id and flow.definition else None


def page(run: Run, customer_id: str, number_id: str, wamid: str, at: int) -> str:
    return render_template(
        "phone/flow.html",
        run=run,
        customer=customer_of(customer_id),
        back=url_for("phone.show", customer_id=customer_id, number_id=number_id),
        here=url_for("phone_flows.step", customer_id=customer_id, number_id=number_id, wamid=wamid, at=at),
    )
