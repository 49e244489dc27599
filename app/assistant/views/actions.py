"""Actions: calls to the business's own programs, which a version may switch on."""

from __future__ import annotations

import uuid

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.assistant.actions import MOST_ACTIONS, AssistantAction
from app.assistant.blueprint import bp
from app.assistant.forms import ActionForm
from app.assistant.words import PROBLEMS
from app.tenancy import db, requires

from .overview import Answer


@bp.get("/actions")
@requires("assistant.manage")
def actions() -> str:
    return actions_page(ActionForm(formdata=None))


@bp.post("/actions")
@requires("assistant.manage")
def add_action() -> Answer:
    form = ActionForm()
    if not form.validate():
        return actions_page(form), 422
    if len(db.session.scalars(AssistantAction.in_order()).all()) >= MOST_ACTIONS:
        flash(_("There are %(most)d actions already. Delete one first.", most=MOST_ACTIONS), "error")
        return redirect(url_for(".actions"), 303)
    action = AssistantAction.add(form.name.data, form.description.data, form.url.data, form.parameters.data)
    return actions_page(ActionForm(formdata=None), action), 201


@bp.post("/actions/<uuid:action_id>/removal")
@requires("assistant.manage")
def remove_action(action_id: uuid.UUID) -> AnyResponse:
    db.session.delete(AssistantAction.get_or_404(action_id))
    flash(_("Deleted."))
    return redirect(url_for(".actions"), 303)


def actions_page(form: ActionForm, added: AssistantAction | None = None) -> str:
    """`added` shows its secret, this once."""
    rows = db.session.scalars(AssistantAction.in_order()).all()
    return render_template(
        "assistant/actions.html", form=form, actions=rows, added=added, problems=PROBLEMS, most=MOST_ACTIONS
    )
