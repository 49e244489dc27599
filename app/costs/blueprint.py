from __future__ import annotations

from flask import Blueprint

from app.tenancy.permissions import OWNERS, permission

bp = Blueprint("costs", __name__, url_prefix="/t/<tenant_slug>/costs")

permission("costs.read", *OWNERS)
permission("costs.manage", *OWNERS)
