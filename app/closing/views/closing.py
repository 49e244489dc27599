"""An owner asks for their business to be closed; and what its members see once it is."""

from __future__ import annotations

from flask import flash, g, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from app.billing.invoices import Invoice
from app.closing.blueprint import bp
from app.closing.forms import WishForm
from app.closing.models import AlreadyOpen, Closure
from app.extensions import settings
from app.tenancy import confirmed, db, in_menu, requires
from app.tenancy.guard import open_when_closed
from app.words import N_

SHOWN = 50


@bp.get("")
@in_menu(
    "settings",
    N_("Close this business"),
    "unplug",
    order=199,
    group="business",
    hint=N_("Ask for everything to be ended here."),
)
@requires("business.close")
def show() -> str:
    return closing_page(WishForm(formdata=None))


@bp.post("/request")
@requires("business.close")
@confirmed
def request_closing() -> tuple[str, int] | AnyResponse:
    form = WishForm()
    if not form.validate():
        return closing_page(form), 422
    try:
        Closure.request(form.wish.data, by_name=current_user.name)
        flash(_("Sent to the operator. Nothing changes until they have agreed."))
    except AlreadyOpen:
        flash(_("Closing is asked for already."), "error")
    return redirect(url_for(".show"), 303)


@bp.post("/withdrawal")
@requires("business.close")
def withdraw_request() -> AnyResponse:
    closure = Closure.open_one()
    if closure and closure.wished_by_name and closure.state in ("requested", "waiting"):
        closure.withdraw()
        flash(_("Withdrawn. Your business stays open."))
    return redirect(url_for(".show"), 303)


@bp.get("/closed")
@requires("inbox.read")
@open_when_closed
def closed() -> str | AnyResponse:
    """What members of a closed business see in place of everything else."""
    if g.tenant.closed_at is None:
        return redirect(url_for("tenancy.home"), 303)
    may_read_costs = g.membership.may("costs.read")
    return render_template(
        "closing/closed.html",
        tenant=g.tenant,
        invoices=db.session.scalars(Invoice.newest_first().limit(SHOWN)).all() if may_read_costs else [],
        operator=settings,
    )


def closing_page(form: WishForm) -> str:
    closure = db.session.scalar(Closure.newest_first().limit(1))
    return render_template("closing/show.html", form=form, closure=closure, operator=settings)
