"""The console's pages about Meta's webhooks."""

from __future__ import annotations

import uuid

from flask import Response, abort, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from app.inbox.conversations import Message
from app.parameters import row_number
from app.platform.forms import ReasonForm
from app.platform.looks import is_open, look
from app.platform.posts.blueprint import posts
from app.platform.posts.outcome import Reading
from app.stories.posts import arrival_times, posts_about
from app.stories.views.stories import time_argument
from app.tenancy import Tenant, db, in_menu, later, platform_only, within_tenant
from app.webhook_events.models import WebhookEvent
from app.webhook_events.replays import Replay
from app.webhook_events.search import STATES, Search
from app.words import N_


@posts.get("/posts")
@in_menu("console", N_("Webhooks"), "webhook", order=50)
@platform_only
def index() -> str:
    search = Search(
        state=state if (state := request.args.get("state", "")) in STATES else "",
        words=request.args.get("q", "").strip()[:300],
        since=time_argument("since"),
        until=time_argument("until"),
        before=request.args.get("before", type=row_number),
    )
    return render_template("platform/posts/posts.html", search=search, page=search.page())


@posts.get("/posts/<int:post_id>")
@platform_only
def show(post_id: int) -> str:
    return post_page(find(post_id), ReasonForm(formdata=None))


@posts.post("/posts/<int:post_id>/looks")
@platform_only
def look_at_post(post_id: int) -> tuple[str, int] | AnyResponse:
    post, form = find(post_id), ReasonForm()
    if not form.validate():
        return post_page(post, form), 422
    look("post", post_id, form.reason.data, [tenant.id for tenant in Reading.of(post).tenants])
    return redirect(url_for(".show", post_id=post_id), 303)


@posts.get("/posts/<int:post_id>/body")
@platform_only
def body(post_id: int) -> AnyResponse:
    post = find(post_id)
    if not is_open("post", post_id):
        return redirect(url_for(".show", post_id=post_id), 303)
    answer = Response(post.body, content_type="text/plain; charset=utf-8")
    answer.headers.set("Content-Disposition", "attachment", filename=f"post-{post_id}.txt")
    return answer


@posts.post("/posts/<int:post_id>/replays")
@platform_only
def replay_post(post_id: int) -> AnyResponse:
    replay = Replay.of_post(find(post_id), by=current_user.name)
    later("webhooks.replay", replay.id)
    return redirect(url_for("held.show_replay", replay_id=replay.id), 303)


@posts.get("/tenants/<uuid:tenant_id>/messages/<uuid:message_id>/posts")
@platform_only
def of_message(tenant_id: uuid.UUID, message_id: uuid.UUID) -> str:
    with within_tenant(tenant_id):
        message = Message.get_or_404(message_id)
        moments = arrival_times(message)
    return render_template(
        "platform/posts/posts_of_message.html",
        reports=posts_about(message.wamid, moments),
        tenant=db.session.get_one(Tenant, tenant_id),
        message=message,
    )


def post_page(post: WebhookEvent, form: ReasonForm) -> str:
    reading, opened = Reading.of(post), is_open("post", post.id)
    pretty, is_whole = reading.pretty() if opened else ("", True)
    return render_template(
        "platform/posts/post.html",
        post=post,
        became=reading.became(),
        count=len(reading.changes),
        tenants=reading.tenants,
        pretty=pretty,
        is_whole=is_whole,
        is_open=opened,
        form=form,
    )


def find(post_id: int) -> WebhookEvent:
    if (post := db.session.get(WebhookEvent, post_id) if post_id < 2**63 else None) is None:
        abort(404)
    return post
