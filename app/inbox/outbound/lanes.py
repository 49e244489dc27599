"""The lane of a phone number: which numbers have something to send, and what is claimed of each, how fast."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from time import monotonic
from typing import Self

from sqlalchemy import text

from app.billing.holds import Funds
from app.crypto import Undecryptable
from app.inbox.conversations.attempts import SendAttempt
from app.tenancy import current_tenant_id, database_now, db, platform_scope
from app.wabas.models import CONNECT_AGAIN, PhoneNumber
from app.words import N_

from .outbox import PAIR, Claim
from .pace import CAMPAIGNS_SHARE, Pace, Throttle
from .parcels import Parcel
from .reach import Reach

# Due so soon that it is worth waiting for: what an agent may still undo.
SOON = dt.timedelta(seconds=6)
# As many as go within this time, so that Meta may take half a second to answer; and never more than that many.
IN_FLIGHT_SECONDS, MOST_IN_FLIGHT = 0.6, 192
# Until Meta has accepted one message: a token that was revoked should not be tried thirty times.
FIRST_IN_FLIGHT = 4

NO_ACCESS = N_("Switchboard no longer has access to this number.")
UNREADABLE = N_("The access token of this number can't be decrypted with the keys of this installation.")


@dataclass(frozen=True, slots=True)
class WaitingLane:
    """A number with queued messages: whether any is due now, and whether one will be within `SOON`."""

    tenant_id: uuid.UUID
    number_id: uuid.UUID
    is_due: bool
    is_soon: bool


def waiting_lanes() -> list[WaitingLane]:
    """Returns the connected numbers with messages due now or soon. Costs a few index probes each, however many wait."""
    with platform_scope("which numbers have messages to send"):
        at = database_now()
        due = {(row.tenant_id, row.id) for row in db.session.execute(DUE, {"now": at})}
        soon = {(row.tenant_id, row.id) for row in db.session.execute(DUE_SOON, {"now": at, "soon": at + SOON})}
    return [WaitingLane(*ids, is_due=ids in due, is_soon=ids in soon) for ids in sorted(due | soon)]


# Which connected numbers have a queued message that is due? Each `exists` is a probe of the index ix_messages_due
# (tenant_id, phone_number_id, next_attempt_at) where state = 'queued', so a backlog is not read. `next_attempt_at`
# null: due now. In a cluster each machine looks at its own tenants.
DUE = text("""
    select p.tenant_id, p.id from phone_numbers p
    where p.state = 'connected' and (
        exists (select from messages m where m.tenant_id = p.tenant_id and m.phone_number_id = p.id
            and m.state = 'queued' and m.next_attempt_at is null)
        or exists (select from messages m where m.tenant_id = p.tenant_id and m.phone_number_id = p.id
            and m.state = 'queued' and m.next_attempt_at <= :now))
""")
# And which have one that will be due before :soon?
DUE_SOON = text("""
    select p.tenant_id, p.id from phone_numbers p
    where p.state = 'connected' and exists (
        select from messages m where m.tenant_id = p.tenant_id and m.phone_number_id = p.id
          and m.state = 'queued' and m.next_attempt_at > :now and m.next_attempt_at < :soon)
""")


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
        # When to query again (monotonic): now, when Meta's pace allows, or (None) when `waiting_lanes` finds it due.
        self.poll_at: float | None = 0.0

    @classmethod
    def open(cls, number_id: uuid.UUID) -> Self | None:
        """The lane of a number; None where its token is missing or unreadable, which pauses the number."""
        number = PhoneNumber.get_or_404(number_id)
        try:
            lane = cls(number)
        except Undecryptable:
            number.pause(UNREADABLE, CONNECT_AGAIN)
            return None
        if lane.token is None:
            number.pause(NO_ACCESS, CONNECT_AGAIN)
            return None
        return lane

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
        claim = Claim(self.number_id, self.reach, Funds.locked(self.number_id, self.currency, self.zone))
        claim.take("replies", room)
        claim.take("automation", room - len(claim.rows))
        rest = min(room, int(self.max_in_flight * CAMPAIGNS_SHARE) - self.in_flight) - len(claim.rows)
        claim.take("campaigns", min(rest, self.pace.campaigns.free))
        rows = claim.rows
        moments = self.pace.spend(len(rows), campaigns=sum(row.lane == "campaigns" for row in rows))
        parcels = [
            Parcel.of(row, claim.file_ids, claimed_at, moment) for row, moment in zip(rows, moments, strict=True)
        ]
        self.poll_at = self.next_poll(len(parcels) + claim.dropped)
        if parcels:
            tries = zip(parcels, moments, strict=True)
            SendAttempt.begin((one.attempt_id, one.message_id, moment) for one, moment in tries)
        self.in_flight += len(parcels)
        return parcels

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

    def land(self, count: int) -> None:
        """So many of its requests have ended: others may be claimed."""
        self.in_flight -= count
        self.poll_at = self.poll_at or 0.0

    def widen(self) -> None:
        """Meta accepts what it sends: from now on as many at once as its pace allows."""
        self.max_in_flight = min(MOST_IN_FLIGHT, int(self.pace.limit * IN_FLIGHT_SECONDS))


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
