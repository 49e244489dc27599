"""Plays wa.me: a link opens the chat with a number on somebody's phone, with the text ready to send."""

from flask import Blueprint, Response, make_response, render_template, request

from simulator import dialing
from simulator.html import strict
from simulator.phone import handset
from simulator.phone.views import world
from simulator.phone_numbers import PhoneNumber

LONGEST = 4096

links = Blueprint("wa_me", __name__, url_prefix="/wa.me")
links.after_request(strict)


@links.get("/<digits>")
def follow(digits: str) -> Response:
    """Asks whose phone it is, since there are several. A number without a business opens no chat."""
    numbers = PhoneNumber.where(world(), "digits = ? and status = 'CONNECTED'", digits)
    number = next(iter(numbers), None)
    page = render_template(
        "phone/link.html",
        number=number,
        digits=digits,
        text=request.args.get("text", "")[:LONGEST],
        people=handset.people(world()),
        countries=sorted(dialing.CODE_BY_COUNTRY.items()),
    )
    return make_response(page, 200 if number else 404)
