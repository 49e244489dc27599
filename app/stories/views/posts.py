"""What Meta posted about one of a tenant's own messages, for those who look after its failures."""

from __future__ import annotations

import uuid

from flask import render_template

from app.inbox.conversations import Message
from app.stories.blueprint import bp
from app.stories.posts import moments_of, posts_about
from app.tenancy import platform_scope, requires


@bp.get("/stories/<uuid:message_id>/posts")
@requires("failures.manage")
def posts(message_id: uuid.UUID) -> str:
    """Only what is said about this very message: a post may hold other companies' as well."""
    message = Message.get_or_404(message_id)
    moments = moments_of(message)
    with platform_scope("a tenant reads what Meta posted about its own message"):
        told = posts_about(message.wamid, moments)
    return render_template("stories/posts.html", message=message, told=told)
