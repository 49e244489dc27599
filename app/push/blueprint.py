from __future__ import annotations

from flask import Blueprint

bp = Blueprint("push", __name__, url_prefix="/t/<tenant_slug>/push")
pwa = Blueprint("pwa", __name__)
