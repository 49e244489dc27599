from __future__ import annotations

from flask import Blueprint

from app.tenancy.permissions import ADMINS, OWNERS, permission

bp = Blueprint("welcome", __name__, url_prefix="/t/<tenant_slug>/welcome")

permission("welcome.use", *ADMINS)
permission("welcome.dismiss", *OWNERS)
