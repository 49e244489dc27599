"""The page on which a business sets when and how soon it replies."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.hours.blueprint import bp
from app.hours.forms import PolicyForm
from app.hours.models import ServicePolicy
from app.message_templates.models import TemplateList
from app.tenancy import db, in_menu, requires
from app.wordings import WordingsForm
from app.words import N_


@bp.get("/")
@in_menu(
    "settings",
    N_("Business hours"),
    "clock",
    order=180,
    group="business",
    hint=N_("Opening hours, out-of-office reply, and how soon you reply."),
)
@requires("team.manage")
def show() -> str:
    TemplateList.refresh_all()
    return render_template("hours/show.html", form=PolicyForm.of(ServicePolicy.current()))


@bp.post("/")
@requires("team.manage")
def save() -> AnyResponse | str | tuple[str, int]:
    policy = ServicePolicy.to_change()
    form = PolicyForm(policy)
    if request.form.get("copy"):
        source = max(0, min(request.form.get("copy_from", 0, int), 6))
        form.copy(source, request.form["copy"])
        return render_template("hours/show.html", form=form, copied=True, copy_from=source), 200
    if WordingsForm.is_shown_again(request.form):
        return render_template("hours/show.html", form=form)
    if not form.validate():
        return render_template("hours/show.html", form=form), 422
    form.fill(policy)
    db.session.add(policy)
    flash(_("Saved."))
    return redirect(url_for("hours.show"), 303)
