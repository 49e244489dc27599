from __future__ import annotations

from flask import Blueprint

from app.tenancy.permissions import ADMINS, EVERYBODY, permission

bp = Blueprint("records", __name__, url_prefix="/t/<tenant_slug>/records")

permission("records.view", *EVERYBODY)
permission("records.edit", *EVERYBODY)
permission("records.manage", *ADMINS)
