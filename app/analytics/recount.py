"""Makes facts and counts again from conversations and messages: as often as one likes, the outcome is the same."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import structlog
from sqlalchemy import text

from app.hours.models import ServicePolicy
from app.tenancy import Actor, current_tenant_id, db
from app.tenancy.actor import TAKING
from app.tenancy.database import uuid7s

from .models import Fact
from .statements import made_of
from .timeline import CLOSING, HELD_FOR, OPENING, SILENT, Entry, Timeline

log = structlog.get_logger()

QUARTER = dt.timedelta(minutes=15)
EPOCH = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
# A customer who writes within this time after a message has replied to it.
REPLIED_WITHIN = dt.timedelta(days=1)
COLUMNS = tuple(column.name for column in Fact.__table__.c if column.name not in ("tenant_id", "id"))


def recount_each(since: Mapping[uuid.UUID, dt.datetime]) -> None:
    """As `recount_conversations`; one that cannot be counted keeps its facts, and holds up none of the others."""
    if not since:
        return
    try:
        with db.session.begin_nested():
            recount_conversations(since)
    except Exception:
        if len(since) == 1:
            log.exception("conversation not counted", conversation_id=str(next(iter(since))))
            return
        for id, at in since.items():
            recount_each({id: at})


def recount_conversations(since: Mapping[uuid.UUID, dt.datetime]) -> None:
    """Makes the facts of these conversations again: what began after a moment, before that time, at which no
    customer waited."""
    starting = [{"id": str(id), "since": (at - HELD_FOR).isoformat()} for id, at in sorted(since.items())]
    starts = {row.id: row for row in db.session.execute(STARTS, values() | {"rows": json.dumps(starting)})}
    after = {id: row.checkpoint for id, row in starts.items()}
    entries: dict[uuid.UUID, list[Entry]] = {id: [] for id in starts}
    for id, entry in entries_after(after):
        entries[id].append(entry)
    policy = ServicePolicy.current()
    facts = [
        fact | {"conversation_id": id, "phone_number_id": row.phone_number_id, "team_id": row.team_id}
        for id, row in starts.items()
        if not row.is_group
        for fact in timeline_from(row, policy).read(entries[id])
    ]
    forget(after, [fact["message_id"] for fact in facts if fact["kind"] == "survey"])
    write(facts)


def values() -> dict[str, Any]:
    silent = list(SILENT)
    states = {"closing": list(CLOSING), "opening": list(OPENING)}
    return {"tenant": current_tenant_id(), "taking": list(TAKING), "silent": silent} | states


def timeline_from(row: Any, policy: ServicePolicy) -> Timeline:
    return Timeline(
        policy,
        is_new=row.is_new,
        has_answered=row.has_answered,
        is_closed=row.last_state in CLOSING,
        began_at=row.began_at,
        person=Actor.stored(row.person_kind, row.person_id, ""),
    )


def entries_after(checkpoints: Mapping[uuid.UUID, dt.datetime | None]) -> Iterator[tuple[uuid.UUID, Entry]]:
    """By conversation, each in the order of time."""
    rows = [{"id": str(id), "after": (at or EPOCH).isoformat()} for id, at in checkpoints.items()]
    parameters = values() | {"rows": json.dumps(rows), "kinds": [*CLOSING, *OPENING, "handed_over"]}
    found = [
        (row.conversation_id, row.at, place, row)
        for place, statement in enumerate((MESSAGES, ACTIVITIES, ANSWERS, STRETCHES))
        for row in db.session.execute(statement, parameters)
    ]
    for conversation_id, at, _place, row in sorted(found, key=lambda each: each[:3]):
        by = Actor.stored(row.by_kind, row.by_id, "")
        yield conversation_id, Entry(at, row.kind, row.id, by, row.source or "", row.waits, row.score, row.seconds)


def forget(checkpoints: Mapping[uuid.UUID, dt.datetime | None], rated: Sequence[uuid.UUID]) -> None:
    """Removes the facts that are made again. A survey that was answered again counts once."""
    rows = [{"id": str(id), "after": at.isoformat() if at else None} for id, at in checkpoints.items()]
    surveys = [str(id) for id in rated]
    db.session.execute(FORGET, {"tenant": current_tenant_id(), "rows": json.dumps(rows), "surveys": surveys})


def write(facts: Sequence[dict[str, Any]]) -> None:
    ids = uuid7s(len(facts))
    rows = [{"id": id} | {name: fact.get(name) for name in COLUMNS} for id, fact in zip(ids, facts, strict=True)]
    if rows:
        db.session.execute(WRITE, {"tenant": current_tenant_id(), "rows": json.dumps(rows, default=as_text)})


def as_text(value: object) -> str:
    return value.isoformat() if isinstance(value, dt.datetime) else str(value)


# Where each conversation can be read from: before `since`, the last reply of a person, its last resolution, or just
# before a customer began to wait (by what was counted: a conversation that only automations answer has neither of the
# others); null: from its beginning. `began_at`: the first message since it was last closed before that. Indexes
# ix_messages_thread, ix_activities_thread and ix_report_facts_conversation, one conversation at a time.
STARTS = made_of("""
    select c.id, c.phone_number_id, c.team_id, c.is_group, reply.kind as person_kind, reply.author_id as person_id,
        coalesce(reply.at > coalesce(resolved.at, '-infinity'), false) as has_answered, start.at as checkpoint,
        coalesce(start.at < opened.at, true) as is_new, state.kind as last_state, first.at as began_at
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, since timestamptz)
    join conversations c on c.tenant_id = :tenant and c.id = r.id
    left join lateral (
        select m.occurred_at as at, «sender» as kind, m.author_id from messages m
        where m.tenant_id = :tenant and m.conversation_id = c.id and m.occurred_at < r.since
          and m.direction = 'outbound' and «sender» = any(:taking) and coalesce(m.source, '') <> all(:silent)
          and m.state not in «lost» and «counted»
        order by m.occurred_at desc limit 1
    ) reply on true
    left join lateral (
        select a.occurred_at as at from activities a
        where a.tenant_id = :tenant and a.conversation_id = c.id and a.occurred_at < r.since and a.kind = 'resolved'
        order by a.occurred_at desc limit 1
    ) resolved on true
    left join lateral (
        select f.began_at - interval '1 microsecond' as at from report_facts f
        where f.tenant_id = :tenant and f.conversation_id = c.id and f.began_at < r.since and f.kind = 'answer'
        order by f.began_at desc limit 1
    ) waited on true
    cross join lateral (select greatest(reply.at, resolved.at, waited.at) as at) start
    left join lateral (
        select m.occurred_at as at from messages m
        where m.tenant_id = :tenant and m.conversation_id = c.id and m.state not in «lost» and «counted»
        order by m.occurred_at limit 1
    ) opened on true
    left join lateral (
        select a.kind from activities a
        where a.tenant_id = :tenant and a.conversation_id = c.id and a.occurred_at <= start.at
          and (a.kind = any(:closing) or a.kind = any(:opening))
        order by a.occurred_at desc limit 1
    ) state on true
    left join lateral (
        select a.occurred_at as at from activities a
        where a.tenant_id = :tenant and a.conversation_id = c.id and a.occurred_at <= start.at
          and a.kind = any(:closing)
        order by a.occurred_at desc limit 1
    ) closed on true
    left join lateral (
        select m.occurred_at as at from messages m
        where m.tenant_id = :tenant and m.conversation_id = c.id and m.occurred_at <= start.at
          and m.occurred_at > coalesce(closed.at, '-infinity')
          and («waits» or «sender» = any(:taking) and coalesce(m.source, '') <> all(:silent))
          and m.state not in «lost» and «counted»
        order by m.occurred_at limit 1
    ) first on true
