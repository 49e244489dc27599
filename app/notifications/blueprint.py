from __future__ import annotations

from flask import Blueprint

from app.tenancy.permissions import ADMINS, EVERYBODY, permission

bp = Blueprint("notifications", __name__, url_prefix="/t/<tenant_slug>/notifications")

permission("notifications.view", *EVERYBODY)
permission("notifications.edit", *ADMINS)
