"""The key to the business's own model."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.assistant.access import HEARING_MODEL, ModelAccess
from app.assistant.blueprint import bp
from app.assistant.forms import AccessForm
from app.assistant.helps import check_access
from app.assistant.prices import DATE
from app.assistant.words import PROBLEMS
from app.tenancy import current_tenant_id, db, requires, uuid7

from .overview import Answer


@bp.get("/key")
@requires("assistant.manage")
def access() -> str:
    return access_page(AccessForm.of(ModelAccess.current()))


@bp.post("/key")
@requires("assistant.manage")
def save_access() -> Answer:
    form = AccessForm(ModelAccess.current())
    if not form.validate():
        return access_page(form), 422
    saved = form.access or ModelAccess(id=uuid7(), tenant_id=current_tenant_id(), problem="")
    form.save(saved)
    db.session.add(saved)
    db.session.flush()
    if problem := check_access(saved):
        flash(_(PROBLEMS[problem]), "error")
    else:
        flash(_("Saved. The model answers."))
    return redirect(url_for(".access"), 303)


@bp.post("/key/removal")
@requires("assistant.manage")
def remove_access() -> AnyResponse:
    if saved := ModelAccess.current():
        db.session.delete(saved)
    flash(_("The key was deleted."))
    return redirect(url_for(".access"), 303)


def access_page(form: AccessForm) -> str:
    more = {"problems": PROBLEMS, "date": DATE, "hearing_model": HEARING_MODEL}
    return render_template("assistant/access.html", form=form, access=form.access, **more)
