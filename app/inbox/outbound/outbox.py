"""Claims queued messages. The message's row is the outbox: one that is being sent is under a lease."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from typing import Any

from sqlalchemy import Row, text

from app.billing.holds import Funds
from app.inbox.conversations import AutomationPaused, WithOtherApp, WithPerson
from app.inbox.conversations.gate import error_of
from app.inbox.conversations.states import LANES
from app.inbox.conversations.statuses import record_progress, show_ticks
from app.inbox.conversations.windows import CUSTOMER_SERVICE_WINDOW
from app.tenancy import announce, current_tenant_id, database_now, db
from app.tenancy.actor import AUTOMATIC

from .funding import funded
from .pace import PAIR_BURST, PAIR_SECONDS
from .reach import Reach
from .sample_uploads import with_files

# Longer than any call to Meta may take (`app.meta.graph.TIMEOUT`), so that a lease outlives its call.
LEASE = dt.timedelta(seconds=60)
EXPIRED_AT_ONCE = 500
PAIR = {
    "interval": dt.timedelta(seconds=PAIR_SECONDS),
    "tolerance": dt.timedelta(seconds=PAIR_SECONDS * (PAIR_BURST - 1)),
}
SILENCED = {"with_person": WithPerson, "with_other_app": WithOtherApp, "automation_paused": AutomationPaused}


class Claim:
    """What one transaction takes of a number's queue."""

    def __init__(self, number_id: uuid.UUID, reach: Reach, funds: Funds | None) -> None:
        # `funds` is the balance of a tenant with a plan, locked for this transaction.
        self.number_id, self.reach, self.funds = number_id, reach, funds
        self.rows: list[Row[Any]] = []
        # Meta's ids of the pictures and videos of templates that the claimed messages show, by our ids.
        self.file_ids: dict[str, str] = {}
        # How many messages it cancelled, as a person has their conversation.
        self.dropped = 0

    def take(self, lane: str, room: int) -> None:
        """Claims messages of one lane. Where the portfolio's limit is nearly used up: first those it does not count."""
        if room < 1:
            return
        claim = {"tenant": current_tenant_id(), "number": self.number_id, "lane": lane} | claim_times()
        claim["lanes"] = list(LANES[: LANES.index(lane) + 1])
        claim["portfolio"] = self.reach.portfolio
        new_people = self.reach.left()
        if new_people >= room:
            rows = [*db.session.execute(CLAIM, claim | {"room": room, "counts": None})]
        else:
            rows = [*db.session.execute(CLAIM, claim | {"room": room, "counts": False})]
            more = min(new_people, room - len(rows))
            rows += db.session.execute(CLAIM, claim | {"room": more, "counts": True})
        # In this order: nothing is held for what is not sent.
        rows, ready = with_files(self.drop_silenced(rows), self.number_id)
        self.file_ids |= ready
        rows = funded(rows, self.funds)
        self.reach.note([row.contact_id for row in rows if row.is_outside])
        self.rows += rows

    def drop_silenced(self, rows: list[Row[Any]]) -> list[Row[Any]]:
        """Cancels automatic messages of conversations that a person has by now. Returns the others.

        Claiming has locked those conversations, so whoever takes one from here on comes after its message.
        """
        automatic = [str(row.id) for row in rows if row.author_kind in AUTOMATIC]
        if not automatic:
            return rows
        errors = {name: json.dumps(error_of(refusal())) for name, refusal in SILENCED.items()}
        values = {"tenant": current_tenant_id(), "ids": automatic, "now": database_now()} | errors
        dropped = {row.id: row.conversation_id for row in db.session.execute(DROP_SILENCED, values)}
        show_ticks(list(dropped))
        for conversation_id in set(dropped.values()):
            announce("conversation", conversation_id)
        self.dropped += len(dropped)
        return [row for row in rows if row.id not in dropped]


def claim_times() -> dict[str, Any]:
    """The moments that CLAIM compares and writes; `spare`: until then a pair's burst is not used up."""
    at = database_now()
    return {
        "now": at,
        "day_ago": at - CUSTOMER_SERVICE_WINDOW,
        "lease_until": at + LEASE,
        "spare": at + PAIR["tolerance"],
        "interval": PAIR["interval"],
    }


def expire_late() -> bool:
    """Expires some of what was queued until WhatsApp would refuse it. Returns whether there may be more."""
    values = {"tenant": current_tenant_id(), "now": database_now(), "most": EXPIRED_AT_ONCE}
    rows = db.session.execute(EXPIRE, values).all()
    record_progress(rows, "message.failed")
    return len(rows) == EXPIRED_AT_ONCE


def park_abandoned() -> int:
    """Marks messages whose lease ran out while they were being sent as `unknown`: Meta may have accepted them.

    Needs a platform scope. Returns how many.
    """
    return len(db.session.execute(PARK, {"now": database_now()}).all())


