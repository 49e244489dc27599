"""Retries messages of unknown outcome that may be sent twice, once, where Meta has provably not accepted them.

A sign-in code helps nobody ten minutes late and harms nobody twice. Such a message (`may_repeat`) is sent once more if
Meta would have reported on the first attempt by now: statuses of later messages have arrived, none is missing, and
Meta's webhooks have not been interrupted since. All other messages of unknown outcome wait for a person.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import Row, text

from app.tenancy import announce, db, within_tenant

# How long we wait for a status: `SLOW_FACTOR` times what 99 % of the messages take, and never less than this.
PATIENCE = dt.timedelta(seconds=120)
SLOW_FACTOR = 10
LATER_MESSAGES = 20
# After a longer silence we may have been unreachable: Meta retries webhooks for seven days.
SILENCE = dt.timedelta(seconds=60)
BACKLOG = dt.timedelta(seconds=10)
LONG_ENOUGH = dt.timedelta(hours=24)


def retry_lost() -> None:
    """Queues the messages that Meta has provably not accepted. Needs a platform scope."""
    for row in db.session.execute(CANDIDATES, {"silence": SILENCE, "backlog": BACKLOG}).all():
        with within_tenant(row.tenant_id):
            if is_lost(row):
                db.session.execute(RETRY, {"tenant": row.tenant_id, "message": row.message_id})
                announce("conversation", row.conversation_id)


def is_lost(row: Row[Any]) -> bool:
    """Whether Meta would have reported a status by now, had it accepted the message (a row of CANDIDATES)."""
    ids = {"tenant": row.tenant_id, "number": row.phone_number_id}
    usual = db.session.scalar(USUAL_SECONDS, ids) or 0.0
    patience = max(PATIENCE, SLOW_FACTOR * dt.timedelta(seconds=float(usual)))
    if row.quiet_for < patience:
        return False
    later = db.session.execute(LATER, ids | {"since": row.since, "patience": patience}).one()
    return bool(later.missing == 0 and (later.with_status >= LATER_MESSAGES or row.quiet_for >= LONG_ENOUGH))


# Which messages of unknown outcome may be retried, and for how long has Meta had the chance to report on each?
#
# A message's clock starts with its last attempt. It starts again at the end of a silence: when no webhook at all came
# in for longer than :silence, we may have been unreachable, and Meta delivers what it could not for seven days. So:
#
#   10:00:00  attempt, the response is lost              started_at = 10:00:00
#   10:00:05  a webhook of any message arrives
#   10:03:00  the next one arrives, 175 s later          a silence that ends at 10:03:00
#   10:03:20  another one                                since = 10:03:00
#   10:04:00  now                                        quiet_for = 60 s, and not 240 s
#
# `attempts`  the messages, each with the start of its last attempt. Index: ix_messages_unknown (state = 'unknown' and
#             may_repeat), ix_send_attempts_message. `expires_at` null: it may be retried as long as it takes.
# `gaps`      the times between one webhook and the next (`lag`) since the first of these attempts, now included, and
#             that attempt itself. `having count(*) > 0` gives no row where there is no attempt: an aggregate without
#             groups would give one, of null. Index: ix_webhook_events_received.
# `clocks`    the end of the last gap over :silence after the attempt, else (the `max` is null) the attempt itself.
#
# As long as webhooks are waiting to be processed for longer than :backlog, none is returned: one of them may be the
# status.
CANDIDATES = text("""
    with attempts as (
        select m.tenant_id, m.id as message_id, m.conversation_id, m.phone_number_id, max(a.started_at) as started_at
        from messages m join send_attempts a on a.tenant_id = m.tenant_id and a.message_id = m.id
        where m.state = 'unknown' and m.may_repeat and (m.expires_at is null or m.expires_at > clock_timestamp())
        group by 1, 2, 3, 4
    ), gaps as (
        select received_at as until, lag(received_at) over (order by received_at) as since
        from (
            select received_at from webhook_events where received_at >= (select min(started_at) from attempts)
            union all select clock_timestamp()
            union all select min(started_at) from attempts having count(*) > 0) times
    ), clocks as (
        select attempts.*, greatest(started_at, (
            select max(until) from gaps
            where until - since > :silence and until > started_at)) as since
        from attempts
    )
    select *, clock_timestamp() - since as quiet_for from clocks
    where not exists (
        select from webhook_events
        where drained_at is null and received_at < clock_timestamp() - :backlog)
""")
# Within how many seconds after Meta's response does the status `sent` of 99 % of a number's messages arrive? Of the
# tenant's last 1,000 accepted attempts, by the primary key of send_attempts; null where none has such a status.
USUAL_SECONDS = text("""
    select percentile_cont(0.99) within group (order by extract(epoch from e.received_at - a.finished_at))
    from (
        select id, message_id, finished_at from send_attempts
        where tenant_id = :tenant and outcome = 'accepted' order by id desc limit 1000) a
    join messages m on m.tenant_id = :tenant and m.id = a.message_id and m.phone_number_id = :number
    join message_events e on e.tenant_id = :tenant and e.message_id = m.id and e.status = 'sent'
""")
# Of the messages that a number sent after :since and Meta accepted: how many have a status, and how many have had none
# for longer than :patience? Indexes: the unique keys of messages and of message_events (tenant_id, message_id, …).
LATER = text("""
    select count(*) filter (where has_status) as with_status,
        count(*) filter (where not has_status and started_at < clock_timestamp() - :patience) as missing
    from (
        select a.started_at, exists (
            select from message_events e where e.tenant_id = :tenant and e.message_id = a.message_id) as has_status
        from send_attempts a
        join messages m on m.tenant_id = :tenant and m.id = a.message_id and m.phone_number_id = :number
        where a.tenant_id = :tenant and a.outcome = 'accepted' and a.started_at > :since) later
""")
# Once only: whatever comes of this attempt, `may_repeat` is false from now on.
RETRY = text("""
    update messages set state = 'queued', may_repeat = false, next_attempt_at = clock_timestamp(), error = null
    where tenant_id = :tenant and id = :message and state = 'unknown' and may_repeat
""")
