"""A tenant's numbers: how each stands, what is wrong, and what to do about it."""

from __future__ import annotations

from flask import Blueprint, render_template

from app.tenancy import db, requires
from app.tenancy.guard import is_fragment

from .models import Waba

bp = Blueprint("wabas", __name__, url_prefix="/t/<tenant_slug>/numbers")


@bp.get("")
@requires("numbers.manage")
def index() -> str:
    template = "wabas/_numbers.html" if is_fragment() else "wabas/index.html"
    return render_template(template, wabas=db.session.scalars(Waba.in_order()).all())
