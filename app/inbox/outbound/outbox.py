"""Claims queued messages, and records what Meta answered. The message's row is the outbox.

A row that is being sent is under a lease. Meta has no idempotency key, so a message whose response was lost is
`unknown`: it is never retried blindly, but settled by its status webhook or by a person.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any

from sqlalchemy import Row, text

from app.billing.holds import Funds
from app.inbox.conversations import AutomationPaused, WithOtherApp, WithPerson
from app.inbox.conversations.attempts import SendAttempt
from app.inbox.conversations.callback import callback_of
from app.inbox.conversations.flow_tokens import FlowToken
from app.inbox.conversations.gate import error_of
from app.inbox.conversations.states import LANES
from app.inbox.conversations.statuses import adopt_orphans, record_progress, show_ticks
from app.inbox.conversations.windows import CUSTOMER_SERVICE_WINDOW
from app.inbox.files.media import Media
from app.message_templates.direct_send import DirectSendAccess
from app.meta import messages as meta
from app.meta.errors import Kind, MetaError, NotConnected
from app.meta.graph import GraphClient
from app.meta.media import FILE_CODES
from app.meta.outgoing import content_of, with_flow_token
from app.meta.pretended_webhooks import statuses_of
from app.meta.template_sending import with_samples
from app.sandboxes.models import PretendedWebhook
from app.tenancy import announce, current_tenant_id, database_now, db, is_sandbox, uuid7
from app.tenancy.actor import AUTOMATIC
from app.wabas.models import PhoneNumber

from .direct_sends import withdraw_direct_sends
from .funding import funded
from .pace import CAMPAIGNS_SHARE, PAIR_BURST, PAIR_SECONDS, Pace, Throttle
from .parcels import START_WITHIN, Parcel
from .reach import Reach
from .sample_uploads import SampleUpload, sample_ids, with_files

# As many as go within this time, so that Meta may take half a second to answer; and never more than that many.
IN_FLIGHT_SECONDS, MOST_IN_FLIGHT = 0.6, 192
# Until Meta has accepted one message: a token that was revoked should not be tried thirty times.
FIRST_IN_FLIGHT = 4
# Longer than any call to Meta may take (`app.meta.graph.TIMEOUT`), so that a lease outlives its call.
LEASE = dt.timedelta(seconds=60)
PAIR = {
    "interval": dt.timedelta(seconds=PAIR_SECONDS),
    "tolerance": dt.timedelta(seconds=PAIR_SECONDS * (PAIR_BURST - 1)),
}
SILENCED = {"with_person": WithPerson, "with_other_app": WithOtherApp, "automation_paused": AutomationPaused}
RETRY_SECONDS = (2, 8, 30, 120, 600)
UNREACHABLE_SECONDS = (1, 2, 4, 15, 60, 300)


@dataclass(frozen=True, slots=True)
class NextState:
    """The state of a message that Meta did not accept, and after how many seconds it is retried."""

    state: str
    wait: int | None = None

    @classmethod
    def after(cls, error: MetaError, attempts: int) -> NextState:
        """By the kind of the error (`app.meta.codes`) and the number of attempts so far."""
        match error.kind:
            case Kind.RETRY if isinstance(error, NotConnected):
                return cls("queued", UNREACHABLE_SECONDS[min(attempts, len(UNREACHABLE_SECONDS)) - 1])
            case Kind.RETRY if attempts <= len(RETRY_SECONDS):
                return cls("queued", RETRY_SECONDS[attempts - 1])
            case Kind.PAIR if attempts <= 5:
                return cls("queued", 4 ** (attempts - 1))
            case Kind.THROTTLE:
                return cls("queued", error.wait or 5)
            case Kind.RETRY_LATER if attempts <= 3:
                return cls("queued", error.wait or 300)
            case Kind.PAUSE_NUMBER:
                return cls("queued", 0)
            case Kind.UNKNOWN_OUTCOME:
                return cls("unknown")
            case _:
                return cls("failed")


class Lane:
    """The queued messages of one phone number. Messages to one person go out one after the other, in order.

    Each method runs in a scope of the number's tenant; a parcel of `claim_due` may be sent once that has committed.
    """

    def __init__(self, number: PhoneNumber) -> None:
        self.tenant_id, self.number_id, self.meta_id = number.tenant_id, number.id, number.meta_id
        self.waba_id, self.token = number.waba_id, number.waba.token
        self.currency, self.zone = number.waba.currency, number.waba.zone
        self.max_in_flight, self.in_flight = FIRST_IN_FLIGHT, 0
        self.pace, self.reach, self.throttle = Pace(number), Reach(number), Throttle()
        # The balance of a tenant with a plan, locked for the transaction of a claim.
        self.funds: Funds | None = None
        # Meta's ids of the pictures and videos of templates that the claimed messages show, by our ids.
        self.file_ids: dict[str, str] = {}
        # How many messages the claim cancelled, as a person has their conversation.
        self.dropped = 0
        # When to query again (monotonic): now, when Meta's pace allows, or (None) when `waiting_lanes` finds it due.
        self.poll_at: float | None = 0.0

    @property
    def is_due(self) -> bool:
        return self.poll_at is not None and self.poll_at <= monotonic() and self.has_room

    @property
    def has_room(self) -> bool:
        return self.in_flight < self.max_in_flight

    def claim_due(self, room: int) -> list[Parcel]:
        """Claims the oldest queued message of each conversation, at most `room`: replies first, campaigns last."""
        if not self.pace.begin(self.throttle.behind):
            self.poll_at = None
            return []
        claimed_at, self.throttle.gap = monotonic(), 1 / self.pace.sending.rate
        room = min(room, self.max_in_flight - self.in_flight, self.pace.sending.free)
        self.dropped, self.file_ids = 0, {}
        self.funds = Funds.locked(self.number_id, self.currency, self.zone)
        rows = self.claim("replies", room)
        rows += self.claim("automation", room - len(rows))
        rest = min(room, int(self.max_in_flight * CAMPAIGNS_SHARE) - self.in_flight) - len(rows)
        rows += self.claim("campaigns", min(rest, self.pace.campaigns.free))
        moments = self.pace.spend(len(rows), campaigns=sum(row.lane == "campaigns" for row in rows))
        parcels = [self.parcel(row, claimed_at, moment) for row, moment in zip(rows, moments, strict=True)]
        self.poll_at = self.next_poll(len(parcels) + self.dropped)
        if parcels:
            SendAttempt.begin(
                (one.attempt_id, one.message_id, wait) for one, wait in zip(parcels, moments, strict=True)
            )
        self.in_flight += len(parcels)
        return parcels

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

    def send(self, graph: GraphClient, parcel: Parcel) -> meta.Accepted | MetaError:
        """Sends a parcel at its moment, in a thread of its own; `throttle.expected` counts it already."""
        self.throttle.wait_for(parcel.starts_at)
        return parcel.send(graph, self.token or "", self.meta_id)

    def claim(self, lane: str, room: int) -> list[Row[Any]]:
        """Claims messages of one lane. Where the portfolio's limit is nearly used up: first those it does not count."""
        if room < 1:
            return []
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
        return rows

    def next_poll(self, claimed: int) -> float | None:
        """When to query again (monotonic). If nothing could be claimed, sets `next_attempt_at` of what must wait."""
        if not self.pace.sending.free:
            return monotonic() + self.pace.sending.wait
        if claimed:
            return monotonic() + (0.0 if self.pace.campaigns.free else self.pace.campaigns.wait)
        ids = {"tenant": current_tenant_id(), "number": self.number_id, "now": database_now()}
        sooner = PAIR["tolerance"] - PAIR["interval"] * 0.01
        db.session.execute(HOLD_PAIRS, ids | {"spare": database_now() + PAIR["tolerance"], "sooner": sooner})
        self.reach.hold_back(self.number_id)
        waits = not self.pace.campaigns.free and db.session.scalar(CAMPAIGN_WAITS, ids)
        return monotonic() + self.pace.campaigns.wait if waits else None

    def parcel(self, row: Row[Any], claimed_at: float, moment: float) -> Parcel:
        attempt_id, raw, samples = uuid7(), row.raw or {}, frozenset[str]()
        if row.type == "template" and (samples := frozenset(sample_ids(raw))):
            raw = with_samples(raw, self.file_ids)
        return Parcel(
            message_id=row.id,
            conversation_id=row.conversation_id,
            attempt_id=attempt_id,
            lane=row.lane,
            fence=row.fence,
            attempts=row.attempts,
            to=row.wa_id,
            recipient=row.bsuid,
            type=row.type,
            content=with_flow_token(
                content_of(row.type, row.body, raw, row.file_meta_id, row.category or ""),
                lambda: FlowToken(row.contact_id, row.id).sign(self.tenant_id),
            ),
            context_wamid=row.reply_to_wamid,
            category=row.category or "",
            file_id=row.file_id,
            samples=samples,
            callback_data=callback_of(attempt_id),
            starts_at=claimed_at + moment,
            starts_before=claimed_at + START_WITHIN.total_seconds(),
        )

    def settle(self, outcomes: Sequence[tuple[Parcel, meta.Accepted | MetaError]]) -> None:
        """Records what Meta answered to parcels. Changes nothing where the fence says that the lease was lost."""
        self.in_flight -= len(outcomes)
        self.poll_at = self.poll_at or 0.0
        if accepted := [(parcel, one) for parcel, one in outcomes if isinstance(one, meta.Accepted)]:
            self.max_in_flight = min(MOST_IN_FLIGHT, int(self.pace.limit * IN_FLIGHT_SECONDS))
            self.record_acceptances(accepted)
        for parcel, outcome in outcomes:
            if isinstance(outcome, MetaError):
                self.record_refusal(parcel, outcome)
        show_ticks([parcel.message_id for parcel, _ in outcomes])
        for conversation_id in {parcel.conversation_id for parcel, _ in outcomes}:
            announce("conversation", conversation_id)

    def record_acceptances(self, accepted: Sequence[tuple[Parcel, meta.Accepted]]) -> None:
        rows = [
            {"message": str(parcel.message_id), "fence": parcel.fence, "wamid": outcome.wamid}
            for parcel, outcome in accepted
        ]
        values = {"tenant": current_tenant_id(), "ids": [row["message"] for row in rows], "rows": json.dumps(rows)}
        db.session.execute(ACCEPT, values)
        SendAttempt.finish([parcel.attempt_id for parcel, _ in accepted], "accepted")
        if any(parcel.category for parcel, _ in accepted):
            DirectSendAccess.learn_success(self.waba_id)
        adopt_orphans(self.number_id, {outcome.wamid: parcel.message_id for parcel, outcome in accepted})
        if is_sandbox(self.tenant_id):
            self.expect_statuses(accepted)

    def expect_statuses(self, accepted: Sequence[tuple[Parcel, meta.Accepted]]) -> None:
        """What Meta would post about messages that a sandbox has sent."""
        number = PhoneNumber.get_or_404(self.number_id)
        for parcel, outcome in accepted:
            statuses = statuses_of(outcome.wamid, parcel.to or parcel.recipient or "", parcel.callback_data)
            PretendedWebhook.expect_of_number(number, [{"statuses": [one]} for one in statuses])

    def record_refusal(self, parcel: Parcel, error: MetaError) -> None:
        after = self.state_after(error, parcel)
        again_at = None if after.wait is None else database_now() + dt.timedelta(seconds=after.wait)
        ids = {"tenant": current_tenant_id(), "message": parcel.message_id, "fence": parcel.fence}
        changed = {"state": after.state, "again_at": again_at, "error": json.dumps(error.as_dict())}
        rows = db.session.execute(REFUSE, ids | changed).all()
        SendAttempt.finish([parcel.attempt_id], after.state, error.as_dict())
        record_progress([row for row in rows if row.state == "failed"], "message.failed")
        if error.kind is Kind.PAUSE_NUMBER:
            PhoneNumber.get_or_404(self.number_id).pause(error.title, error.fix)
        if error.kind is Kind.THROTTLE:
            self.pace.slow_down()
        if parcel.category and DirectSendAccess.learn_refusal(self.waba_id, error):
            withdraw_direct_sends(self.waba_id)

    def state_after(self, error: MetaError, parcel: Parcel) -> NextState:
        """A reaction sent twice is the same reaction; a file that Meta may have deleted is uploaded again."""
        if parcel.type == "reaction" and error.kind is Kind.UNKNOWN_OUTCOME and parcel.attempts <= len(RETRY_SECONDS):
            return NextState("queued", RETRY_SECONDS[parcel.attempts - 1])
        if parcel.file_id and error.code in FILE_CODES and Media.get_or_404(parcel.file_id).upload_again():
            return NextState("queued", 0)
        if error.code in FILE_CODES and SampleUpload.upload_again(self.number_id, parcel.samples):
            return NextState("queued", 0)
        return NextState.after(error, parcel.attempts)


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


