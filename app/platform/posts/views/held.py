"""The console's pages about changes that could not be processed, and about replaying them."""

from __future__ import annotations

import uuid

import structlog
from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy import Row, Select, func, select
from werkzeug.wrappers import Response as AnyResponse

from app.parameters import row_number
from app.platform.forms import ReasonForm
from app.platform.looks import is_open
from app.platform.posts.blueprint import held
from app.platform.posts.outcome import names_in, raw_of, reason_words
from app.tenancy import Tenant, db, in_menu, later, platform_only
from app.tenancy.guard import is_fragment
from app.webhook_events.models import KINDS, HeldChange, WebhookEvent
from app.webhook_events.replays import Criteria, Replay
from app.words import N_

log = structlog.get_logger()
PAGE = 50
MOST = 500


@held.get("/held-changes")
@in_menu("console", N_("Held"), "package-x", order=60, covers=("/platform/replays",))
@platform_only
def index() -> str:
    criteria, discarded = read_criteria(), "discarded" in request.args
    changes = db.session.execute(held_changes(criteria, discarded, request.args.get("before", type=row_number))).all()
    return render_template(
        "platform/posts/held_changes.html",
        criteria=criteria,
        discarded=discarded,
        groups=by_reason(),
        held=changes[:PAGE],
        names_in=names_in,
        reason_words=reason_words,
        more=len(changes) > PAGE,
        replays=db.session.scalars(Replay.newest_first().limit(3)).all(),
    )


@held.get("/held-changes/<int:held_id>")
@platform_only
def show(held_id: int) -> str:
    return held_page(find(held_id), ReasonForm(formdata=None))


@held.post("/held-changes/<int:held_id>/discard")
@platform_only
def discard(held_id: int) -> tuple[str, int] | AnyResponse:
    held, form = find(held_id), ReasonForm()
    if not form.validate():
        return held_page(held, form), 422
    held.discard(form.reason.data, by=current_user.name)
    log.info("held change discarded", admin_id=str(current_user.id), held_id=held_id, reason=form.reason.data)
    flash(_("Discarded. You can find it under “Discarded”."))
    return redirect(url_for(".show", held_id=held_id), 303)


@held.post("/held-changes/replays")
@platform_only
def replay_changes() -> AnyResponse:
    """Replays the selected changes, or all that match."""
    if "all" in request.form:
        criteria = read_criteria()
    elif ids := [int(id) for id in request.form.getlist("id")[:MOST] if id.isdecimal() and len(id) < 19]:
        criteria = Criteria(ids=tuple(ids))
    else:
        flash(_("Select at least one change."), "error")
        return redirect(url_for(".index"), 303)
    made = Replay.of_changes(criteria, by=current_user.name)
    later("webhooks.replay", made.id)
    return redirect(url_for(".show_replay", replay_id=made.id), 303)


@held.get("/replays/<uuid:replay_id>")
@platform_only
def show_replay(replay_id: uuid.UUID) -> str:
    if (replay := db.session.get(Replay, replay_id)) is None:
        abort(404)
    template = "platform/posts/_replay.html" if is_fragment() else "platform/posts/replay.html"
    return render_template(template, replay=replay, outcome=replay.count())


def read_criteria() -> Criteria:
    values = request.values
    return Criteria(
        kind=kind if (kind := values.get("kind", "")) in KINDS else "",
        reason=values.get("reason", "")[:300],
        detail=values.get("detail", "")[:300],
        number=values.get("number", "").strip()[:40],
    )


def by_reason() -> list[Row[str, str, str, int]]:
    """How many of each kind and reason are held, most first."""
    count, same = func.count().label("number"), (HeldChange.kind, HeldChange.reason, HeldChange.detail)
    query = select(*same, count).where(*Criteria().conditions)
    return list(db.session.execute(query.group_by(*same).order_by(count.desc()).limit(PAGE)))


def held_changes(criteria: Criteria, discarded: bool, before: int | None) -> Select[HeldChange, Tenant]:
    query = select(HeldChange, Tenant).outerjoin(Tenant, Tenant.id == HeldChange.tenant_id)
    query = query.where(HeldChange.discarded_at.is_not(None)) if discarded else query.where(*criteria.conditions)
    if before:
        query = query.where(HeldChange.id < before)
    return query.order_by(HeldChange.id.desc()).limit(PAGE + 1)


def held_page(held: HeldChange, form: ReasonForm) -> str:
    post = db.session.get(WebhookEvent, held.webhook_event_id)
    opened = bool(post and is_open("post", post.id))
    return render_template(
        "platform/posts/held_change.html",
        held=held,
        post=post,
        tenant=held.tenant_id and db.session.get(Tenant, held.tenant_id),
        shape=names_in(held.payload),
        reason_words=reason_words,
        raw=raw_of(held, post) if opened else "",
        is_open=opened,
        form=form,
    )


def find(held_id: int) -> HeldChange:
    if (held := db.session.get(HeldChange, held_id) if held_id < 2**63 else None) is None:
        abort(404)
    return held
