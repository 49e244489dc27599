from __future__ import annotations

from flask import Blueprint

bp = Blueprint("numbers", __name__, url_prefix="/t/<tenant_slug>/numbers")
