"""Background jobs of notifications: test keys find those of their business."""

from __future__ import annotations

from app.sandboxes.jobs import copies_to_sandboxes
from app.sandboxes.models import Sandbox
from app.tenancy import as_uuid, commit, current_tenant_id, job, tenant_scope

from . import copies


@copies_to_sandboxes
@job("notifications.copy_to_sandbox")
def copy_to_sandbox(changed_id: str = "") -> None:
    """Brings the sandbox's up to date, where the business has one. No transaction sees both."""
    sandbox, changed = Sandbox(current_tenant_id()), as_uuid(changed_id)
    if not sandbox.is_open:
        return
    rows = copies.read()
    commit()
    gone = [changed] if changed and changed not in {row["id"] for row in rows} else []
    with tenant_scope(sandbox.id):
        copies.write(rows, gone)