""")
# What was written in these conversations since then. Index ix_messages_thread.
MESSAGES = made_of("""
    select m.conversation_id, m.occurred_at as at, case m.direction when 'inbound' then 'in' else 'out' end as kind,
        m.id, case m.direction when 'outbound' then «sender» end as by_kind, m.author_id as by_id, m.source,
        «waits» as waits, null as score, null::bigint as seconds
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, after timestamptz)
    join messages m on m.tenant_id = :tenant and m.conversation_id = r.id and m.occurred_at > r.after
    where m.state not in «lost» and «counted»
    order by m.conversation_id, m.occurred_at, m.id
""")
ACTIVITIES = text("""
    select a.conversation_id, a.occurred_at as at, a.kind, null::uuid as id, a.actor_kind as by_kind,
        a.actor_id as by_id, null as source, false as waits, null as score, null::bigint as seconds
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, after timestamptz)
    join activities a on a.tenant_id = :tenant and a.conversation_id = r.id and a.occurred_at > r.after
    where a.kind = any(:kinds)
    order by a.conversation_id, a.occurred_at, a.id
""")
# Answers to questions of the last months before then. Index ix_messages_thread, and the unique key of survey_answers.
ANSWERS = text("""
    select m.conversation_id, s.answered_at as at, 'survey' as kind, m.id, null as by_kind, null::uuid as by_id,
        null as source, false as waits, s.score, null::bigint as seconds
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, after timestamptz)
    join messages m on m.tenant_id = :tenant and m.conversation_id = r.id
    join survey_answers s on s.tenant_id = :tenant and s.message_id = m.id
    where m.direction = 'outbound' and m.source = 'survey' and m.occurred_at > r.after - interval '90 days'
      and s.answered_at > r.after
    order by m.conversation_id, s.answered_at, m.id
