"""The first page: what this is, for somebody without a session; for others the way to their business."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask_babel import format_decimal
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from app.contacts.countries import choices
from app.front.blueprint import bp
from app.front.prices import CountryPrices
from app.meta.pricing import FREE_ANSWERS
from app.team.models.businesses import businesses_of
from app.tenancy import public


@bp.get("/")
@public
def home() -> str | AnyResponse:
    """Opens the business right away when there is only one."""
    if not current_user.is_authenticated:
        choice = request.args.get("country", ""), request.args.get("currency", "")
        prices = CountryPrices.of(*choice, [language for language, _ in request.accept_languages])
        return render_template(
            "front/home.html", prices=prices, countries=choices(), free_replies=format_decimal(FREE_ANSWERS)
        )
    if current_user.is_platform_admin:
        return redirect("/platform/", 303)
    businesses = businesses_of(current_user)
    if len(businesses) == 1:
        return redirect(url_for("tenancy.home", tenant_slug=businesses[0].slug), 303)
    return redirect(url_for("team.businesses"), 303)
