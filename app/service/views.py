"""The page on which a business says when and how soon it answers."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.message_templates.jobs import keep_fresh
from app.tenancy import db, requires

from .forms import PolicyForm
from .models import ServicePolicy

bp = Blueprint("service", __name__, url_prefix="/t/<tenant_slug>/service")


@bp.get("/")
@requires("team.manage")
def show() -> str:
    keep_fresh()
    return render_template("service/show.html", form=PolicyForm.of(ServicePolicy.current()))


@bp.post("/")
@requires("team.manage")
def save() -> AnyResponse | tuple[str, int]:
    policy = ServicePolicy.current()
    form = PolicyForm(policy)
    if not form.validate():
        return render_template("service/show.html", form=form), 422
    form.fill(policy)
    db.session.add(policy)
    flash(_("Saved."))
    return redirect(url_for("service.show"), 303)
