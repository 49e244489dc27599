from __future__ import annotations

from flask import Blueprint

from app.tenancy.permissions import ADMINS, EVERYBODY, permission

bp = Blueprint("automation", __name__, url_prefix="/t/<tenant_slug>/automation")

permission("automation.read", *EVERYBODY)
permission("automation.manage", *ADMINS)
