"""What follows when a notification changes."""

from __future__ import annotations

from app.tenancy import Happened, current_tenant_id, is_sandbox, later, subscriber


@subscriber("notifications in sandboxes", "notification.changed")
def copy_changed(changed: list[Happened]) -> None:
    """A test key sends the notifications that the live key has."""
    if not is_sandbox(current_tenant_id()):
        for id in {one.subject_id for one in changed}:
            later("notifications.copy_to_sandbox", id)
