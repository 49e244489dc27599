"""Any tenant's messages, for finding out why one did not arrive. The content is hidden until a reason is given."""

from __future__ import annotations

import uuid
from collections import defaultdict

import structlog
from flask import redirect, render_template, request, url_for
from flask_login import current_user
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from app.inbox.conversations import Message
from app.platform.blueprint import bp
from app.platform.forms import ReasonForm
from app.platform.looks import is_open, look
from app.stories.failures import PAGE, retry_all
from app.stories.story import Story, messages_like
from app.stories.views.stories import (
    failures_from_request,
    filter_arguments,
    flash_retried,
    selected_ids,
    time_argument,
)
from app.tenancy import Tenant, db, in_menu, platform_only, within_tenant
from app.words import N_

log = structlog.get_logger()


@bp.get("/messages")
@in_menu("console", N_("Find"), "search", order=70, covers=("/platform/stories",))
@platform_only
def messages() -> str | AnyResponse:
    words = request.args.get("q", "").strip()
    matches = messages_like(words, time_argument("at")) if words else []
    if len(matches) == 1:
        return redirect(url_for(".story", tenant_id=matches[0].tenant_id, message_id=matches[0].id), 303)
    return render_template("platform/messages.html", messages=matches, words=words, tenants=tenants_of(matches))


@bp.get("/tenants/<uuid:tenant_id>/messages/<uuid:message_id>")
@platform_only
def story(tenant_id: uuid.UUID, message_id: uuid.UUID) -> str:
    return story_page(tenant_id, message_id, ReasonForm(formdata=None))


@bp.post("/tenants/<uuid:tenant_id>/messages/<uuid:message_id>/looks")
@platform_only
def look_at_message(tenant_id: uuid.UUID, message_id: uuid.UUID) -> tuple[str, int] | AnyResponse:
    form = ReasonForm()
    if not form.validate():
        return story_page(tenant_id, message_id, form), 422
    with within_tenant(tenant_id):
        Message.get_or_404(message_id)
    look("message", message_id, form.reason.data, [tenant_id])
    return redirect(url_for(".story", tenant_id=tenant_id, message_id=message_id), 303)


def story_page(tenant_id: uuid.UUID, message_id: uuid.UUID, form: ReasonForm) -> str:
    with within_tenant(tenant_id):
        history = Story.of_message(message_id)
    tenant = db.session.get_one(Tenant, tenant_id)
    opened = is_open("message", message_id)
    return render_template("platform/story.html", story=history, tenant=tenant, is_open=opened, form=form)


@bp.get("/failures")
@in_menu("console", N_("Not sent"), "message-circle-warning", order=40)
@platform_only
def failures() -> str:
    query = failures_from_request()
    page = db.session.execute(query.page()).unique().all()
    rows, more = page[:PAGE], len(page) > PAGE
    return render_template("platform/failures.html", query=query, groups=query.by_reason(), rows=rows, more=more)


@bp.post("/failures/attempts")
@platform_only
def retry_failures() -> AnyResponse:
    """Retries, on their tenants' behalf, the selected messages or all that match."""
    query = failures_from_request()
    ids = query.to_retry() if "all" in request.form else selected_ids()
    retried = 0
    for tenant_id, mine in by_tenant(ids).items():
        with within_tenant(tenant_id):
            count = retry_all(mine, also_unknown="twice_is_fine" in request.form)
        log.info("messages retried for a tenant", admin_id=str(current_user.id), tenant_id=str(tenant_id), count=count)
        retried += count
    flash_retried(retried, len(ids))
    return redirect(url_for(".failures", **filter_arguments(query)), 303)


def by_tenant(ids: list[uuid.UUID]) -> dict[uuid.UUID, list[uuid.UUID]]:
    mine: dict[uuid.UUID, list[uuid.UUID]] = defaultdict(list)
    query = select(Message.tenant_id, Message.id).join(Tenant, Tenant.id == Message.tenant_id)
    for row in db.session.execute(query.where(Message.id.in_(ids))) if ids else ():
        mine[row.tenant_id].append(row.id)
    return mine


def tenants_of(shown: list[Message]) -> dict[uuid.UUID, str]:
    ids = {message.tenant_id for message in shown}
    return {tenant.id: tenant.name for tenant in db.session.scalars(select(Tenant).where(Tenant.id.in_(ids)))}
