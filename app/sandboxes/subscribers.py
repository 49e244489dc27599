"""What follows in a sandbox when templates change."""

from __future__ import annotations

import datetime as dt

from app.message_templates.models import MessageTemplate
from app.meta import pretend
from app.meta.pretended_webhooks import reviewed
from app.tenancy import Happened, current_tenant_id, is_sandbox, later, now, subscriber

from .models import PretendedWebhook, waba_meta_id

# How long the review of a template takes.
REVIEW = dt.timedelta(seconds=5)


@subscriber("sandboxes", "template.refreshed", "template.changed")
def copy_changed(_changed: list[Happened]) -> None:
    """A test key sends the templates that the live key has."""
    if not is_sandbox(current_tenant_id()):
        later("sandboxes.copy_templates")


@subscriber("reviews in sandboxes", "template.submitted")
def review(submitted: list[Happened]) -> None:
    """Decides about the templates that a test key submits, a moment later."""
    if not is_sandbox(current_tenant_id()):
        return
    for one in submitted:
        if template := MessageTemplate.find(one.subject_id):
            id = pretend.template_id(waba_meta_id(template.tenant_id), template.name, template.language)
            decision = reviewed(id, template.name, template.language, template.category)
            PretendedWebhook.expect([decision], at=now() + REVIEW)
