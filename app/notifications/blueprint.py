from __future__ import annotations

from flask import Blueprint

bp = Blueprint("notifications", __name__, url_prefix="/t/<tenant_slug>/notifications")
pwa = Blueprint("pwa", __name__)