def expire_late() -> int:
    """Expires what was queued until WhatsApp would refuse it. Needs a platform scope. Returns how many."""
    rows = db.session.execute(EXPIRE, {"now": database_now()}).all()
    for tenant_id in {row.tenant_id for row in rows}:
        record_progress([row for row in rows if row.tenant_id == tenant_id], "message.failed", tenant_id)
    return len(rows)


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
# Until when do messages wait whose person has had more than the pair's burst? Sets `next_attempt_at` of the first of
# each conversation, so that no worker queries for it before. Index: ix_messages_due; ix_messages_pair for `e`.
HOLD_PAIRS = text("""
    update messages m set next_attempt_at = (c.pair_tat at time zone 'UTC' - :sooner) at time zone 'UTC'
    from conversations c
    where m.tenant_id = :tenant and m.phone_number_id = :number and m.state = 'queued'
      and (m.next_attempt_at is null or m.next_attempt_at <= :now)
      and c.tenant_id = :tenant and c.id = m.conversation_id and c.pair_tat > :spare
      and (
        select e.id from messages e where e.tenant_id = :tenant and e.conversation_id = m.conversation_id
          and e.state in ('queued', 'dispatching') and e.id < m.id limit 1) is null
""")
# Is a campaign's message due that only the pace holds back? Index: ix_messages_lane.
CAMPAIGN_WAITS = text("""
    select exists (
        select from messages m where m.tenant_id = :tenant and m.phone_number_id = :number and m.state = 'queued'
          and m.lane = 'campaigns' and (m.next_attempt_at is null or m.next_attempt_at <= :now))
""")
# Meta accepted these messages. Locks them by their ids first, in order, as statuses do, then changes those whose fence
# is still the one. A message that is queued under the same fence was about to be retried (`unknowns.py`), and need not
# be any more. `ids` beside `rows`: also where Postgres knows nothing of a tenant yet, it goes by the primary key.
# `for update`, which is what writing a wamid takes, as that is unique: with less, this and a status that has arrived
# already, whose row refers to the message, would each wait for the other.
ACCEPT = text("""
    with locked as (
        select id from messages where tenant_id = :tenant and id = any(cast(:ids as uuid[])) order by id
        for update
    )
    update messages m set wamid = coalesce(m.wamid, r.wamid), lease_until = null,
        state = case when m.state in ('dispatching', 'unknown', 'queued') then 'accepted' else m.state end,
        error = case when m.state in ('dispatching', 'unknown', 'queued') then null else m.error end
    from locked join jsonb_to_recordset(cast(:rows as jsonb)) as r(message uuid, fence bigint, wamid text)
        on r.message = locked.id
    where m.tenant_id = :tenant and m.id = any(cast(:ids as uuid[])) and m.id = locked.id and m.fence = r.fence
""")
REFUSE = text("""
    update messages set state = :state, error = cast(:error as jsonb), lease_until = null,
        next_attempt_at = :again_at
    where tenant_id = :tenant and id = :message and fence = :fence
      and (state = 'dispatching' or state = 'unknown' and :state <> 'unknown')
    returning id, conversation_id, state, source, author_kind, author_id, author_name,
        (error ->> 'code')::int as code
""")
EXPIRE = text("""
    update messages set state = 'expired', lease_until = null
    where state = 'queued' and expires_at <= :now and instead is null
    returning tenant_id, id, conversation_id, state, source, author_kind, author_id, author_name,
        (error ->> 'code')::int as code
""")
PARK = text("""
    update messages set state = 'unknown', lease_until = null
    where state = 'dispatching' and lease_until < :now
    returning id
""")
