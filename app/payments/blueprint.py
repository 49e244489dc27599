from __future__ import annotations

from flask import Blueprint

from app.tenancy.permissions import ADMINS, EVERYBODY, permission

bp = Blueprint("payments", __name__, url_prefix="/t/<tenant_slug>/payments")

permission("payments.view", *EVERYBODY)
permission("payments.edit", *ADMINS)
