from __future__ import annotations

from flask import Blueprint

from app.tenancy.permissions import ADMINS, permission

bp = Blueprint("crm", __name__, url_prefix="/t/<tenant_slug>/crm")

permission("crm.manage", *ADMINS)
