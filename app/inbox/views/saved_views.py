"""Saved views: lists of conversations that people saved, for themselves or for everyone."""

from __future__ import annotations

import uuid

from flask import abort, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.inbox.blueprint import bp
from app.inbox.desk.forms import SavedViewForm
from app.inbox.desk.lists import ConversationList
from app.inbox.desk.saved_views import SavedView
from app.tenancy import db, in_menu, requires
from app.words import N_


@bp.get("/views")
@in_menu(
    "settings",
    N_("Saved views"),
    "list-filter",
    order=130,
    group="inbox",
    hint=N_("Your own lists of conversations, or lists for everyone."),
)
@requires("inbox.read")
def saved_views() -> str:
    return render_saved_views()


@bp.get("/views/new")
@requires("inbox.read")
def new_saved_view() -> str:
    return render_saved_views(ConversationList.from_arguments(request.args, g.membership), SavedViewForm(g.membership))


def render_saved_views(inbox_list: ConversationList | None = None, form: SavedViewForm | None = None) -> str:
    """Every saved view of the reader; with a inbox_list, the form that saves it."""
    views = db.session.scalars(SavedView.for_member(g.membership)).all()
    saved = [(view, ConversationList.from_arguments(view.arguments, g.membership)) for view in views]
    return render_template("inbox/desk/saved_views.html", saved=saved, inbox_list=inbox_list, form=form)


@bp.post("/views")
@requires("inbox.read")
def save_view() -> AnyResponse | tuple[str, int]:
    inbox_list, form = ConversationList.from_arguments(request.form, g.membership), SavedViewForm(g.membership)
    if not form.validate():
        return render_saved_views(inbox_list, form), 422
    view = form.save(inbox_list)
    flash(_("“%(name)s” saved.", name=view.name))
    return redirect(url_for("inbox.index", **inbox_list.arguments), 303)


@bp.post("/views/<uuid:saved_view_id>/removal")
@requires("inbox.read")
def remove_saved_view(saved_view_id: uuid.UUID) -> AnyResponse:
    view = SavedView.get_or_404(saved_view_id)
    if not view.is_shared and view.owner_id != g.membership.user_id:
        abort(404)
    if not view.may_be_changed_by(g.membership):
        abort(403)
    db.session.delete(view)
    flash(_("“%(name)s” removed.", name=view.name))
    return redirect(url_for("inbox.saved_views"), 303)
