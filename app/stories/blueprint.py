from __future__ import annotations

from flask import Blueprint

bp = Blueprint("stories", __name__, url_prefix="/t/<tenant_slug>")
