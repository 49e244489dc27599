"""The list of payments, the page of each, the export, and what confirms them."""

from __future__ import annotations

import uuid

from flask import Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import selectinload
from werkzeug.wrappers import Response as AnyResponse

from app import zones
from app.inbox.conversations import Message
from app.notifications.attempts import words_of
from app.notifications.models import Notification
from app.payments.blueprint import bp
from app.payments.exports import rows_as_csv
from app.payments.forms import PaymentFilter, PaymentSettingsForm
from app.payments.models import FACTS, Payment, PaymentSettings
from app.spreadsheets import csv_download
from app.tenancy import Download, Paged, as_uuid, confirmed, in_menu, now, requires
from app.words import N_, pN_

PAGE = 50
STATUS_WORDS = {
    "received": (pN_("of a payment", "Received"), "success"),
    "refunded": (pN_("of a payment", "Refunded"), "info"),
    "failed": (N_("Failed"), "error"),
}


@bp.get("/")
@in_menu("records", N_("Payments"), "banknote", order=40)
@requires("payments.view")
def index() -> str:
    wanted = PaymentFilter.read(request.args)
    page = Paged.of(wanted.query().options(selectinload(Payment.contact)), PAGE)
    chosen = PaymentSettings.current().notification
    return render_template("payments/index.html", page=page, wanted=wanted, statuses=STATUS_WORDS, chosen=chosen)


@bp.get("/<uuid:payment_id>")
@requires("payments.view")
def show(payment_id: uuid.UUID) -> str:
    payment = Payment.get_or_404(payment_id)
    return render_template(
        "payments/show.html",
        payment=payment,
        statuses=STATUS_WORDS,
        message=Message.find(payment.message_id),
        problem=words_of(payment.problem),
        chosen=PaymentSettings.current().notification,
    )


@bp.post("/<uuid:payment_id>/confirmation")
@requires("payments.edit")
def confirm(payment_id: uuid.UUID) -> AnyResponse:
    """Sends the confirmation that did not go out."""
    payment = Payment.get_or_404(payment_id).refresh_locked()
    if payment.may_be_confirmed:
        payment.confirm()
    if payment.message_id:
        flash(_("The confirmation is on its way."))
    else:
        flash(words_of(payment.problem), "error")
    return redirect(url_for(".show", payment_id=payment_id), 303)


@bp.post("/export")
@requires("payments.edit")
@confirmed
def export() -> Response:
    rows = rows_as_csv(Download.begin("payments.edit"), PaymentFilter.read(request.form), zones.reader_zone())
    return csv_download(f"payments-{now():%Y-%m-%d}", rows)


@bp.get("/settings")
@requires("payments.edit")
def settings() -> str:
    return settings_page(PaymentSettingsForm(PaymentSettings.current()))


def settings_page(form: PaymentSettingsForm) -> str:
    chosen = Notification.find(as_uuid(form.notification.data))
    lacks = chosen.lacks(FACTS) if chosen else []
    return render_template("payments/settings.html", form=form, facts=FACTS, chosen=chosen, lacks=lacks)


@bp.post("/settings")
@requires("payments.edit")
def save_settings() -> str | tuple[str, int] | AnyResponse:
    settings = PaymentSettings.to_change()
    form = PaymentSettingsForm(settings)
    if not form.validate():
        return settings_page(form), 422
    settings.notification_id = as_uuid(form.notification.data)
    settings.save()
    flash(_("Saved."))
    return redirect(url_for(".settings"), 303)
