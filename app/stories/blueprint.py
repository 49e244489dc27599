from __future__ import annotations

from flask import Blueprint

from app.tenancy.permissions import ADMINS, permission

bp = Blueprint("stories", __name__, url_prefix="/t/<tenant_slug>")

permission("failures.manage", *ADMINS)
