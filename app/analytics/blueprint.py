from __future__ import annotations

from flask import Blueprint

from app.tenancy.permissions import ADMINS, EVERYBODY, permission

bp = Blueprint("analytics", __name__, url_prefix="/t/<tenant_slug>/reports")

# Agents read their own figures; the others need `reports.read_all`.
permission("reports.read", *EVERYBODY)
permission("reports.read_all", *ADMINS)
