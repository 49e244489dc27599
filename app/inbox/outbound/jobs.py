"""Sending, and telling customers that somebody read what they wrote."""

from __future__ import annotations

import structlog
from sqlalchemy import and_, func, or_, select

from app.extensions import outside
from app.inbox.conversations import Conversation, Message
from app.inbox.files.media import UPLOAD_LASTS, Media
from app.meta import messages as meta
from app.meta.errors import MetaError
from app.tenancy import commit, db, enqueue, job, later, platform_scope, sweep, within_tenant

from . import outbox, unknowns, uploads
from .sender import Sender, lanes_waiting

log = structlog.get_logger()

AT_ONCE = 500


@job("outbound.deliver", "outbound", per_tenant=False, seconds=180)
def deliver() -> None:
    """Sends what waits, of every tenant and number."""
    if Sender(outside().graph).run():
        enqueue("outbound.deliver")


@job("outbound.mark_read")
def mark_read(conversation_id: str) -> None:
    """Shows the customer blue ticks up to their last message. Best effort: nothing is lost without it."""
    conversation = Conversation.get_or_404(conversation_id)
    number, wamid = conversation.phone_number, conversation.last_inbound_wamid
    if not (wamid and number.is_connected):
        return
    token, meta_id = number.waba.token, number.meta_id
    commit()
    try:
        meta.mark_read(outside().graph, token, meta_id, wamid)
    except MetaError as error:
        log.info("not marked as read", conversation_id=conversation_id, meta_code=error.code)


@sweep(every=5)
def release_scheduled() -> None:
    """Sends what was put aside until now; and what waited until its window closed, as the template chosen for that."""
    at = func.clock_timestamp()
    is_due = and_(Message.state == "scheduled", Message.send_at <= at)
    is_late = and_(Message.state == "queued", Message.expires_at <= at, Message.instead.is_not(None))
    found = select(Message.tenant_id, Message.id).where(or_(is_due, is_late)).limit(AT_ONCE)
    with platform_scope("messages whose time has come"):
        for tenant_id, message_id in db.session.execute(found).all():
            with within_tenant(tenant_id):
                message = Message.get_or_404(message_id).refresh_locked()
                if message.state == "scheduled":
                    message.release()
                else:
                    message.release_fallback()


@sweep(every=5)
def ring_for_waiting_messages() -> None:
    with platform_scope("messages waiting, or left behind by a worker that died"):
        outbox.park_abandoned()
        outbox.expire_late()
        unknowns.repeat_lost()
    if any(waiting.is_due for waiting in lanes_waiting()):
        enqueue("outbound.deliver")


@job("outbound.upload", seconds=uploads.SECONDS)
def upload(media_id: str) -> None:
    """May be killed anywhere: the claim runs out and another one begins anew."""
    media = Media.claim_upload(media_id)
    if media is None:
        return
    message = db.session.get_one(Message, (media.tenant_id, media.message_id))
    if message.state != "queued":
        media.next_attempt_at = None
        return
    uploads.Uploading(media, message).run()


@sweep(every=5)
def ring_for_waiting_uploads() -> None:
    due = (Media.state == "stored") & (Media.next_attempt_at <= func.clock_timestamp())
    waiting = select(Media.tenant_id, Media.id).where(due).order_by(Media.next_attempt_at).limit(uploads.AT_ONCE)
    with platform_scope("files waiting to be uploaded"):
        db.session.execute(uploads.FORGOTTEN, {"lasts": UPLOAD_LASTS})
        for tenant_id, media_id in db.session.execute(waiting):
            later("outbound.upload", media_id, tenant_id=tenant_id)
