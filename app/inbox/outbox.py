"""Handing waiting messages to Meta. The message's row is the outbox; a row being handed over is under a lease.

Meta has no idempotency key, so a message whose answer was lost is `unknown`: never sent again blindly, settled by
its status webhook, or by a person.
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from time import monotonic, sleep
from typing import Any

import structlog
from sqlalchemy import Row, text

from app.meta import messages as meta
from app.meta.errors import Kind, MetaError, NotConnected
from app.meta.graph import GraphClient
from app.meta.media import FILE_CODES
from app.meta.outgoing import content_of
from app.tenancy import announce, commit, current_tenant_id, db, uuid7
from app.wabas.models import PhoneNumber

from .arrival import adopt_orphans, show_ticks
from .callback import callback_of
from .media import Media
from .pace import PAIR_BURST, PAIR_SECONDS, Pace

log = structlog.get_logger()

IN_FLIGHT = 32
# Until Meta has taken one message: a token that was revoked should not be tried thirty times.
CAUTIOUS = 4
BUDGET_SECONDS = 30
# Longer than any call to Meta may take (`app.meta.graph.TIMEOUT`), so that a lease outlives its call.
LEASE = dt.timedelta(seconds=60)
PAIR = {
    "interval": dt.timedelta(seconds=PAIR_SECONDS),
    "tolerance": dt.timedelta(seconds=PAIR_SECONDS * (PAIR_BURST - 1)),
}
RETRY_SECONDS = (2, 8, 30, 120, 600)
UNREACHABLE_SECONDS = (1, 2, 4, 15, 60, 300)


@dataclass(frozen=True, slots=True)
class Parcel:
    """All that is needed to hand one message over, with no database at hand."""

    message_id: uuid.UUID
    conversation_id: uuid.UUID
    attempt_id: uuid.UUID
    fence: int
    attempts: int
    to: str | None
    recipient: str | None
    type: str
    content: dict[str, Any]
    context_wamid: str | None
    file_id: uuid.UUID | None
    callback_data: str

    def hand_over(self, graph: GraphClient, token: str, number: str) -> meta.Accepted | MetaError:
        try:
            return meta.send(
                graph,
                token,
                number,
                to=self.to,
                recipient=self.recipient,
                content=self.content,
                callback_data=self.callback_data,
                context_wamid=self.context_wamid,
            )
        except MetaError as error:
            return error


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a message Meta did not take."""

    state: str
    wait: int | None = None

    @classmethod
    def on(cls, error: MetaError, attempts: int) -> Verdict:
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
    """The waiting messages of one phone number. Messages to one person go one after the other, in order."""

    def __init__(self, number: PhoneNumber, graph: GraphClient) -> None:
        self.number, self.graph = number, graph
        self.token = number.waba.token
        self.in_flight = CAUTIOUS
        self.pace = Pace(number)

    def run(self) -> bool:
        """Sends what waits, many at a time. Returns whether the budget ran out first."""
        end = monotonic() + BUDGET_SECONDS
        flying: dict[Future[meta.Accepted | MetaError], Parcel] = {}
        with ThreadPoolExecutor(IN_FLIGHT) as pool:
            while True:
                pause = None
                if monotonic() < end and self.number.is_connected:
                    parcels, pause = self.pick_up(self.in_flight - len(flying))
                    for parcel in parcels:
                        sending = pool.submit(parcel.hand_over, self.graph, self.token, self.number.meta_id)
                        flying[sending] = parcel
                if not flying and pause is None:
                    return monotonic() >= end
                for done in wait(flying, pause, FIRST_COMPLETED).done if flying else ():
                    self.settle(flying.pop(done), done.result())
                commit()
                if not flying and pause:
                    sleep(pause)

    def pick_up(self, room: int) -> tuple[list[Parcel], float | None]:
        """Claims the oldest waiting message of each conversation, and says so before a byte is sent.

        With them, for how many seconds the number has to hold back before the next; none when nothing waits.
        """
        if room < 1:
            return [], None
        allowed = self.pace.allowance()
        if allowed.messages < 1:
            commit()
            return [], allowed.wait
        claim = {"tenant": current_tenant_id(), "number": self.number.id, "room": min(room, allowed.messages)}
        parcels = [self.parcel(row) for row in db.session.execute(CLAIM, claim | PAIR | {"lease": LEASE})]
        self.pace.spend(len(parcels))
        attempts = [{"id": parcel.attempt_id, "message": parcel.message_id} for parcel in parcels]
        if attempts:
            db.session.execute(NEW_ATTEMPT, [row | {"tenant": current_tenant_id()} for row in attempts])
        commit()
        return parcels, None

    def parcel(self, row: Row[Any]) -> Parcel:
        attempt_id = uuid7()
        return Parcel(
            message_id=row.id,
            conversation_id=row.conversation_id,
            attempt_id=attempt_id,
            fence=row.fence,
            attempts=row.attempts,
            to=row.wa_id,
            recipient=row.bsuid,
            type=row.type,
            content=content_of(row.type, row.body, row.raw or {}, row.file_meta_id),
            context_wamid=row.reply_to_wamid,
            file_id=row.file_id,
            callback_data=callback_of(attempt_id),
        )

    def settle(self, parcel: Parcel, outcome: meta.Accepted | MetaError) -> None:
        if isinstance(outcome, MetaError):
            self.refused(parcel, outcome)
        else:
            self.accepted(parcel, outcome)
        show_ticks([parcel.message_id])
        announce("conversation", parcel.conversation_id)

    def accepted(self, parcel: Parcel, outcome: meta.Accepted) -> None:
        self.in_flight = IN_FLIGHT
        self.record(ACCEPT, parcel, "accepted", None, wamid=outcome.wamid)
        adopt_orphans(self.number.id, outcome.wamid, parcel.message_id)

    def refused(self, parcel: Parcel, error: MetaError) -> None:
        verdict = self.verdict_on(error, parcel)
        self.record(REFUSE, parcel, verdict.state, error, state=verdict.state, wait=verdict.wait)
        if error.kind is Kind.PAUSE_NUMBER:
            self.number.pause(error.title, error.fix)
        if error.kind is Kind.THROTTLE:
            self.pace.slow_down()

    def verdict_on(self, error: MetaError, parcel: Parcel) -> Verdict:
        """A reaction sent twice is the same reaction; a file that Meta may have forgotten is uploaded once more."""
        if parcel.type == "reaction" and error.kind is Kind.UNKNOWN_OUTCOME and parcel.attempts <= len(RETRY_SECONDS):
            return Verdict("queued", RETRY_SECONDS[parcel.attempts - 1])
        if parcel.file_id and error.code in FILE_CODES and Media.get_or_404(parcel.file_id).upload_again():
            return Verdict("queued", 0)
        return Verdict.on(error, parcel.attempts)

    def record(self, statement: Any, parcel: Parcel, outcome: str, error: MetaError | None, **values: Any) -> None:
        """Writes what came of an attempt, unless somebody else has settled the message meanwhile."""
        told = error.as_dict() if error else None
        ids = {"tenant": current_tenant_id(), "message": parcel.message_id, "fence": parcel.fence}
        db.session.execute(statement, ids | values | ({"error": dumped(told)} if error else {}))
        attempt = {"tenant": current_tenant_id(), "attempt": parcel.attempt_id, "outcome": outcome}
        db.session.execute(FINISH_ATTEMPT, attempt | {"error": dumped(told)})


