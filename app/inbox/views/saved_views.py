"""Views that people keep: made from a list as it is, shared or not."""

from __future__ import annotations

import uuid

from flask import abort, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.inbox.blueprint import bp
from app.inbox.desk.lists import Listing
from app.inbox.desk.saved_views import MOST, SavedView
from app.tenancy import db, in_menu, requires
from app.words import N_

LONGEST_NAME = 60


@bp.get("/views")
@in_menu(
    "settings",
    N_("Saved views"),
    "list-filter",
    order=130,
    group="inbox",
    hint=N_("Your own lists of conversations, or lists for everybody."),
)
@requires("inbox.read")
def saved_views() -> str:
    return page()


@bp.get("/views/new")
@requires("inbox.read")
def new_saved_view() -> str:
    return page(Listing.read(request.args, g.membership))


def page(listing: Listing | None = None, *, typed: str = "", problem: str = "") -> str:
    saved = db.session.scalars(SavedView.for_member(g.membership)).all()
    kept = [(view, Listing.read(view.arguments, g.membership)) for view in saved]
    return render_template("inbox/desk/saved_views.html", saved=kept, listing=listing, typed=typed, problem=problem)


@bp.post("/views")
@requires("inbox.read")
def save_view() -> AnyResponse | tuple[str, int]:
    listing, name = Listing.read(request.form, g.membership), " ".join(request.form.get("name", "").split())
    if not name or len(name) > LONGEST_NAME:
        return page(listing, typed=name, problem=_("Give it a name of at most 60 letters.")), 422
    if len(db.session.scalars(SavedView.for_member(g.membership)).all()) >= MOST:
        return page(listing, typed=name, problem=_("There are 30 saved views. Remove one first.")), 422
    is_shared = bool(request.form.get("shared")) and g.membership.may("desk.manage")
    view = SavedView(name=name, owner_id=g.membership.user_id, is_shared=is_shared, arguments=listing.arguments)
    db.session.add(view)
    flash(_("“%(name)s” is kept.", name=name))
    return redirect(url_for("inbox.index", **listing.arguments), 303)


@bp.post("/views/<uuid:saved_view_id>/removal")
@requires("inbox.read")
def remove_saved_view(saved_view_id: uuid.UUID) -> AnyResponse:
    view = SavedView.get_or_404(saved_view_id)
    if not view.is_shared and view.owner_id != g.membership.user_id:
        abort(404)
    if not view.may_be_changed_by(g.membership):
        abort(403)
    db.session.delete(view)
    flash(_("“%(name)s” is removed.", name=view.name))
    return redirect(url_for("inbox.saved_views"), 303)
