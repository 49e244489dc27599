"""Terms and privacy: what the software does with data, and who operates it."""

from __future__ import annotations

from flask import render_template

from app.extensions import settings
from app.front.blueprint import bp
from app.tenancy import public


@bp.get("/terms")
@public
def terms() -> str:
    return render_template("front/terms.html", operator=settings.operator_name, contact=settings.operator_contact)


@bp.get("/privacy")
@public
def privacy() -> str:
    return render_template("front/privacy.html", operator=settings.operator_name, contact=settings.operator_contact)
