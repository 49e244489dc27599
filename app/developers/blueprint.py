from __future__ import annotations

from flask import Blueprint

from app.tenancy.permissions import ADMINS, permission

bp = Blueprint("developers", __name__)

permission("api.manage", *ADMINS)
