"""Claims what is due of one business's webhooks, and records what came back."""

from __future__ import annotations

import datetime as dt
import json
import secrets
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import structlog
from pydantic_core import to_json
from sqlalchemy import Row, text
from sqlalchemy.exc import SQLAlchemyError

from app.crypto import Undecryptable
from app.egress import Refused, checked
from app.signing import sign
from app.tenancy import current_tenant_id, database_now, db, uuid7s

from .calls import Call, Outcome
from .deliveries import BATCH, LEASE, RETRY_SECONDS, WebhookDelivery, release_next
from .endpoints import WebhookEndpoint
from .events import OutgoingEvent, public_id
from .outbox import lock_endpoints
from .resources import Resources

log = structlog.get_logger()

USER_AGENT = "Switchboard-Webhooks/1"
# What keeps a request from being sent, and says nothing of the server it would go to.
NOT_TRIED = ("gone", "unsigned", "unrendered")
# `Retry-After` is obeyed up to this.
LONGEST_REST = dt.timedelta(hours=6)
GONE = 410
ASKS_FOR_REST = (429, 503)
# A fifth of its pause at most is added to each, so that what failed together does not come back together.
JITTER = 0.2


@dataclass(frozen=True, slots=True)
class Parcel:
    """One claimed delivery. It changes only while `attempts`, the fence, is still the same."""

    tenant_id: uuid.UUID
    endpoint_id: uuid.UUID
    delivery_id: uuid.UUID
    conversation_id: uuid.UUID | None
    is_ordered: bool
    attempts: int
    tries: int


# What came back to a call, or why a parcel had none.
Result = tuple[Call | Parcel, Outcome]


@dataclass(frozen=True, slots=True)
class Claimed:
    """The calls to make once the claim is committed, what can't be sent and why, and how many of each endpoint."""

    calls: list[Call]
    unsendable: list[Result]
    counts: Counter[uuid.UUID]


def claim(rooms: Mapping[uuid.UUID, int]) -> Claimed:
    """Leases due deliveries: of each endpoint at most as many as it has room for."""
    named = WebhookEndpoint.listed().where(WebhookEndpoint.id.in_(rooms), WebhookEndpoint.state == "active")
    active = {endpoint.id: endpoint for endpoint in db.session.scalars(named)}
    at = database_now()
    rows = [{"endpoint": str(id), "room": rooms[id]} for id in active]
    values = {"tenant": current_tenant_id(), "rooms": json.dumps(rows), "now": at, "lease_until": at + LEASE}
    claimed = db.session.execute(CLAIM, values).all() if rows else []
    calls, unsendable = prepare(claimed, active, at)
    return Claimed(calls, unsendable, Counter(row.endpoint_id for row in claimed))


# Which deliveries are due? Leases the longest due of each webhook. Index: ix_webhook_deliveries_due, read from its
# beginning and no further than there is room, however many wait.
CLAIM = text("""
    with chosen as (
        select c.id from jsonb_to_recordset(cast(:rooms as jsonb)) as r(endpoint uuid, room bigint)
        cross join lateral (
            select d.id from webhook_deliveries d
            where d.tenant_id = :tenant and d.endpoint_id = r.endpoint and d.state = 'waiting'
              and d.next_attempt_at <= :now
            order by d.next_attempt_at limit r.room for update skip locked) c
    )
    update webhook_deliveries d set attempts = d.attempts + 1, tries = d.tries + 1, next_attempt_at = :lease_until,
        is_collecting = false
    from chosen where d.tenant_id = :tenant and d.id = chosen.id
    returning d.id, d.endpoint_id, d.event_id, d.event_ids, d.type, d.conversation_id, d.sequence, d.is_ordered,
        d.attempts, d.tries
""")


