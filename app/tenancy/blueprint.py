from __future__ import annotations

from flask import Blueprint

bp = Blueprint("tenancy", __name__, url_prefix="/t/<tenant_slug>")
