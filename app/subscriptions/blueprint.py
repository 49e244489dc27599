from __future__ import annotations

from flask import Blueprint

from app.tenancy.permissions import ADMINS, EVERYBODY, permission

bp = Blueprint("subscriptions", __name__, url_prefix="/t/<tenant_slug>/subscriptions")

permission("subscriptions.view", *EVERYBODY)
permission("subscriptions.edit", *ADMINS)
