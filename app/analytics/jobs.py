"""Counts what happened, and what was there before a business had reports; sends the figures of the week."""

from __future__ import annotations

import datetime as dt
import json
import uuid

from sqlalchemy import select, text

from app.inbox.conversations import Conversation
from app.tenancy import Tenant, current_tenant_id, db, in_turn, job, later, now, platform_scope, sweep

from .models import ReportProgress, ReportSubscription, StaleConversation, StaleQuarter
from .recount import EPOCH, QUARTER, quarter_of, recount_each, recount_quarters
from .subscribers import note_quarters
from .weekly import send_week

CONVERSATIONS_AT_ONCE, QUARTERS_AT_ONCE = 100, 500
# How far back the figures of a new business go, and how much of that is counted at once.
HORIZON, PIECE = dt.timedelta(days=400), dt.timedelta(days=7)
# A message that waits longer to go out is counted again when it does.
UNDERWAY = dt.timedelta(days=2)
AT_ONCE = 200


# Beside long jobs: on the default lane a tenant's automations would wait for it.
@job("analytics.recount", "files", seconds=300)
def recount() -> None:
    """Counts some of what is stale, and a piece of what was there before. Enqueues itself while there is more."""
    progress, at = ReportProgress.locked(), now()
    has_more = recount_stale(at)
    if not has_more:
        progress.counted_at = at
        if not progress.is_complete:
            backfill(progress)
            has_more = not progress.is_complete
    if has_more:
        later("analytics.recount")


def recount_stale(at: dt.datetime) -> bool:
    """Returns whether there may be more."""
    mine = {"tenant": current_tenant_id()}
    since = {
        row.conversation_id: row.since
        for row in db.session.execute(TAKE_CONVERSATIONS, mine | {"most": CONVERSATIONS_AT_ONCE})
    }
    # What the customers wrote may be replies to what was sent within a day before. Where that is a year, as with
    # contacts that were merged, it takes several jobs.
    spans = [{"id": str(id), "since": max(moment, at - HORIZON).isoformat()} for id, moment in since.items()]
    note_quarters(db.session.scalars(SENT_BEFORE, mine | {"rows": json.dumps(spans)}) if spans else ())
    quarters = list(db.session.scalars(TAKE_QUARTERS, mine | {"most": QUARTERS_AT_ONCE}))
    recount_each(since)
    underway = recount_quarters(quarters)
    note_quarters(quarter for quarter in underway if quarter > at - UNDERWAY)
    return len(since) == CONVERSATIONS_AT_ONCE or len(quarters) >= QUARTERS_AT_ONCE


def backfill(progress: ReportProgress) -> None:
    """A week of messages and the next conversations: each is counted once, wherever a worker was stopped."""
    if progress.back_to_quarter:
        until = quarter_of(progress.back_to_quarter) + QUARTER
        first = until - PIECE
        recount_quarters(first + place * QUARTER for place in range(int(PIECE / QUARTER)))
        older = db.session.scalar(IS_OLDER, {"tenant": current_tenant_id(), "before": first, "after": now() - HORIZON})
        progress.back_to_quarter = first - QUARTER if older else None
    if progress.after_conversation_id is not None:
        following = select(Conversation.id).where(Conversation.id > progress.after_conversation_id)
        ids = list(db.session.scalars(following.order_by(Conversation.id).limit(CONVERSATIONS_AT_ONCE)))
        recount_each(dict.fromkeys(ids, EPOCH))
        progress.after_conversation_id = ids[-1] if len(ids) == CONVERSATIONS_AT_ONCE else None


# In the order of their ids: jobs of one tenant take turns (`ReportProgress.locked`), the subscriber only adds.
TAKE_CONVERSATIONS = text("""
    delete from report_stale_conversations where tenant_id = :tenant and id in (
        select id from report_stale_conversations where tenant_id = :tenant order by id limit :most)
    returning conversation_id, since
""")
TAKE_QUARTERS = text("""
    delete from report_stale_quarters where tenant_id = :tenant and id in (
        select id from report_stale_quarters where tenant_id = :tenant order by id limit :most)
    returning quarter
""")
# When something was sent in these conversations, from a day before `since` of each on. Index ix_messages_thread.
SENT_BEFORE = text("""
    select distinct date_bin('15 minutes', m.occurred_at, '2000-01-01 00:00+00')
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, since timestamptz)
    join messages m on m.tenant_id = :tenant and m.conversation_id = r.id and m.direction = 'outbound'
      and m.occurred_at > r.since - interval '1 day'
""")
# Index ix_messages_occurred.
IS_OLDER = text("""
    select exists (select from messages where tenant_id = :tenant and occurred_at < :before and occurred_at > :after)
""")


@sweep(every=60)
def enqueue_recounts() -> None:
    """Where something is stale."""
    with platform_scope("reports that have to be counted again"):
        stale = {*db.session.scalars(select(StaleConversation.tenant_id).distinct())}
        stale |= {*db.session.scalars(select(StaleQuarter.tenant_id).distinct())}
        for tenant_id in sorted(stale):
            later("analytics.recount", tenant_id=tenant_id)


@sweep(every=300)
def enqueue_backfills() -> None:
    """For businesses that have no reports yet, or whose counting stopped; some at a time."""
    with platform_scope("reports that are not complete"):
        complete = select(ReportProgress.tenant_id).where(
            ReportProgress.after_conversation_id.is_(None), ReportProgress.back_to_quarter.is_(None)
        )
        done = set(db.session.scalars(complete))
        everyone = db.session.scalars(select(Tenant.id).where(Tenant.id.not_in(Tenant.closed_ones())))
        for tenant_id in [id for id in everyone if id not in done][:AT_ONCE]:
            later("analytics.recount", tenant_id=tenant_id)


@job("analytics.mail")
def mail(subscription_id: uuid.UUID | str) -> None:
    """Mails one member the figures of last week, if it is time."""
    due = select(ReportSubscription).where(ReportSubscription.id == subscription_id)
    due = due.where(ReportSubscription.next_at <= now()).with_for_update(of=ReportSubscription, skip_locked=True)
    if subscription := db.session.scalar(due):
        send_week(subscription)


@sweep(every=60)
def enqueue_mails() -> None:
    due = select(ReportSubscription.tenant_id, ReportSubscription.id).where(ReportSubscription.next_at <= now())
    due = due.where(ReportSubscription.tenant_id.not_in(Tenant.closed_ones()))
    with platform_scope("reports by email that are due"):
        for tenant_id, subscription_id in db.session.execute(in_turn(due, ReportSubscription.next_at, AT_ONCE)):
            later("analytics.mail", str(subscription_id), tenant_id=tenant_id)
