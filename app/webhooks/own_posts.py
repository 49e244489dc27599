"""What Meta posted about one of a tenant's own messages, for those who look after its failures."""

from __future__ import annotations

import uuid

from flask import Blueprint, render_template

from app.inbox.models import Message
from app.tenancy import platform_scope, requires

from .about import moments_of, posts_about

bp = Blueprint("own_posts", __name__, url_prefix="/t/<tenant_slug>/stories")


@bp.get("/<uuid:message_id>/posts")
@requires("failures.manage")
def show(message_id: uuid.UUID) -> str:
    """Only what is said about this very message: a post may hold other companies' as well."""
    message = Message.get_or_404(message_id)
    moments = moments_of(message)
    with platform_scope("a tenant reads what Meta posted about its own message"):
        told = posts_about(message.wamid, moments)
    return render_template("webhooks/own_posts.html", message=message, told=told)
