from __future__ import annotations

from flask import Blueprint

from app.tenancy.permissions import ADMINS, EVERYBODY, permission

bp = Blueprint("appointments", __name__, url_prefix="/t/<tenant_slug>/appointments")
# Calendar files, which customers and calendars open without a sign-in.
calendar = Blueprint("calendar", __name__, url_prefix="/calendar")

permission("appointments.view", *EVERYBODY)
permission("appointments.edit", *EVERYBODY)
permission("appointments.manage", *ADMINS)
