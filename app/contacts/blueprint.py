from __future__ import annotations

from flask import Blueprint

from app.tenancy.permissions import ADMINS, OWNERS, permission

bp = Blueprint("contacts", __name__, url_prefix="/t/<tenant_slug>/contacts")

permission("contacts.manage", *ADMINS)
permission("contacts.erase", *OWNERS)
