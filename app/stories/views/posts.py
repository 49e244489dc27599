"""What Meta sent about one of a tenant's own messages, for those who manage its failures."""

from __future__ import annotations

import uuid

from flask import render_template

from app.inbox.conversations import Message
from app.stories.blueprint import bp
from app.stories.posts import arrival_times, posts_about
from app.tenancy import platform_scope, requires


@bp.get("/stories/<uuid:message_id>/posts")
@requires("failures.manage")
def posts(message_id: uuid.UUID) -> str:
    """Only the items about this message: a webhook may contain other companies' as well."""
    message = Message.get_or_404(message_id)
    times = arrival_times(message)
    with platform_scope("a tenant reads what Meta sent about its own message"):
        reports = posts_about(message.wamid, times)
    return render_template("stories/posts.html", message=message, reports=reports)