def prepare(
    rows: Sequence[Row[Any]], endpoints: Mapping[uuid.UUID, WebhookEndpoint], at: dt.datetime
) -> tuple[list[Call], list[Result]]:
    """The calls of claimed rows: each event is rendered once, for however many webhooks."""
    bodies = render(list({id for row in rows for id in row.event_ids}))
    calls: list[Call] = []
    unsendable: list[Result] = []
    places = {endpoint.id: place_of(endpoint) for endpoint in endpoints.values()}
    for row in sorted(rows, key=lambda row: row.sequence or 0):
        parcel = Parcel(
            current_tenant_id(), row.endpoint_id, row.id, row.conversation_id, row.is_ordered, row.attempts, row.tries
        )
        place, body = places[row.endpoint_id], body_of(row, bodies)
        if isinstance(place, str):
            unsendable.append((parcel, Outcome(None, error=place)))
        elif isinstance(body, str):
            unsendable.append((parcel, Outcome(None, error=body)))
        else:
            url, keys = place
            webhook_id = f"bat_{row.id.hex}" if row.type == BATCH else public_id(row.event_id)
            headers = headers_of(webhook_id, int(at.timestamp()), body, keys)
            calls.append(Call(parcel.tenant_id, row.endpoint_id, url, headers, body, parcel))
    return calls, unsendable


def place_of(endpoint: WebhookEndpoint) -> tuple[httpx.URL, tuple[bytes, ...]] | str:
    """Where it is, and what its requests are signed with; or why nothing is sent there, a key of `words.ERRORS`."""
    try:
        return checked(endpoint.url), endpoint.keys
    except Refused:
        return "refused"
    except Undecryptable:
        return "unsigned"


def render(ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, bytes | None]:
    """The JSON of each event that is still stored, as it is now; None where that fails, which delays no other."""
    events = OutgoingEvent.with_ids(ids)
    resources = Resources.of(list(events.values()))
    return {id: json_of(event, resources) for id, event in events.items()}


def json_of(event: OutgoingEvent, resources: Resources) -> bytes | None:
    try:
        return to_json(event.rendered(resources))
    except SQLAlchemyError:
        raise
    except Exception:
        log.exception("event not rendered", event_id=str(event.id), type=event.type)
        return None


def body_of(row: Row[Any] | WebhookDelivery, bodies: Mapping[uuid.UUID, bytes | None]) -> bytes | str:
    """What one request says; or why there is nothing to send, a key of `words.ERRORS`."""
    stored = [bodies[id] for id in row.event_ids if id in bodies]
    parts = [part for part in stored if part is not None]
    if len(parts) < len(stored):
        return "unrendered"
    if not parts:
        return "gone"
    return b'{"type":"batch","events":[' + b",".join(parts) + b"]}" if row.type == BATCH else parts[0]


def headers_of(webhook_id: str, timestamp: int, body: bytes, keys: Sequence[bytes]) -> tuple[tuple[str, str], ...]:
    return (
        ("Content-Type", "application/json"),
        ("User-Agent", USER_AGENT),
        ("webhook-id", webhook_id),
        ("webhook-timestamp", str(timestamp)),
        ("webhook-signature", sign(keys, webhook_id, timestamp, body)),
    )


def settle(outcomes: Sequence[Result]) -> None:
    """Records what came back to deliveries of one business, unless another process has claimed them meanwhile."""
    at = database_now()
    parcels = [(sent.parcel if isinstance(sent, Call) else sent, outcome) for sent, outcome in outcomes]
    if ordered := {parcel.endpoint_id for parcel, _ in parcels if parcel.is_ordered}:
        lock_endpoints(sorted(ordered))
    rows = [result_row(parcel, outcome, at) for parcel, outcome in parcels]
    ids = [row["id"] for row in rows]
    db.session.execute(SETTLE, {"tenant": current_tenant_id(), "rows": json.dumps(rows), "ids": ids, "now": at})
    record_attempts([(sent, outcome) for sent, outcome in outcomes if isinstance(sent, Call)], at)
    release_next({(p.endpoint_id, p.conversation_id) for p, _ in parcels if p.is_ordered and p.conversation_id})
    note_health(parcels, at)


