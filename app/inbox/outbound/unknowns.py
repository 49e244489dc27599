"""Retries messages of unknown outcome that may be sent twice, once, where Meta has provably not accepted them.

A sign-in code helps no one ten minutes late and harms no one twice. Such a message (`may_repeat`) is sent once more if
Meta would have reported on the first attempt by now: statuses of later messages have arrived, none is missing, and
Meta's webhooks have not been interrupted since. All other messages of unknown outcome wait for a person.
"""

from __future__ import annotations

import datetime as dt
import random
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic

from sqlalchemy import text

from app.tenancy import announce, database_now, db, first_id, platform_scope, try_for

# How long we wait for a status: `SLOW_FACTOR` times what 99 % of the messages take, and never less than this.
PATIENCE = dt.timedelta(seconds=120)
SLOW_FACTOR = 10
LATER_MESSAGES = 20
# After a longer silence we may have been unreachable: Meta retries webhooks for seven days.
SILENCE = dt.timedelta(seconds=60)
BACKLOG = dt.timedelta(seconds=10)
LONG_ENOUGH = dt.timedelta(hours=24)
# For how long one sweep goes on.
SECONDS = 2
# An attempt's id is made by the clock of a process, its time is the database's.
SKEW = dt.timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A message of unknown outcome, the start of its clock, and for how long Meta could have reported on it since."""

    tenant_id: uuid.UUID
    message_id: uuid.UUID
    conversation_id: uuid.UUID
    number_id: uuid.UUID
    since: dt.datetime
    quiet_for: dt.timedelta

    @property
    def is_lost(self) -> bool:
        """Whether Meta would have reported a status by now, had it accepted the message."""
        if self.quiet_for < PATIENCE:
            return False
        ids = {"tenant": self.tenant_id, "number": self.number_id}
        usual = db.session.scalar(USUAL_SECONDS, ids) or 0.0
        patience = max(PATIENCE, SLOW_FACTOR * dt.timedelta(seconds=float(usual)))
        if self.quiet_for < patience:
            return False
        moments = {"since": self.since, "overdue": database_now() - patience, "first": first_id(self.since - SKEW)}
        later = db.session.execute(LATER, ids | moments).one()
        return bool(later.missing == 0 and (later.with_status >= LATER_MESSAGES or self.quiet_for >= LONG_ENOUGH))

    def settle(self) -> None:
        if self.is_lost:
            self.retry()

    def retry(self) -> None:
        db.session.execute(RETRY, {"tenant": self.tenant_id, "message": self.message_id, "now": database_now()})
        announce("conversation", self.conversation_id)


def retry_lost() -> None:
    """Queues the messages that Meta has provably not accepted, each in a transaction of its tenant.

    Tenants take turns, for some seconds: after an outage thousands may wait, and the clock has other sweeps.
    """
    end = monotonic() + SECONDS
    with platform_scope("messages of unknown outcome that may be sent twice"):
        waiting = candidates()
    for candidate in tenants_in_turn(waiting):
        if monotonic() > end:
            return
        try_for(candidate.tenant_id, candidate.settle)


def tenants_in_turn(waiting: Sequence[Candidate]) -> list[Candidate]:
    """One of each tenant, then another of each; which one is left to chance, as most of them stay as they are."""
    places = Counter[uuid.UUID]()

    def place(candidate: Candidate) -> int:
        places[candidate.tenant_id] += 1
        return places[candidate.tenant_id]

    return sorted(random.sample(waiting, len(waiting)), key=place)


def candidates() -> list[Candidate]:
    """Which messages may be retried, and for how long has Meta had the chance to report on each?

    A message's clock starts with its last attempt. It starts again at the end of a silence: when no webhook at all came
    in for longer than SILENCE, we may have been unreachable, and Meta delivers what it could not for seven days. So:

      10:00:00  attempt, the response is lost              started_at = 10:00:00
      10:00:05  a webhook of any message arrives
      10:03:00  the next one arrives, 175 s later          a silence that ends at 10:03:00
      10:03:20  another one                                since = 10:03:00
      10:04:00  now                                        quiet_for = 60 s, and not 240 s

    None while webhooks have been waiting for longer than BACKLOG: one of them may be the status. Webhook events are
    read by statements of their own: in a cluster they stay on one machine, and messages do not.
    """
    at = database_now()
    attempts = db.session.execute(LAST_ATTEMPTS, {"now": at}).all()
    if not attempts or db.session.scalar(IS_BEHIND, {"before": at - BACKLOG}):
        return []
    first = min(row.started_at for row in attempts)
    ends = db.session.scalars(SILENCES, {"first": first, "now": at, "silence": SILENCE}).all()
    numbers_due = []
    for tenant_id, message_id, conversation_id, number_id, started_at in attempts:
        since = max([started_at, *(end for end in ends if end > started_at)])
        numbers_due.append(Candidate(tenant_id, message_id, conversation_id, number_id, since, at - since))
    return numbers_due


# The messages of unknown outcome that may be retried, each with the start of its last attempt. Index:
# ix_messages_unknown (state = 'unknown' and may_repeat), ix_send_attempts_message. `expires_at` null: it may be retried
# as long as it takes.
LAST_ATTEMPTS = text("""
    select m.tenant_id, m.id, m.conversation_id, m.phone_number_id, max(a.started_at) as started_at
    from messages m join send_attempts a on a.tenant_id = m.tenant_id and a.message_id = m.id
    where m.state = 'unknown' and m.may_repeat and (m.expires_at is null or m.expires_at > :now)
    group by 1, 2, 3, 4
""")
IS_BEHIND = text("""
    select exists (select from webhook_events where drained_at is null and received_at < :before)
""")
# When did the silences end since :first, the end of the present one included? Jumps along ix_webhook_events_received:
# to the last webhook within :silence, and where there is none to the next one: a step or two a minute, however many
# came. What was made here for a sandbox (its numbers begin with 00) says nothing of Meta.
SILENCES = text("""
    with recursive steps as (
        select cast(:first as timestamptz) as since, cast(:first as timestamptz) as until
        union all
        select s.until, coalesce(
            (select e.received_at from webhook_events e
                where e.received_at > s.until and e.received_at <= s.until + :silence and e.address not like '00%'
                order by e.received_at desc limit 1),
            (select e.received_at from webhook_events e
                where e.received_at > s.until and e.received_at < :now and e.address not like '00%'
                order by e.received_at limit 1),
            :now)
        from steps s where s.until < :now
    )
    select until from steps where until - since > :silence
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
# Of the messages that a number sent after :since and Meta accepted: how many have a status, and how many of those sent
# before :overdue have none? Attempts from :first on, by the primary key; the unique keys of messages and of
# message_events (tenant_id, message_id, …).
LATER = text("""
    select count(*) filter (where has_status) as with_status,
        count(*) filter (where not has_status and started_at < :overdue) as missing
    from (
        select a.started_at, exists (
            select from message_events e where e.tenant_id = :tenant and e.message_id = a.message_id) as has_status
        from send_attempts a
        join messages m on m.tenant_id = :tenant and m.id = a.message_id and m.phone_number_id = :number
        where a.tenant_id = :tenant and a.outcome = 'accepted' and a.id >= :first and a.started_at > :since) later
""")
# Once only: whatever comes of this attempt, `may_repeat` is false from now on.
RETRY = text("""
    update messages set state = 'queued', may_repeat = false, next_attempt_at = :now, error = null
    where tenant_id = :tenant and id = :message and state = 'unknown' and may_repeat
""")