""")
# Times in which people had these conversations, by when they ended. Index ix_handling_stretches_conversation.
STRETCHES = text("""
    select h.conversation_id, h.ended_at as at, 'responsible' as kind, null::uuid as id, h.by_kind, h.by_id,
        null as source, false as waits, null as score,
        greatest(0, extract(epoch from h.ended_at - h.started_at))::bigint as seconds
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, after timestamptz)
    join handling_stretches h on h.tenant_id = :tenant and h.conversation_id = r.id and h.ended_at > r.after
    order by h.conversation_id, h.ended_at, h.id
""")
# Index ix_report_facts_conversation. A null `after`: all of them.
FORGET = text("""
    delete from report_facts f using jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, after timestamptz)
    where f.tenant_id = :tenant and f.conversation_id = r.id
      and (r.after is null or f.began_at > r.after
        or f.kind = 'survey' and f.message_id = any(cast(:surveys as uuid[])))
""")
# Stores facts; reads no index, since FORGET has removed what they replace. A null column: the fact has none (no team,
# no message, no actor, no score). `on conflict` is what a cluster asks of an insert from a select.
WRITE = text("""
    insert into report_facts (tenant_id, id, conversation_id, kind, at, began_at, message_id, phone_number_id, team_id,
                              actor_kind, actor_id, seconds, open_seconds, is_met, score)
    select :tenant, id, conversation_id, kind, at, began_at, message_id, phone_number_id, team_id, actor_kind,
           actor_id, seconds, open_seconds, is_met, score
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(
        id uuid, conversation_id uuid, kind text, at timestamptz, began_at timestamptz, message_id uuid,
        phone_number_id uuid, team_id uuid, actor_kind text, actor_id uuid, seconds bigint, open_seconds bigint,
        is_met boolean, score text)
    on conflict do nothing
