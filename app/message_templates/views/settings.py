"""Who may submit templates to Meta, and whether messages may go out without one."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.message_templates.blueprint import bp
from app.message_templates.settings import TemplateSettings
from app.tenancy import in_menu, requires
from app.words import N_

from .direct_send import standings


@bp.get("/settings")
@in_menu(
    "settings",
    N_("Templates"),
    "layout-template",
    order=185,
    group="business",
    hint=N_("Who may submit message templates, and Direct Send."),
)
@requires("templates.approve")
def settings() -> str:
    return render_template(
        "message_templates/life_settings.html", settings=TemplateSettings.current(), standings=standings()
    )


@bp.post("/settings")
@requires("templates.approve")
def save_settings() -> AnyResponse:
    TemplateSettings.change(
        needs_approval=request.form.get("submits") == "owners", uses_direct_send="direct_send" in request.form
    )
    flash(_("Saved."))
    return redirect(url_for(".settings"), 303)
