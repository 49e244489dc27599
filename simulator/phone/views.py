from collections.abc import Iterator

from flask import Blueprint, Response, abort, current_app, redirect, render_template, request, send_file, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response as Answer

from simulator import dialing, samples
from simulator.customer_actions import CustomerActions
from simulator.customers import Customer
from simulator.flow_answers import answers_in
from simulator.html import strict
from simulator.media import Media
from simulator.messages import Message
from simulator.phone import handset
from simulator.phone.handset import Chat
from simulator.phone_numbers import PhoneNumber
from simulator.world import World

HEARTBEAT = 15

phone = Blueprint("phone", __name__, url_prefix="/phone")
phone.after_request(strict)
phone.app_template_filter("clock_time")(handset.clock_time)
phone.app_template_filter("day")(handset.day)
phone.app_template_filter("gist")(handset.gist)
phone.app_template_filter("answers_in")(answers_in)
phone.app_template_filter("readable_number")(dialing.readable)


@phone.get("")
def index() -> Answer:
    return redirect(url_for("phone.show", customer_id=handset.people(world())[0].id))


@phone.get("/<customer_id>")
@phone.get("/<customer_id>/<number_id>")
def show(customer_id: str, number_id: str = "") -> str:
    customer, version = customer_of(customer_id), world().hub.version(customer_id)
    return render_template("phone/page.html", version=version, **screen(customer, number_id), **around(customer))


@phone.get("/<customer_id>/live")
@phone.get("/<customer_id>/<number_id>/live")
def live(customer_id: str, number_id: str = "") -> str:
    return render_template("phone/_screen.html", **screen(customer_of(customer_id), number_id))


@phone.get("/<customer_id>/events")
def events(customer_id: str) -> Response:
    seen = request.headers.get("Last-Event-ID", type=int) or request.args.get("since", 0, type=int)
    return Response(changes(world(), customer_id, seen), mimetype="text/event-stream")


@phone.post("")
def add_customer() -> Answer:
    number = request.form.get("code", "") + dialing.digits_of(request.form.get("number", ""))
    if not 8 <= len(number) <= 15:
        return redirect(url_for("phone.index"))
    customer = Customer.with_number(world(), number, request.form.get("name", "").strip())
    chat, text = request.form.get("chat") or None, request.form.get("text") or None
    return redirect(url_for("phone.show", customer_id=customer.id, number_id=chat, text=text), 303)


@phone.get("/<customer_id>/links/<wamid>/<int:option>")
def follow(customer_id: str, wamid: str, option: int) -> Answer:
    """Opens the address of a template's button, and counts the tap."""
    message = Message.find(world(), wamid) or abort(404)
    options = message.shape.get("options", [])
    if not 0 <= option < len(options) or options[option]["kind"] != "url" or message.customer_id != customer_id:
        abort(404)
    CustomerActions(world(), message.number, message.customer).answer(wamid, option)
    return redirect(options[option]["url"])


@phone.get("/media/<media_id>")
def file(media_id: str) -> Response:
    """Serves a file; anything a browser could run is served as a download."""
    media = Media.find(world(), media_id) or abort(404)
    harmless = media.plain_type.startswith(("image/", "audio/", "video/")) and "svg" not in media.plain_type
    return send_file(
        media.path.absolute(), media.mime_type, as_attachment=not harmless, download_name=media.filename or media.id
    )


def screen(customer: Customer, number_id: str) -> dict[str, object]:
    chat = chat_of(customer, number_id) if number_id else None
    off = "" if customer.phone_on else Markup(" disabled")
    reply_to = Message.find(world(), request.args.get("reply"))
    return {
        "customer": customer,
        "chat": chat,
        "chats": [] if chat else handset.home(customer),
        "reply_to": reply_to,
        "typed": request.args.get("text", ""),
        "off": off,
        "act": lambda name: url_for(f"phone_actions.{name}", customer_id=customer.id, number_id=number_id),
        "emoji": handset.EMOJI,
        "places": samples.PLACES,
    }


def around(customer: Customer) -> dict[str, object]:
    return {
        "people": handset.people(world()),
        "identities": handset.identities(customer),
        "countries": sorted(dialing.CODE_BY_COUNTRY.items()),
    }


def changes(world: World, customer_id: str, seen: int) -> Iterator[str]:
    """What changes after a version: the one that the page was made with, or the last one that it heard of."""
    yield "retry: 500\n\n"
    while True:
        version = world.hub.wait(customer_id, seen, HEARTBEAT)
        yield f"id: {version}\ndata: {version}\n\n" if version != seen else ": still here\n\n"
        seen = version


def customer_of(customer_id: str) -> Customer:
    return Customer.find(world(), customer_id) or abort(404)


def chat_of(customer: Customer, number_id: str) -> Chat:
    return Chat(customer, PhoneNumber.find(world(), number_id) or abort(404))


def world() -> World:
    return World.of(current_app)