""")


def quarter_of(moment: dt.datetime) -> dt.datetime:
    return moment - (moment - EPOCH) % QUARTER


def recount_quarters(quarters: Iterable[dt.datetime]) -> list[dt.datetime]:
    """Counts the messages of these quarters of an hour again. Returns those in which some are still on their way."""
    spans = [{"start": first.isoformat(), "end": end.isoformat()} for first, end in spans_of(quarters)]
    if not spans:
        return []
    parameters: dict[str, Any] = {"tenant": current_tenant_id(), "rows": json.dumps(spans), "within": REPLIED_WITHIN}
    counted = [dict(row) for row in db.session.execute(COUNT, parameters).mappings()]
    for id, row in zip(uuid7s(len(counted)), counted, strict=True):
        row["id"] = id
    db.session.execute(FORGET_COUNTS, {"tenant": current_tenant_id(), "rows": json.dumps(spans)})
    if counted:
        rows = json.dumps(counted, default=as_text)
        db.session.execute(WRITE_COUNTS, {"tenant": current_tenant_id(), "rows": rows})
    return sorted({row["quarter"] for row in counted if row["underway"]})


def spans_of(quarters: Iterable[dt.datetime]) -> Iterator[tuple[dt.datetime, dt.datetime]]:
    """Quarters that follow one another, as one span each."""
    ordered = sorted(set(quarters))
    for _, group in itertools.groupby(enumerate(ordered), key=lambda pair: pair[1] - pair[0] * QUARTER):
        members = [quarter for _, quarter in group]
        yield members[0], members[-1] + QUARTER


# How many messages were written in these spans, by quarter, number, sender and template, and how far did they come?
# Index ix_messages_occurred; whether the customer wrote afterwards, by ix_messages_thread. One that failed after Meta
# had taken it was accepted.
COUNT = made_of("""
    select date_bin('15 minutes', m.occurred_at, '2000-01-01 00:00+00') as quarter, m.phone_number_id,
        «sender» as sender, case when «sender» = 'agent' then m.author_id end as author_id, m.template_id,
        count(*) as messages,
        count(*) filter (where m.direction = 'outbound' and (m.wamid is not null or m.state in ('accepted', 'sent',
            'delivered', 'read', 'played'))) as accepted,
        count(*) filter (where m.state in ('sent', 'delivered', 'read', 'played')) as sent,
        count(*) filter (where m.state in ('delivered', 'read', 'played')) as delivered,
        count(*) filter (where m.state in ('read', 'played')) as read,
        count(*) filter (where m.direction = 'outbound' and m.state not in «lost» and exists (
            select from messages i where i.tenant_id = :tenant and i.conversation_id = m.conversation_id
              and i.direction = 'inbound' and i.type <> 'system' and (i.content ? 'history') is not true
              and i.occurred_at > m.occurred_at and i.occurred_at < m.occurred_at + cast(:within as interval)
        )) as replied,
        count(*) filter (where m.state in «lost») as failed,
        count(*) filter (where m.state in ('queued', 'dispatching', 'unknown')) as unsettled,
        count(*) filter (where m.state in ('queued', 'dispatching')) as underway
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(start timestamptz, "end" timestamptz)
    join messages m on m.tenant_id = :tenant and m.occurred_at >= r.start and m.occurred_at < r."end"
    where m.type <> 'call' and «counted»
    group by 1, 2, 3, 4, 5
""")
FORGET_COUNTS = text("""
    delete from report_message_counts c
    using jsonb_to_recordset(cast(:rows as jsonb)) as r(start timestamptz, "end" timestamptz)
    where c.tenant_id = :tenant and c.quarter >= r.start and c.quarter < r."end"
""")
# Stores counts in place of those that FORGET_COUNTS removed; reads no index. A null `author_id`: no agent wrote them; a
# null `template_id`: they are no templates.
WRITE_COUNTS = text("""
    insert into report_message_counts (tenant_id, id, quarter, phone_number_id, sender, author_id, template_id,
                                       messages, accepted, sent, delivered, read, replied, failed, unsettled)
    select :tenant, id, quarter, phone_number_id, sender, author_id, template_id, messages, accepted, sent, delivered,
           read, replied, failed, unsettled
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(
        id uuid, quarter timestamptz, phone_number_id uuid, sender text, author_id uuid, template_id uuid,
        messages bigint, accepted bigint, sent bigint, delivered bigint, read bigint, replied bigint, failed bigint,
        unsettled bigint)
    on conflict do nothing
""")
