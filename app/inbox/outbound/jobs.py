"""Background jobs of sending: deliver messages, upload their files, show customers that theirs were read."""

from __future__ import annotations

import structlog
from sqlalchemy import and_, func, or_, select

from app.extensions import outside
from app.inbox.conversations import Conversation, Message
from app.inbox.files.media import UPLOAD_LASTS, Media
from app.meta import messages as meta
from app.meta.errors import MetaError
from app.tenancy import (
    commit,
    current_tenant_id,
    database_now,
    db,
    enqueue,
    in_turn,
    job,
    later,
    platform_scope,
    sweep,
)

from . import funding, outbox, unknowns, uploads
from .lanes import waiting_lanes
from .sample_uploads import SampleUpload
from .sender import Sender

log = structlog.get_logger()

AT_ONCE = 500


@job("outbound.deliver", "outbound", per_tenant=False, seconds=180)
def deliver() -> None:
    """Sends the queued messages of every tenant and number; enqueues itself again if time runs out first."""
    if Sender(outside().graph).run():
        enqueue("outbound.deliver")


@job("outbound.mark_read")
def mark_read(conversation_id: str) -> None:
    """Sends a read receipt for the customer's last message (Cloud API: mark messages as read). Not retried."""
    acknowledge(conversation_id)


@job("outbound.show_typing")
def show_typing(conversation_id: str) -> None:
    """Shows the customer "typing…" (Cloud API: typing indicators), which marks as read too. Not retried."""
    acknowledge(conversation_id, typing=True)


def acknowledge(conversation_id: str, *, typing: bool = False) -> None:
    conversation = Conversation.get_or_404(conversation_id)
    number, wamid = conversation.phone_number, conversation.last_inbound_wamid
    if not (wamid and number.is_connected):
        return
    token, meta_id = number.waba.token, number.meta_id
    commit()
    try:
        meta.mark_read(outside().graph, token, meta_id, wamid, typing)
    except MetaError as error:
        log.info("not marked as read", conversation_id=conversation_id, meta_code=error.code)


@job("outbound.release_unfunded")
def release_unfunded() -> None:
    """The balance was topped up: what waited for it is due now."""
    db.session.execute(funding.FUND, {"tenant": current_tenant_id()})
    for release in funding.RELEASES:
        release()
    later("outbound.deliver")


@sweep(every=5)
def release_scheduled() -> None:
    """Enqueues the release of messages that are due, and of those whose reply window closed while they waited."""
    with platform_scope("scheduled messages that are due"):
        at = database_now()
        is_due = and_(Message.state == "scheduled", Message.send_at <= at)
        is_late = and_(Message.state == "queued", Message.expires_at <= at, Message.instead.is_not(None))
        due = select(Message.tenant_id, Message.id).where(or_(is_due, is_late))
        first_at = func.coalesce(Message.send_at, Message.expires_at)
        for tenant_id, message_id in db.session.execute(in_turn(due, first_at, AT_ONCE)):
            later("outbound.release", message_id, tenant_id=tenant_id)


@job("outbound.release")
def release_message(message_id: str) -> None:
    """Releases a scheduled message that is due; sends the fallback template where its reply window closed."""
    message = Message.get_or_404(message_id).refresh_locked()
    if message.state == "scheduled":
        message.release()
    else:
        message.release_fallback()


@sweep(every=5)
def recover_waiting_messages() -> None:
    """Settles what a dead worker left, and enqueues the delivery where messages are due, or their expiry."""
    with platform_scope("messages waiting, or left behind by a worker that died"):
        outbox.park_abandoned()
        is_late = (Message.state == "queued") & (Message.expires_at <= database_now()) & Message.instead.is_(None)
        late = in_turn(select(Message.tenant_id, Message.id).where(is_late), Message.expires_at, AT_ONCE)
        for tenant_id in {row.tenant_id for row in db.session.execute(late)}:
            later("outbound.expire", tenant_id=tenant_id)
    unknowns.retry_lost()
    if any(waiting.is_due for waiting in waiting_lanes()):
        enqueue("outbound.deliver")


@job("outbound.expire")
def expire_late() -> None:
    """Expires what WhatsApp would refuse, some hundreds in each transaction: a campaign may have many."""
    while outbox.expire_late():
        commit()


@job("outbound.upload", "files", seconds=uploads.SECONDS)
def upload(media_id: str) -> None:
    """Uploads the file of a queued message to Meta. A worker that dies here only delays it until the claim expires."""
    media = Media.claim_upload(media_id)
    if media is None:
        return
    message = db.session.get_one(Message, (media.tenant_id, media.message_id))
    if message.state != "queued":
        media.next_attempt_at = None
        return
    uploads.Upload(media, message).run()


@job("outbound.upload_sample", "files", seconds=uploads.SECONDS)
def upload_sample(upload_id: str) -> None:
    """Uploads a template's picture or video for the messages of a number."""
    if claimed := SampleUpload.claim(upload_id):
        claimed.run()


@sweep(every=5)
def recover_waiting_uploads() -> None:
    """Enqueues the uploads that are due, those that Meta has meanwhile deleted among them."""
    with platform_scope("files waiting to be uploaded"):
        at = database_now()
        db.session.execute(uploads.REQUEUE_DELETED, {"now": at, "before": at - UPLOAD_LASTS})
        due = (Media.state == "stored") & (Media.next_attempt_at <= at)
        waiting = in_turn(select(Media.tenant_id, Media.id).where(due), Media.next_attempt_at, uploads.AT_ONCE)
        for tenant_id, media_id in db.session.execute(waiting):
            later("outbound.upload", media_id, tenant_id=tenant_id)
        samples = select(SampleUpload.tenant_id, SampleUpload.id).where(SampleUpload.next_attempt_at <= at)
        samples = in_turn(samples, SampleUpload.next_attempt_at, uploads.AT_ONCE)
        for tenant_id, upload_id in db.session.execute(samples):
            later("outbound.upload_sample", upload_id, tenant_id=tenant_id)
