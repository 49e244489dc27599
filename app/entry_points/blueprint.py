from __future__ import annotations

from flask import Blueprint

from app.tenancy.permissions import ADMINS, EVERYBODY, permission

bp = Blueprint("entry_points", __name__, url_prefix="/t/<tenant_slug>/entry-points")
# Short links on pages, signs and cards; their addresses name no tenant.
links = Blueprint("short_links", __name__, url_prefix="/c")

permission("entry_points.manage", *ADMINS)
permission("entry_points.read", *EVERYBODY)
