"""The forms of the phone page."""

from typing import Any

from flask import Blueprint, Response, abort, redirect, request, url_for
from werkzeug.wrappers import Response as Answer

from simulator import customer_actions, dialing, outgoing, samples
from simulator.customer_actions import SAMPLE_REFERRAL, CustomerActions, NotPossible, contact_card
from simulator.messages import Message
from simulator.phone.views import chat_of, customer_of, world
from simulator.voice import as_phone_sends_it

actions = Blueprint("phone_actions", __name__, url_prefix="/phone/<customer_id>")
KINDS = ("image", "video", "audio")


@actions.post("/switches")
def switches(customer_id: str) -> Answer:
    customer = customer_of(customer_id)
    outgoing.set_phone(customer, "phone_on" in request.form, "read_receipts" in request.form)
    customer.hide_number("hide_number" in request.form)
    customer.update(marketing_capped=int("marketing_capped" in request.form))
    return back(customer_id)


@actions.post("/profile")
def profile(customer_id: str) -> Answer:
    """Changes the username and the number; every business with a chat is notified."""
    customer = customer_of(customer_id)
    customer.update(username=request.form.get("username", "").strip().lower() or None)
    digits = dialing.digits_of(request.form.get("number", ""))
    if 8 <= len(digits) <= 15 and digits != customer.wa_id:
        customer_actions.change_number(world(), customer, digits)
    return back(customer_id)


@actions.post("/<number_id>/messages")
def write(customer_id: str, number_id: str) -> Answer:
    text = request.form.get("text", "").strip()
    if text:
        customer_actions_of(customer_id, number_id).send("text", {"body": text}, **marks())
    return to_chat(customer_id, number_id)


@actions.post("/<number_id>/files")
def send_file(customer_id: str, number_id: str) -> Answer:
    file = request.files["file"]
    data, mime_type = as_phone_sends_it(file.read(), file.mimetype)
    voice: dict[str, Any] = {"voice": True} if "voice" in request.form else {}
    name, caption = file.filename or "file", request.form.get("text", "").strip()
    customer_actions_of(customer_id, number_id).send_file(
        kind_of(mime_type), data, mime_type, name, caption, **voice, **marks()
    )
    return to_chat(customer_id, number_id)


@actions.post("/<number_id>/samples")
def send_sample(customer_id: str, number_id: str) -> Answer:
    kind = request.form.get("kind", "image")
    filename, mime_type, sample = samples.FILES[kind]
    voice: dict[str, Any] = {"voice": True} if kind == "voice" else {}
    type = "audio" if kind == "voice" else kind
    customer_actions_of(customer_id, number_id).send_file(type, sample(), mime_type, filename, **voice, **marks())
    return to_chat(customer_id, number_id)


@actions.post("/<number_id>/places")
def send_place(customer_id: str, number_id: str) -> Answer:
    typed = [part.strip() for part in request.form.get("coordinates", "").split(",")]
    place = samples.PLACES.get(request.form.get("place", ""), samples.PLACES["Here"])
    if len(typed) == 2 and all(typed):
        place = {"latitude": float(typed[0]), "longitude": float(typed[1])}
    customer_actions_of(customer_id, number_id).send("location", place, **marks())
    return to_chat(customer_id, number_id)


@actions.post("/<number_id>/cards")
def send_card(customer_id: str, number_id: str) -> Answer:
    name, number = request.form.get("name", "").strip() or "Somebody", dialing.digits_of(request.form.get("number", ""))
    customer_actions_of(customer_id, number_id).send("contacts", [contact_card(name, number)], **marks())
    return to_chat(customer_id, number_id)


@actions.post("/<number_id>/orders")
def order(customer_id: str, number_id: str) -> Answer:
    customer_actions_of(customer_id, number_id).order(["rye-bread", "croissant"], "", "For Friday, please", **marks())
    return to_chat(customer_id, number_id)


@actions.post("/<number_id>/unsupported")
def send_unsupported(customer_id: str, number_id: str) -> Answer:
    customer_actions_of(customer_id, number_id).send(
        "unsupported", {"type": request.form.get("kind", "poll")}, **marks()
    )
    return to_chat(customer_id, number_id)


@actions.post("/<number_id>/reactions")
def react(customer_id: str, number_id: str) -> Answer:
    customer_actions_of(customer_id, number_id).react(request.form["wamid"], request.form.get("emoji", ""))
    return to_chat(customer_id, number_id)


@actions.post("/<number_id>/edits")
def edit(customer_id: str, number_id: str) -> Answer:
    if text := request.form.get("text", "").strip():
        customer_actions_of(customer_id, number_id).edit(request.form["wamid"], text)
    return to_chat(customer_id, number_id)


@actions.post("/<number_id>/deletions")
def delete(customer_id: str, number_id: str) -> Answer:
    customer_actions_of(customer_id, number_id).delete(request.form["wamid"])
    return to_chat(customer_id, number_id)


@actions.post("/<number_id>/answers")
def answer(customer_id: str, number_id: str) -> Answer:
    lines = (line.partition(":") for line in request.form.get("typed", "").splitlines() if ":" in line)
    typed = {name.strip(): value.strip() for name, _, value in lines}
    customer_actions_of(customer_id, number_id).answer(request.form["wamid"], int(request.form["option"]), typed)
    return to_chat(customer_id, number_id)


@actions.post("/<number_id>/offers")
def offers(customer_id: str, number_id: str) -> Answer:
    chat = chat_of(customer_of(customer_id), number_id)
    CustomerActions(world(), chat.number, chat.customer).stop_offers("stop" in request.form)
    return to_chat(customer_id, number_id)


@actions.post("/<number_id>/read")
def read(customer_id: str, number_id: str) -> Response:
    chat = chat_of(customer_of(customer_id), number_id)
    outgoing.read(world(), chat.customer, chat.number)
    return Response(status=204)


@actions.post("/<number_id>/plays/<wamid>")
def play(customer_id: str, number_id: str, wamid: str) -> Response:
    outgoing.play(Message.find(world(), wamid) or abort(404))
    return Response(status=204)


@actions.errorhandler(NotPossible)
def not_possible(reason: NotPossible) -> tuple[str, int]:
    return str(reason), 409


def customer_actions_of(customer_id: str, number_id: str) -> CustomerActions:
    """The customer's actions in this chat; raises NotPossible if the phone is off."""
    chat = chat_of(customer_of(customer_id), number_id)
    if not chat.customer.phone_on:
        raise NotPossible("The phone is off")
    return CustomerActions(world(), chat.number, chat.customer)


def marks() -> dict[str, Any]:
    return {
        "context_id": request.form.get("context_id") or None,
        "forwarded": int(request.form.get("forwarded") or 0),
        "referral": SAMPLE_REFERRAL if "referral" in request.form else None,
    }


def kind_of(mime_type: str) -> str:
    if mime_type == "image/webp":
        return "sticker"
    kind = mime_type.partition("/")[0]
    return kind if kind in KINDS else "document"


def to_chat(customer_id: str, number_id: str) -> Answer:
    return redirect(url_for("phone.show", customer_id=customer_id, number_id=number_id), 303)


def back(customer_id: str) -> Answer:
    """Redirects to the page in the form if it is one of this program."""
    page = request.form.get("back", "")
    return redirect(page if page.startswith("/phone/") else url_for("phone.show", customer_id=customer_id), 303)
