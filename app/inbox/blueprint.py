from __future__ import annotations

from flask import Blueprint

from app.tenancy.permissions import ADMINS, EVERYBODY, permission

bp = Blueprint("inbox", __name__, url_prefix="/t/<tenant_slug>/inbox")

permission("inbox.read", *EVERYBODY)
permission("inbox.reply", *EVERYBODY)
permission("desk.manage", *ADMINS)