def result_row(parcel: Parcel, outcome: Outcome, at: dt.datetime) -> dict[str, Any]:
    state, due = "delivered", None
    if outcome.error == "gone":
        state = "cancelled"
    elif not outcome.is_success:
        wait = next_wait(parcel.tries, outcome)
        state, due = ("waiting", at + wait) if wait else ("failed", None)
    return {
        "id": str(parcel.delivery_id),
        "fence": parcel.attempts,
        "state": state,
        "due": due and due.isoformat(),
        "status": outcome.status,
        "error": outcome.error,
    }


def next_wait(tries: int, outcome: Outcome) -> dt.timedelta | None:
    """How long until the next try; None when it was the last, or the other side wants no more."""
    if outcome.status == GONE or tries > len(RETRY_SECONDS):
        return None
    seconds = RETRY_SECONDS[tries - 1] * (1 + JITTER * secrets.randbelow(1000) / 1000)
    return max(dt.timedelta(seconds=seconds), rest_of(outcome))


def rest_of(outcome: Outcome) -> dt.timedelta:
    return min(dt.timedelta(seconds=outcome.retry_after or 0), LONGEST_REST)


# Index: the primary key; `ids` beside `rows`, so that it is used where Postgres knows nothing of a tenant yet.
SETTLE = text("""
    update webhook_deliveries d set state = r.state, next_attempt_at = r.due, status = r.status, error = r.error,
        finished_at = case when r.state = 'waiting' then null else :now end
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, fence bigint, state text, due timestamptz,
        status bigint, error text)
    where d.tenant_id = :tenant and d.id = any(cast(:ids as uuid[])) and d.id = r.id and d.attempts = r.fence
      and d.state = 'waiting'
""")


def record_attempts(outcomes: Sequence[tuple[Call, Outcome]], at: dt.datetime) -> None:
    if not outcomes:
        return
    rows = [
        {
            "id": id,
            "delivery": str(call.parcel.delivery_id),
            "number": call.parcel.attempts,
            "headers": dict(header for header in call.headers if header[0] != "webhook-signature"),
            "size": len(call.body),
            "status": outcome.status,
            "answer": outcome.answer,
            "error": outcome.error,
            "took": outcome.milliseconds,
        }
        for (call, outcome), id in zip(outcomes, uuid7s(len(outcomes)), strict=True)
    ]
    db.session.execute(ATTEMPTS, {"tenant": current_tenant_id(), "rows": json.dumps(rows), "now": at})


# A webhook that was removed meanwhile has no deliveries left that an attempt could belong to.
ATTEMPTS = text("""
    insert into delivery_attempts (tenant_id, id, delivery_id, number, headers, size, status, answer, error,
        milliseconds, at)
    select :tenant, r.id, r.delivery, r.number, r.headers, r.size, r.status, r.answer, r.error, r.took, :now
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, delivery uuid, number bigint, headers jsonb,
        size bigint, status bigint, answer text, error text, took bigint)
    where exists (select from webhook_deliveries d where d.tenant_id = :tenant and d.id = r.delivery)
    on conflict do nothing
""")


def note_health(parcels: Sequence[tuple[Parcel, Outcome]], at: dt.datetime) -> None:
    """What this says of the webhooks themselves: that one works, asks for rest, is gone, or has failed for a day."""
    sent = [(parcel, outcome) for parcel, outcome in parcels if outcome.error not in NOT_TRIED]
    working = {parcel.endpoint_id for parcel, outcome in sent if outcome.is_success}
    if working:
        WebhookEndpoint.note_success(sorted(working))
    failures: dict[uuid.UUID, list[Outcome]] = {}
    for parcel, outcome in sent:
        if not outcome.is_success:
            failures.setdefault(parcel.endpoint_id, []).append(outcome)
    for endpoint_id, failed in sorted(failures.items()):
        if any(outcome.status == GONE for outcome in failed):
            if endpoint := WebhookEndpoint.find(endpoint_id):
                endpoint.disable("gone")
            continue
        rests = [at + rest_of(outcome) for outcome in failed if outcome.status in ASKS_FOR_REST and outcome.retry_after]
        WebhookEndpoint.note_failure(endpoint_id, max(rests, default=None), worked=endpoint_id in working)
