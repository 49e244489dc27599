from __future__ import annotations

from flask import Blueprint

from app.tenancy.permissions import ADMINS, EVERYBODY, permission

bp = Blueprint("automation", __name__, url_prefix="/t/<tenant_slug>/automation")
# The addresses that other programs call.
hooks = Blueprint("automation_hooks", __name__)

permission("automation.read", *EVERYBODY)
permission("automation.manage", *ADMINS)
