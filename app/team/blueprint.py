from __future__ import annotations

from flask import Blueprint

from app.team.forbidden import keep_navigation

bp = Blueprint("team", __name__)
keep_navigation(bp)