def dumped(error: dict[str, Any] | None) -> str | None:
    return json.dumps(error) if error else None


def lanes_waiting() -> Iterator[tuple[uuid.UUID, uuid.UUID]]:
    """Every (tenant, number) with a message that could go now. Needs a platform scope."""
    for row in db.session.execute(WAITING):
        yield row.tenant_id, row.phone_number_id


def expire_late() -> int:
    """What waited until WhatsApp would not take it any more. Needs a platform scope."""
    return len(db.session.execute(EXPIRE).all())


def park_abandoned() -> int:
    """A lease ran out in the middle of a hand-over: nobody knows whether Meta took the message."""
    return len(db.session.execute(PARK).all())


CLAIM = text("""
    with heads as (
        select distinct on (conversation_id) id, state, next_attempt_at from messages
        where tenant_id = :tenant and phone_number_id = :number and state in ('queued', 'dispatching')
        order by conversation_id, id
    ), chosen as (
        select m.id from messages m join conversations c on c.tenant_id = :tenant and c.id = m.conversation_id
        where m.tenant_id = :tenant and m.state = 'queued' and m.id in (
            select id from heads
            where state = 'queued' and (next_attempt_at is null or next_attempt_at <= clock_timestamp()))
          and (m.expires_at is null or m.expires_at > clock_timestamp())
          and not exists (select 1 from media f where f.tenant_id = :tenant and f.message_id = m.id
              and f.state = 'stored' and f.meta_id = '')
          and (c.pair_tat is null or c.pair_tat <= clock_timestamp() + :tolerance)
        order by m.id limit :room for update of m skip locked
    ), claimed as (
        update messages m set state = 'dispatching', fence = m.fence + 1, attempts = m.attempts + 1,
            lease_until = clock_timestamp() + :lease, next_attempt_at = null, error = null
        from chosen where m.tenant_id = :tenant and m.id = chosen.id
        returning m.id, m.conversation_id, m.type, m.body, m.content -> 'raw' as raw, m.reply_to_wamid, m.fence,
            m.attempts
    ), paced as (
        update conversations c set pair_tat = greatest(c.pair_tat, clock_timestamp()) + :interval
        from claimed where c.tenant_id = :tenant and c.id = claimed.conversation_id
    )
    select claimed.*, f.id as file_id, f.meta_id as file_meta_id,
        (select value from contact_identities i where i.tenant_id = :tenant and i.contact_id = c.contact_id
            and i.kind = 'wa_id' order by created_at desc limit 1) as wa_id,
        (select value from contact_identities i where i.tenant_id = :tenant and i.contact_id = c.contact_id
            and i.kind = 'bsuid' order by created_at desc limit 1) as bsuid
    from claimed join conversations c on c.tenant_id = :tenant and c.id = claimed.conversation_id
    left join media f on f.tenant_id = :tenant and f.message_id = claimed.id
    order by claimed.id
""")
NEW_ATTEMPT = text("""
    insert into send_attempts (tenant_id, id, message_id, started_at)
    values (:tenant, :id, :message, clock_timestamp())
""")
FINISH_ATTEMPT = text("""
    update send_attempts set finished_at = clock_timestamp(), outcome = :outcome, error = cast(:error as jsonb)
    where tenant_id = :tenant and id = :attempt
""")
ACCEPT = text("""
    update messages set wamid = coalesce(wamid, :wamid), lease_until = null,
        state = case when state in ('dispatching', 'unknown') then 'accepted' else state end,
        error = case when state in ('dispatching', 'unknown') then null else error end
    where tenant_id = :tenant and id = :message and fence = :fence
""")
REFUSE = text("""
    update messages set state = :state, error = cast(:error as jsonb), lease_until = null,
        next_attempt_at = clock_timestamp() + make_interval(secs => :wait)
    where tenant_id = :tenant and id = :message and fence = :fence and state = 'dispatching'
""")
WAITING = text("""
    select m.tenant_id, m.phone_number_id from messages m
    join phone_numbers p on p.tenant_id = m.tenant_id and p.id = m.phone_number_id and p.state = 'connected'
    where m.state = 'queued' and (m.next_attempt_at is null or m.next_attempt_at <= clock_timestamp())
    group by 1, 2
""")
EXPIRE = text("""
    update messages set state = 'expired', lease_until = null
    where state = 'queued' and expires_at <= clock_timestamp()
    returning id
""")
PARK = text("""
    update messages set state = 'unknown', lease_until = null
    where state = 'dispatching' and lease_until < clock_timestamp()
    returning id
""")
