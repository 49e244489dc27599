"""Messages of which nobody knows whether Meta took them, and which may be sent twice: one more try, under proof.

A code to sign in helps nobody ten minutes late, and harms nobody twice. Such a message (`may_repeat`) goes out once
more if Meta would have told us of the first try by now: statuses of later messages have come through, none is
missing, and what Meta posts has not been interrupted since. All other unknown messages wait for a person.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import Row, text

from app.tenancy import announce, db, within_tenant

# Of what we waited for in vain, ten times longer than hardly any message takes, and never less than this.
PATIENCE = dt.timedelta(seconds=120)
SLOW_FACTOR = 10
LATER_MESSAGES = 20
# A longer silence of Meta's may have been ours: it posts again for seven days what could not be delivered.
SILENCE = dt.timedelta(seconds=60)
BACKLOG = dt.timedelta(seconds=10)
LONG_ENOUGH = dt.timedelta(hours=24)


def repeat_lost() -> None:
    """Needs a platform scope."""
    for row in db.session.execute(CANDIDATES, {"silence": SILENCE, "backlog": BACKLOG}).all():
        with within_tenant(row.tenant_id):
            if is_lost(row):
                db.session.execute(REPEAT, {"tenant": row.tenant_id, "message": row.message_id})
                announce("conversation", row.conversation_id)


def is_lost(row: Row[Any]) -> bool:
    """Whether Meta would have told us by now, had it taken the message. `row.since` is when all was well from."""
    ids = {"tenant": row.tenant_id, "number": row.phone_number_id}
    usual = db.session.scalar(USUAL_SECONDS, ids) or 0.0
    patience = max(PATIENCE, SLOW_FACTOR * dt.timedelta(seconds=float(usual)))
    if row.quiet_for < patience:
        return False
    later = db.session.execute(LATER, ids | {"since": row.since, "patience": patience}).one()
    return bool(later.missing == 0 and (later.told >= LATER_MESSAGES or row.quiet_for >= LONG_ENOUGH))


# The clock of each starts with its last try, or with the end of the last silence after that.
CANDIDATES = text("""
    with tries as (
        select m.tenant_id, m.id as message_id, m.conversation_id, m.phone_number_id, max(a.started_at) as started_at
        from messages m join send_attempts a on a.tenant_id = m.tenant_id and a.message_id = m.id
        where m.state = 'unknown' and m.may_repeat and (m.expires_at is null or m.expires_at > clock_timestamp())
        group by 1, 2, 3, 4
    ), heard as (
        select received_at as until, lag(received_at) over (order by received_at) as since
        from (
            select received_at from webhook_events where received_at >= (select min(started_at) from tries)
            union all select clock_timestamp()
            union all select min(started_at) from tries having count(*) > 0) times
    ), counted as (
        select tries.*, greatest(started_at, (
            select max(until) from heard
            where until - since > :silence and until > started_at)) as since
        from tries
    )
    select *, clock_timestamp() - since as quiet_for from counted
    where not exists (
        select from webhook_events
        where drained_at is null and received_at < clock_timestamp() - :backlog)
""")
USUAL_SECONDS = text("""
    select percentile_cont(0.99) within group (order by extract(epoch from e.received_at - a.finished_at))
    from (
        select id, message_id, finished_at from send_attempts
        where tenant_id = :tenant and outcome = 'accepted' order by id desc limit 1000) a
    join messages m on m.tenant_id = :tenant and m.id = a.message_id and m.phone_number_id = :number
    join message_events e on e.tenant_id = :tenant and e.message_id = m.id and e.status = 'sent'
""")
LATER = text("""
    select count(*) filter (where is_told) as told,
        count(*) filter (where not is_told and started_at < clock_timestamp() - :patience) as missing
    from (
        select a.started_at, exists (
            select from message_events e where e.tenant_id = :tenant and e.message_id = a.message_id) as is_told
        from send_attempts a
        join messages m on m.tenant_id = :tenant and m.id = a.message_id and m.phone_number_id = :number
        where a.tenant_id = :tenant and a.outcome = 'accepted' and a.started_at > :since) later
""")
# Once only: whatever becomes of this try, there is no third.
REPEAT = text("""
    update messages set state = 'queued', may_repeat = false, next_attempt_at = clock_timestamp(), error = null
    where tenant_id = :tenant and id = :message and state = 'unknown' and may_repeat
""")
