from __future__ import annotations

from flask import Blueprint

from app.tenancy.permissions import ADMINS, EVERYBODY, permission

bp = Blueprint("listings", __name__, url_prefix="/t/<tenant_slug>/listings")

permission("listings.view", *EVERYBODY)
permission("listings.edit", *EVERYBODY)
permission("listings.manage", *ADMINS)
