"""A number's state, its history, and what can be done about it."""

from __future__ import annotations

import datetime as dt
import uuid

import structlog
from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from app.inbox.conversations.number_desks import NumberDesk
from app.meta import phone_numbers, wabas
from app.meta.graph import GraphClient
from app.numbers.asking import ask
from app.numbers.blueprint import bp
from app.numbers.forms import DisconnectionForm, NameForm, PinForm, TrialForm
from app.numbers.free_replies import free_replies_of
from app.numbers.traffic import Traffic
from app.tenancy import confirmed, db, now, requires
from app.tenancy.guard import is_fragment
from app.wabas.changes import NumberChange
from app.wabas.expiry import NotRenewed, renew
from app.wabas.inspection import REVOKED, UNSHARED, inspect
from app.wabas.models import PhoneNumber, digits
from app.wabas.offboarding import Offboarding

log = structlog.get_logger()
HISTORY = dt.timedelta(days=90)


@bp.get("/<uuid:phone_number_id>")
@requires("numbers.manage")
def show(phone_number_id: uuid.UUID) -> str:
    return passport(PhoneNumber.get_or_404(phone_number_id))


def passport(number: PhoneNumber, **more: object) -> str:
    history = db.session.scalars(NumberChange.of(number.id, now() - HISTORY).limit(100)).all()
    lost = number.state == "paused" and number.pause_reason in (REVOKED, UNSHARED)
    kinds = {"name_form": NameForm, "leave_form": DisconnectionForm, "trial_form": TrialForm}
    forms = {name: kind(formdata=None) for name, kind in kinds.items()}
    template = "numbers/_passport.html" if is_fragment() else "numbers/passport.html"
    return render_template(
        template,
        number=number,
        history=history,
        lost=lost,
        offboarding=Offboarding.of(number.waba),
        number_desk=NumberDesk.of(number.id),
        allowance=free_replies_of([number.id])[number.id],
        **(forms | more),
    )


@bp.get("/<uuid:phone_number_id>/traffic")
@requires("numbers.manage")
def traffic(phone_number_id: uuid.UUID) -> str:
    """Counting takes a moment for many messages, so the page requests it separately."""
    number = PhoneNumber.get_or_404(phone_number_id)
    return render_template("numbers/_traffic.html", traffic=Traffic.of(number.id, now() - HISTORY))


@bp.post("/<uuid:phone_number_id>/check")
@requires("numbers.manage")
def check(phone_number_id: uuid.UUID) -> AnyResponse:
    number = PhoneNumber.get_or_404(phone_number_id)
    inspect(number.waba)
    return back(number, _("Refreshed from Meta."))


@bp.post("/<uuid:phone_number_id>/subscription")
@requires("numbers.manage")
def subscribe(phone_number_id: uuid.UUID) -> AnyResponse:
    """Has Meta send the number's messages to us again: subscribes our app, and removes other servers' callbacks."""
    number = PhoneNumber.get_or_404(phone_number_id)
    waba_id = number.waba.meta_id

    def redirect_messages(graph: GraphClient, token: str, meta_id: str) -> None:
        wabas.subscribe(graph, token, waba_id)
        if phone_numbers.fetch(graph, token, meta_id).number_override:
            phone_numbers.remove_override(graph, token, meta_id)

    _done, problem = ask(number, redirect_messages)
    if problem:
        return back(number, f"{_(problem.title)} {_(problem.fix)}", "error")
    inspect(number.waba)
    return back(number, _("Messages reach Switchboard again."))


@bp.post("/<uuid:phone_number_id>/renewal")
@requires("numbers.manage")
def renew_token(phone_number_id: uuid.UUID) -> AnyResponse:
    number = PhoneNumber.get_or_404(phone_number_id)
    try:
        renew(number.waba)
    except NotRenewed:
        words = _("Meta renews access only through the Facebook window. Select Connect again with Facebook.")
        return back(number, words, "warning")
    return back(number, _("Renewed. Facebook access lasts another 60 days."))


@bp.get("/<uuid:phone_number_id>/pin")
@requires("numbers.manage")
@confirmed
def pin(phone_number_id: uuid.UUID) -> str:
    number = PhoneNumber.get_or_404(phone_number_id)
    log.info("PIN shown", phone_number_id=str(number.id), user_id=str(current_user.id))
    return render_template("numbers/pin.html", number=number, form=PinForm(formdata=None))


@bp.post("/<uuid:phone_number_id>/pin")
@requires("numbers.manage")
@confirmed
def change_pin(phone_number_id: uuid.UUID) -> tuple[str, int] | AnyResponse:
    number, form = PhoneNumber.get_or_404(phone_number_id), PinForm()
    if not form.validate():
        return render_template("numbers/pin.html", number=number, form=form), 422
    chosen = str(form.pin.data)
    _done, problem = ask(number, lambda graph, token, meta_id: phone_numbers.set_pin(graph, token, meta_id, chosen))
    if problem:
        return render_template("numbers/pin.html", number=number, form=form, problem=problem), 422
    number.pin = chosen
    flash(_("PIN set at WhatsApp and saved here."))
    return redirect(url_for(".pin", phone_number_id=number.id), 303)


@bp.post("/<uuid:phone_number_id>/name")
@requires("numbers.manage")
def rename(phone_number_id: uuid.UUID) -> tuple[str, int] | AnyResponse:
    number, form = PhoneNumber.get_or_404(phone_number_id), NameForm()
    if not form.validate():
        return passport(number, name_form=form), 422
    wanted = str(form.name.data)
    _done, problem = ask(number, lambda graph, token, meta_id: phone_numbers.rename(graph, token, meta_id, wanted))
    if problem:
        return passport(number, name_form=form, problem=problem), 422
    number.requested_name = wanted
    return back(number, _("Meta is reviewing the new name. This page shows its decision."))


@bp.post("/<uuid:phone_number_id>/disconnection")
@requires("numbers.manage")
@confirmed
def disconnect(phone_number_id: uuid.UUID) -> tuple[str, int] | AnyResponse:
    """Disconnects the number's whole account from Switchboard."""
    number, form = PhoneNumber.get_or_404(phone_number_id), DisconnectionForm()
    if digits(form.number.data or "") != digits(number.display_number):
        form.number.errors = [_("Enter the number as shown at the top of the page.")]
        return passport(number, leave_form=form), 422
    Offboarding.begin(number.waba, by=current_user.name)
    return back(number, _("Sending has stopped. We're disconnecting the rest."))


@bp.post("/<uuid:phone_number_id>/disconnection/retry")
@requires("numbers.manage")
def retry_disconnection(phone_number_id: uuid.UUID) -> AnyResponse:
    number = PhoneNumber.get_or_404(phone_number_id)
    if offboarding := Offboarding.of(number.waba):
        offboarding.retry()
    return back(number, _("Retrying now."))


def back(number: PhoneNumber, words: str, kind: str = "message") -> AnyResponse:
    flash(words, kind)
    return redirect(url_for("numbers.show", phone_number_id=number.id), 303)
