"""What is sent about appointments, and how long before."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.appointments.blueprint import bp
from app.appointments.forms import UNITS, SettingsForm
from app.appointments.sending import VARIABLES, unfilled
from app.appointments.settings import AppointmentSettings
from app.notifications.models import Notification
from app.tenancy import in_menu, later, requires
from app.tenancy.places import places
from app.words import N_


@bp.get("/settings")
@in_menu(
    "settings",
    N_("Appointments"),
    "calendar-clock",
    order=128,
    group="inbox",
    hint=N_("Confirmations and reminders, and how long before."),
)
@requires("appointments.manage")
def settings() -> str:
    return settings_page(SettingsForm(AppointmentSettings.current()))


def settings_page(form: SettingsForm) -> str:
    lacking = []
    for name in sorted({name for _purpose, name in AppointmentSettings.current().names}):
        notification = Notification.named(name)
        if notification is None or (missing := unfilled(notification)):
            lacking.append((name, notification and missing))
    return render_template(
        "appointments/settings.html",
        form=form,
        units=UNITS,
        variables=VARIABLES,
        lacking=lacking,
        notifications_address=next((one.address for one in places("settings") if one.name == "notifications"), ""),
    )


@bp.post("/settings")
@requires("appointments.manage")
def save_settings() -> tuple[str, int] | AnyResponse:
    form = SettingsForm(AppointmentSettings.current(), request.form)
    if not form.validate():
        return settings_page(form), 422
    AppointmentSettings.change(**form.chosen)
    later("appointments.plan_again")
    flash(_("Saved."))
    return redirect(url_for(".settings"), 303)
