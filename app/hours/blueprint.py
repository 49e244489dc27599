from __future__ import annotations

from flask import Blueprint

from app import zones
from app.hours.models import ServicePolicy

bp = Blueprint("hours", __name__, url_prefix="/t/<tenant_slug>/hours")
bp.record_once(lambda setup: zones.use_for_tenant(setup.app, lambda: ServicePolicy.current().time_zone))

time_zone = Blueprint("time_zone", __name__, url_prefix="/time-zone")
