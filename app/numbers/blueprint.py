from __future__ import annotations

from flask import Blueprint

from app.team.forbidden import keep_navigation

bp = Blueprint("numbers", __name__, url_prefix="/t/<tenant_slug>/numbers")
keep_navigation(bp)
