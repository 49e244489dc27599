from __future__ import annotations

import structlog
from flask import Blueprint, request
from flask_login import current_user

log = structlog.get_logger()

bp = Blueprint("platform", __name__, url_prefix="/platform")


@bp.before_request
def log_page() -> None:
    if current_user.is_authenticated and current_user.is_platform_admin:
        seen = {name: str(value) for name, value in (request.view_args or {}).items()}
        log.info("console", admin_id=str(current_user.id), page=request.endpoint, method=request.method, seen=seen)
