from __future__ import annotations

from flask import Blueprint

from app.tenancy.permissions import OWNERS, permission

bp = Blueprint("closing", __name__, url_prefix="/t/<tenant_slug>/closing")

permission("business.close", *OWNERS)
