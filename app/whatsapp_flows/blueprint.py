from __future__ import annotations

from flask import Blueprint

from app.tenancy.permissions import ADMINS, EVERYBODY, permission

bp = Blueprint("whatsapp_flows", __name__, url_prefix="/t/<tenant_slug>/whatsapp-flows")
# What customers' phones ask while a form is being filled in.
data = Blueprint("flow_data", __name__, url_prefix="/whatsapp-flows")

permission("flows.view", *EVERYBODY)
permission("flows.edit", *ADMINS)