# Which queued messages of a number's lane may be sent now? Leases the oldest of each conversation, at most `:room`.
# Index: ix_messages_lane (tenant_id, phone_number_id, lane, id) where state = 'queued', in the order of ids. For each
# of them `c`, `f` and `e` read a row by a key: with `limit 1`, since Postgres else compares each message with all that
# are queued where it has no statistics of a tenant yet. `skip locked`: several workers may claim at once.
#   next_attempt_at null    never tried, or to be tried at once
#   expires_at null         waits as long as it takes
#   media                   a stored file that Meta does not have yet holds its message back
#   pair_tat null           nothing was sent to this person yet; else Meta's limit for one pair (see pace.py). Added up
#                           in UTC: a cluster refuses `timestamptz + interval`, which depends on the session's zone
#   e                       an older queued message of the lane or of those before it (`lanes`) goes first, and
#                           one that is being sent
# A template or a Direct Send outside the customer service window counts towards the portfolio's limit, once for each
# person and day. `:counts` chooses by that: null takes all, false those that do not count (or whose person was reached
# today), true only those that do.
CLAIM = text("""
    with chosen as (
        select m.id, reach.is_outside
        from messages m
        cross join lateral (
            select c.contact_id, c.pair_tat, c.last_inbound_at from conversations c
            where c.tenant_id = :tenant and c.id = m.conversation_id limit 1) c
        cross join lateral (
            select (m.type = 'template' or m.content ->> 'category' is not null)
                and (c.last_inbound_at is null or c.last_inbound_at < :day_ago)
                as is_outside) reach
        where m.tenant_id = :tenant and m.phone_number_id = :number and m.state = 'queued' and m.lane = :lane
          and (m.next_attempt_at is null or m.next_attempt_at <= :now)
          and (m.expires_at is null or m.expires_at > :now)
          and (select f.state = 'stored' and f.meta_id = '' from media f
              where f.tenant_id = :tenant and f.message_id = m.id limit 1) is not true
          and (c.pair_tat is null or c.pair_tat <= :spare)
          and (
            select e.id from messages e where e.tenant_id = :tenant and e.conversation_id = m.conversation_id
              and (e.state = 'dispatching' or e.state = 'queued' and e.lane = any(:lanes) and e.id < m.id)
            limit 1) is null
          and (cast(:counts as boolean) is null or :counts = (reach.is_outside and not exists (
            select from reached_people r where r.tenant_id = :tenant and r.portfolio_id = :portfolio
              and r.contact_id = c.contact_id and r.reached_at > :day_ago)))
        order by m.id limit :room for update of m skip locked
    ), claimed as (
        update messages m set state = 'dispatching', fence = m.fence + 1, attempts = m.attempts + 1,
            lease_until = :lease_until, next_attempt_at = null, error = null
        from chosen where m.tenant_id = :tenant and m.id = chosen.id
        returning m.id, m.conversation_id, m.lane, m.type, m.body, m.content -> 'raw' as raw, m.reply_to_wamid,
            m.content ->> 'category' as category, m.template_id,
            m.fence, m.attempts, m.author_kind, chosen.is_outside
    ), paced as (
        update conversations c
            set pair_tat = (greatest(c.pair_tat, :now) at time zone 'UTC' + :interval) at time zone 'UTC'
        from claimed where c.tenant_id = :tenant and c.id = claimed.conversation_id
    )
    select claimed.*, c.contact_id, c.free_until, f.id as file_id, f.meta_id as file_meta_id,
        (select value from contact_identities i where i.tenant_id = :tenant and i.contact_id = c.contact_id
            and i.kind = 'wa_id' order by created_at desc limit 1) as wa_id,
        (select value from contact_identities i where i.tenant_id = :tenant and i.contact_id = c.contact_id
            and i.kind = 'bsuid' order by created_at desc limit 1) as bsuid
    from claimed join conversations c on c.tenant_id = :tenant and c.id = claimed.conversation_id
    left join lateral (
        select id, meta_id from media where tenant_id = :tenant and message_id = claimed.id limit 1) f on true
    order by claimed.id
""")
# Which of these claimed messages may not go out because people have taken the conversation, or stopped its automation?
# By primary keys. The line that announces a hand-over goes out unless a person was faster.
DROP_SILENCED = text("""
    update messages m set state = 'cancelled', lease_until = null, attempts = m.attempts - 1,
        error = case when s.is_paused then cast(:automation_paused as jsonb)
            when s.is_elsewhere then cast(:with_other_app as jsonb) else cast(:with_person as jsonb) end
    from (
        select c.tenant_id, c.id, c.handler_kind,
            (c.automation_paused_at is not null or n.automation_paused_at is not null) as is_paused,
            coalesce(c.handled_by = 'other_app', false) as is_elsewhere,
            coalesce(c.handled_by = 'person' and (c.handled_until is null or c.handled_until > :now), false)
                as is_with_person
        from conversations c left join number_desks n on n.tenant_id = c.tenant_id and n.id = c.phone_number_id
        where c.tenant_id = :tenant
    ) s
    where m.tenant_id = :tenant and m.id = any(cast(:ids as uuid[])) and s.tenant_id = :tenant
      and s.id = m.conversation_id
      and (s.is_paused or s.is_elsewhere
           or s.is_with_person and (m.source <> 'hand_over' or s.handler_kind is not null))
    returning m.id, m.conversation_id
""")
# The longest expired first. Index: ix_messages_expiring. A message that is being claimed is left to the next time.
EXPIRE = text("""
    with late as (
        select id from messages
        where tenant_id = :tenant and state = 'queued' and expires_at <= :now and instead is null
        order by expires_at limit :most for update skip locked
    )
    update messages m set state = 'expired', lease_until = null
    from late where m.tenant_id = :tenant and m.id = late.id
    returning m.id, m.conversation_id, m.state, m.source, m.author_kind, m.author_id, m.author_name,
        (m.error ->> 'code')::int as code
""")
PARK = text("""
    update messages set state = 'unknown', lease_until = null
    where state = 'dispatching' and lease_until < :now
    returning id
""")
