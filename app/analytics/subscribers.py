"""Notes which conversations and quarters of an hour have to be counted again; `analytics.recount` does so later."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Iterable, Sequence

from sqlalchemy import text

from app.tenancy import Happened, current_tenant_id, db, subscriber, uuid7s
from app.tenancy.limits import one_at_a_time

from .models import ReportProgress
from .recount import EPOCH, quarter_of

WRITTEN = ("message.received", "message.queued", "message.sent", "message.failed")
ARRIVED = ("message.delivered", "message.read")
CHANGED = (
    "conversation.reopened",
    "conversation.woken",
    "conversation.resolved",
    "conversation.archived",
    "conversation.team",
    "conversation.handed_over",
    "conversation.taken",
    "conversation.released",
)
MERGED = ("contact.merged", "contact.unmerged")


@subscriber("reports", *WRITTEN, *ARRIVED, *CHANGED, *MERGED)
def note_what_is_stale(happenings: list[Happened]) -> None:
    # A job that counts holds what both of them write: one after the other, they can't deadlock.
    one_at_a_time(ReportProgress.__tablename__)
    messages = {one.subject_id: one.kind in WRITTEN for one in sorted(happenings, key=lambda one: one.kind in WRITTEN)}
    since = {one.subject_id: one.at for one in reversed(happenings) if one.kind in CHANGED}
    quarters = set()
    mine = {"tenant": current_tenant_id(), "ids": [str(id) for id in messages]}
    for row in db.session.execute(WHERE, mine) if messages else ():
        quarters.add(quarter_of(row.occurred_at))
        if messages[row.id]:
            earliest = min(row.occurred_at, since.get(row.conversation_id, row.occurred_at))
            since[row.conversation_id] = earliest
    if contacts := {id for one in happenings if one.kind in MERGED for id in (one.subject_id, one.facts.other_id)}:
        owned = {"tenant": current_tenant_id(), "ids": [str(id) for id in contacts]}
        since |= dict.fromkeys(db.session.scalars(OF_CONTACTS, owned), EPOCH)
    note_quarters(quarters)
    note_conversations(since.items())


def note_conversations(since: Iterable[tuple[uuid.UUID, dt.datetime]]) -> None:
    note(NOTE_CONVERSATIONS, [{"about": str(id), "since": at.isoformat()} for id, at in sorted(since)])


def note_quarters(quarters: Iterable[dt.datetime]) -> None:
    note(NOTE_QUARTERS, [{"about": quarter.isoformat()} for quarter in sorted(quarters)])


def note(statement: object, rows: Sequence[dict[str, str]]) -> None:
    if rows:
        noted = [row | {"id": id} for row, id in zip(rows, uuid7s(len(rows)), strict=True)]
        db.session.execute(statement, {"tenant": current_tenant_id(), "rows": json.dumps(noted)})  # type: ignore[call-overload]


WHERE = text("""
    select id, conversation_id, occurred_at from messages
    where tenant_id = :tenant and id = any(cast(:ids as uuid[]))
""")
OF_CONTACTS = text("""
    select id from conversations where tenant_id = :tenant and contact_id = any(cast(:ids as uuid[]))
""")
# The earlier moment counts. Conversations that have gone meanwhile are left out.
NOTE_CONVERSATIONS = text("""
    insert into report_stale_conversations as s (tenant_id, id, conversation_id, since)
    select :tenant, r.id, r.about, r.since
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, about uuid, since timestamptz)
    join conversations c on c.tenant_id = :tenant and c.id = r.about
    order by r.about
    on conflict (tenant_id, conversation_id) do update set since = least(s.since, excluded.since)
""")
NOTE_QUARTERS = text("""
    insert into report_stale_quarters (tenant_id, id, quarter)
    select :tenant, id, about from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, about timestamptz)
    order by about
    on conflict do nothing
""")
