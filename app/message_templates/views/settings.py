"""Who may submit templates to Meta."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.message_templates.blueprint import bp
from app.message_templates.settings import TemplateSettings
from app.tenancy import in_menu, requires
from app.words import N_


@bp.get("/settings")
@in_menu(
    "settings",
    N_("Templates"),
    "layout-template",
    order=185,
    group="business",
    hint=N_("Who may submit message templates to Meta."),
)
@requires("templates.approve")
def settings() -> str:
    return render_template("message_templates/life_settings.html", settings=TemplateSettings.current())


@bp.post("/settings")
@requires("templates.approve")
def save_settings() -> AnyResponse:
    TemplateSettings.change(needs_approval=request.form.get("submits") == "owners")
    flash(_("Saved."))
    return redirect(url_for(".settings"), 303)
