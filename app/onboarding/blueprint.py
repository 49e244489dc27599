from __future__ import annotations

from flask import Blueprint

from app.team.forbidden import keep_navigation

bp = Blueprint("onboarding", __name__, url_prefix="/t/<tenant_slug>/onboarding")
setup = Blueprint("setup", __name__, url_prefix="/setup/<token>")
keep_navigation(bp)
