"""Background jobs of the desk: snoozes, blocks at WhatsApp, queues, and the pages behind links."""

from __future__ import annotations

import structlog
from sqlalchemy import delete, select

from app.extensions import outside
from app.inbox.conversations import Conversation, assignment
from app.inbox.files.deletions import delete_later
from app.inbox.files.link_previews import RETENTION, LinkPreview
from app.meta import blocked_users as meta
from app.meta.errors import Kind, MetaError
from app.team.models import Team
from app.tenancy import Actor, announce, commit, database_now, db, in_turn, job, later, platform_scope, sweep

from . import closing, distribution
from .blocks import Block
from .bulk_changes import BulkChange

log = structlog.get_logger()

AT_ONCE = 50
NEVER = (Kind.FINAL, Kind.HUMAN)


@job("desk.sync_block")
def sync_block(conversation_id: str) -> None:
    """Syncs a block to WhatsApp. A change made meanwhile is synced next."""
    conversation = Conversation.find(conversation_id)
    block = conversation and Block.of(conversation)
    if not conversation or not block or block.state not in ("blocking", "unblocking"):
        return
    wished, number, contact = block.state, conversation.phone_number, conversation.contact
    token, meta_id = number.waba.token, number.meta_id
    wa_id, bsuid = contact.identity("wa_id"), contact.identity("bsuid")
    who = wa_id or bsuid or ""
    commit()
    error = None
    try:
        (meta.block if wished == "blocking" else meta.unblock)(outside().graph, token, meta_id, who)
    except MetaError as refusal:
        log.info("not blocked", conversation_id=conversation_id, wished=wished, meta_code=refusal.code)
        error = refusal
    settled = Block.of(conversation)
    if settled and error:
        settled.refresh_locked().refuse(wished, error.as_dict(), later=error.kind not in NEVER)
    elif settled:
        settled.refresh_locked().settle(wished)


@job("desk.wake_snoozed")
def wake_snoozed() -> None:
    for conversation_id in assignment.wake_due():
        announce("conversation", conversation_id)


@job("desk.end_handling")
def end_handling() -> None:
    """Ends the time in which people had conversations and wrote nothing for long."""
    over = select(Conversation.id).where(Conversation.handled_until <= database_now()).limit(AT_ONCE * 10)
    for conversation in Conversation.lock_all(db.session.scalars(over)):
        if not conversation.is_with_person:
            conversation.release(by=Actor.system("handling"), why="expired")


@sweep(every=60)
def find_handling_that_is_over() -> None:
    with platform_scope("conversations that a person no longer has"):
        over = select(Conversation.tenant_id).where(Conversation.handled_until <= database_now()).distinct()
        for tenant_id in db.session.scalars(over):
            later("desk.end_handling", tenant_id=tenant_id)


@sweep(every=5)
def enqueue_due() -> None:
    with platform_scope("snoozes that end, and blocks not applied yet"):
        at = database_now()
        due = (Conversation.state == "snoozed") & (Conversation.snoozed_until <= at)
        for tenant_id in db.session.scalars(select(Conversation.tenant_id).where(due).distinct()):
            later("desk.wake_snoozed", tenant_id=tenant_id)
        waiting = select(Block.tenant_id, Block.conversation_id).where(Block.next_attempt_at <= at)
        for tenant_id, conversation_id in db.session.execute(in_turn(waiting, Block.next_attempt_at, 100)):
            later("desk.sync_block", conversation_id, tenant_id=tenant_id)


@job("desk.distribute")
def distribute(team_id: str) -> None:
    if team := Team.find(team_id):
        distribution.distribute(team)


@sweep(every=5)
def enqueue_distribution() -> None:
    with platform_scope("conversations that wait to be given to somebody"):
        for row in db.session.execute(distribution.QUEUES):
            later("desk.distribute", row.id, tenant_id=row.tenant_id)


@job("desk.record_closing")
def record_closing() -> None:
    closing.record_closing()


@sweep(every=15)
def find_closing_windows() -> None:
    with platform_scope("reply windows that close soon"):
        for tenant_id in db.session.scalars(closing.TENANTS, closing.span()):
            later("desk.record_closing", tenant_id=tenant_id)


@sweep(every=3600)
def forget_old_bulk_changes() -> None:
    """Deletes the changes of many conversations that can no longer be undone."""
    with platform_scope("bulk changes that can no longer be undone"):
        BulkChange.forget_old()


@job("desk.preview_link", seconds=90)
def preview_link(preview_id: str, conversation_id: str) -> None:
    """Fetches the page behind a link; the conversation that waits for it shows it then."""
    preview = LinkPreview.find(preview_id)
    if preview and preview.state == "asked" and preview.url:
        preview.fetch()
        announce("conversation", conversation_id)


@sweep(every=3600)
def forget_previews() -> None:
    """Has previews deleted that are older than RETENTION, by a job of each business: the store takes its time."""
    with platform_scope("previews of links that are too old"):
        old = select(LinkPreview.tenant_id).where(LinkPreview.asked_at < database_now() - RETENTION).distinct()
        for tenant_id in db.session.scalars(old):
            later("desk.forget_previews", tenant_id=tenant_id)


@job("desk.forget_previews", "files")
def forget_previews_of_one() -> None:
    """The rows go with a note of their pictures, which are deleted after that."""
    old = select(LinkPreview).where(LinkPreview.asked_at < database_now() - RETENTION).order_by(LinkPreview.asked_at)
    previews = db.session.scalars(old.limit(AT_ONCE * 10)).all()
    delete_later(preview.image_key for preview in previews)
    db.session.execute(delete(LinkPreview).where(LinkPreview.id.in_([preview.id for preview in previews])))
    if len(previews) == AT_ONCE * 10:
        later("desk.forget_previews")
