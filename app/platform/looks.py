"""An admin may view a tenant's messages for 15 minutes after giving a reason, which the tenant's owners can read."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable

import structlog
from flask import session
from flask_login import current_user

from app.team.models import Look
from app.tenancy import commit

log = structlog.get_logger()

SECONDS = 15 * 60


def is_open(kind: str, subject: object) -> bool:
    """Whether this admin has given a reason for this subject within the last 15 minutes."""
    until: float = session.get("looks", {}).get(f"{kind} {subject}", 0)
    return until > time.time()


def look(kind: str, subject: object, reason: str, tenant_ids: Iterable[uuid.UUID]) -> None:
    """Records who views what and why, and only then opens it."""
    for tenant_id in tenant_ids:
        Look.record(current_user, tenant_id, kind, str(subject), reason)
    log.info("look", admin_id=str(current_user.id), kind=kind, subject=str(subject), reason=reason)
    commit()
    still_open = {name: until for name, until in session.get("looks", {}).items() if until > time.time()}
    session["looks"] = still_open | {f"{kind} {subject}": time.time() + SECONDS}
