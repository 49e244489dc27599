"""What a business decides about its listings."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.listings.blueprint import bp
from app.listings.forms import SettingsForm
from app.listings.settings import ListingSettings
from app.listings.wording import ALERT_VARIABLES, INQUIRY_VARIABLES, unfilled
from app.tenancy import requires


@bp.get("/settings")
@requires("listings.manage")
def settings() -> str:
    return settings_page(SettingsForm(ListingSettings.current(), formdata=None))


def settings_page(form: SettingsForm) -> str:
    current = ListingSettings.current()
    alerts, inquiries = current.alert_notification, current.inquiry_notification
    return render_template(
        "listings/settings.html",
        form=form,
        settings=current,
        alerts=alerts,
        missing_in_alerts=unfilled(alerts, ALERT_VARIABLES),
        missing_in_inquiries=unfilled(inquiries, INQUIRY_VARIABLES),
        alert_variables=ALERT_VARIABLES,
        inquiry_variables=INQUIRY_VARIABLES,
    )


@bp.post("/settings")
@requires("listings.manage")
def save_settings() -> str | tuple[str, int] | AnyResponse:
    settings = ListingSettings.to_change()
    form = SettingsForm(settings)
    if not form.validate():
        return settings_page(form), 422
    form.store(settings)
    flash(_("Saved."))
    return redirect(url_for(".settings"), 303)
