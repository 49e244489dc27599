"""A tenant's numbers: the state of each, what is wrong, and what to do about it."""

from __future__ import annotations

from flask import render_template

from app.numbers.blueprint import bp
from app.numbers.free_replies import free_replies_of
from app.tenancy import db, in_menu, requires
from app.tenancy.guard import is_fragment
from app.wabas.models import Waba
from app.words import N_


@bp.get("")
@in_menu(
    "settings",
    N_("Numbers"),
    "phone",
    order=190,
    group="business",
    hint=N_("WhatsApp numbers, their profile and health."),
)
@in_menu("rail", N_("Numbers"), "phone", order=40, covers=("/onboarding",))
@requires("numbers.manage")
def index() -> str:
    template = "numbers/_numbers.html" if is_fragment() else "numbers/index.html"
    wabas = db.session.scalars(Waba.in_order()).all()
    numbers = [number.id for waba in wabas for number in waba.phone_numbers if number.takes_messages]
    return render_template(template, wabas=wabas, allowances=free_replies_of(numbers))
