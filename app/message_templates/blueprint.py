from __future__ import annotations

from flask import Blueprint

from app.tenancy.permissions import ADMINS, EVERYBODY, OWNERS, permission

bp = Blueprint("message_templates", __name__, url_prefix="/t/<tenant_slug>/templates")

permission("templates.view", *EVERYBODY)
permission("templates.edit", *ADMINS)
permission("templates.approve", *OWNERS)
