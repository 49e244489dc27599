"""People who are blocked at WhatsApp for a number."""

from __future__ import annotations

import uuid

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.meta import blocked_users
from app.numbers.asking import Problem, ask
from app.numbers.blueprint import bp
from app.numbers.forms import BlockForm
from app.tenancy import requires
from app.wabas.models import PhoneNumber


@bp.get("/<uuid:phone_number_id>/blocked")
@requires("numbers.manage")
def blocked(phone_number_id: uuid.UUID) -> str:
    return blocked_page(PhoneNumber.get_or_404(phone_number_id), BlockForm(formdata=None))


def blocked_page(number: PhoneNumber, form: BlockForm, problem: Problem | None = None) -> str:
    people, trouble = ask(number, blocked_users.of_number)
    return render_template("numbers/blocked.html", number=number, blocked=people, form=form, problem=problem or trouble)


@bp.post("/<uuid:phone_number_id>/blocked")
@requires("numbers.manage")
def block(phone_number_id: uuid.UUID) -> tuple[str, int] | AnyResponse:
    number, form = PhoneNumber.get_or_404(phone_number_id), BlockForm()
    if not form.validate():
        return blocked_page(number, form), 422
    person = f"+{form.person.wa_id}"
    _done, problem = ask(number, lambda graph, token, meta_id: blocked_users.block(graph, token, meta_id, person))
    if problem:
        return blocked_page(number, form, problem), 422
    flash(_("Blocked. You won't receive their messages on this number."))
    return redirect(url_for(".blocked", phone_number_id=number.id), 303)


@bp.post("/<uuid:phone_number_id>/blocked/<person>/removal")
@requires("numbers.manage")
def unblock(phone_number_id: uuid.UUID, person: str) -> tuple[str, int] | AnyResponse:
    number = PhoneNumber.get_or_404(phone_number_id)
    _done, problem = ask(
        number, lambda graph, token, meta_id: blocked_users.unblock(graph, token, meta_id, person[:64])
    )
    if problem:
        return blocked_page(number, BlockForm(formdata=None), problem), 422
    flash(_("Unblocked."))
    return redirect(url_for(".blocked", phone_number_id=number.id), 303)
