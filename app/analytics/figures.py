"""The figures of a report: counts of messages, and facts of conversations, for everyone or for one agent.

Durations are medians and 90th percentiles of what was measured in each conversation, not of averages.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from app.tenancy import current_tenant_id, db

from .models import SCORES
from .periods import Period
from .statements import made_of

TIMED = ("first_response", "next_response", "resolved")
COUNTS = ("messages", "accepted", "sent", "delivered", "read", "replied", "failed", "unsettled")
# Who sent a message, or replied, as reports group them.
WHO = {
    "people": ("agent", "phone"),
    "api": ("api",),
    "automation": ("automation", "sequence"),
    "assistant": ("assistant",),
    "campaigns": ("campaign",),
    "system": ("system",),
}
MOST_ROWS, KINDS_OF_A_ROW = 200, 6


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds: the median and the 90th percentile, by the clock and within business hours; None without any."""

    median: int | None = None
    p90: int | None = None
    open_median: int | None = None
    open_p90: int | None = None

    @classmethod
    def of(cls, clock: Sequence[int] | None, within: Sequence[int] | None) -> Timing:
        return cls(*(clock or (None, None)), *(within or (None, None)))


@dataclass(frozen=True, slots=True)
class Figure:
    """How many there were, how many of them were in time (or held), and how long they took."""

    count: int = 0
    met: int = 0
    timing: Timing = field(default_factory=Timing)

    @property
    def missed(self) -> int:
        return self.count - self.met


@dataclass(frozen=True)
class Report:
    """`who`: only what this agent did. `numbers`: only what happened on these."""

    period: Period
    who: uuid.UUID | None = None
    numbers: tuple[uuid.UUID, ...] | None = None

    @property
    def values(self) -> dict[str, Any]:
        period, numbers = self.period, self.numbers
        return {
            "tenant": current_tenant_id(),
            "start": period.start,
            "end": period.end,
            "before_start": period.before_start,
            "before_end": period.before_end,
            "now": period.now,
            "zone": period.zone.key,
            "who": self.who,
            "numbers": None if numbers is None else [str(id) for id in numbers],
        }

    @cached_property
    def facts(self) -> dict[tuple[str, bool], Figure]:
        """By kind, and whether it is of the period or of the one before: of that the median by the clock only."""
        found = {
            (row.kind, True): Figure(row.counted, row.met, Timing.of(row.clock, row.within))
            for row in db.session.execute(FACTS, self.values)
        }
        for row in db.session.execute(FACTS_BEFORE, self.values):
            found[row.kind, False] = Figure(row.counted, row.met, Timing(row.median))
        return found

    def fact(self, kind: str) -> Figure:
        return self.facts.get((kind, True), Figure())

    def fact_before(self, kind: str) -> Figure:
        return self.facts.get((kind, False), Figure())

    @cached_property
    def messages(self) -> dict[tuple[str, bool], dict[str, int]]:
        """Counts by sender, and whether they are of the period or of the one before."""
        rows = db.session.execute(MESSAGES, self.values)
        return {(row.sender, row.is_now): {name: int(getattr(row, name)) for name in COUNTS} for row in rows}

    def received(self, *, is_now: bool = True) -> int:
        return self.messages.get(("customer", is_now), {}).get("messages", 0)

    def outbound(self, name: str = "accepted", *, is_now: bool = True) -> int:
        """The sum of one of COUNTS over what the business sent."""
        return sum(
            counts[name] for (sender, when), counts in self.messages.items() if sender != "customer" and when == is_now
        )

    def sent_by(self, group: str, *, is_now: bool = True) -> int:
        return sum(self.messages.get((sender, is_now), {}).get("accepted", 0) for sender in WHO[group])

    @cached_property
    def days(self) -> dict[dt.date, dict[str, int]]:
        """What was received and sent on each day of the period."""
        days = {date: {"in": 0, "out": 0} for date in self.period.dates}
        for row in db.session.execute(DAYS, self.values):
            days[row.day] = {"in": int(row.received), "out": int(row.sent)}
        return days

    @cached_property
    def hours(self) -> dict[tuple[int, int], int]:
        """What customers wrote by weekday (Monday is 0) and hour."""
        return {(row.weekday, row.hour): int(row.received) for row in db.session.execute(HOURS, self.values)}

    @cached_property
    def answers(self) -> dict[str, Figure]:
        """Who replied first to customers who waited, by WHO."""
        found: dict[str, Figure] = {}
        kinds = [kind for kinds in WHO.values() for kind in kinds]
        groups = [group for group, members in WHO.items() for _ in members]
        for row in db.session.execute(ANSWERS, self.values | {"kinds": kinds, "groups": groups}):
            found[row.name] = Figure(row.counted, 0, Timing.of(row.clock, row.within))
        return {name: found[name] for name in WHO if name in found}

    def by(self, dimension: str) -> list[Row]:
        """By number, team, agent, tag, entry point or subject; those with most first. Times are of first responses."""
        rows: dict[str, Row] = {}
        parameters = self.values | {"by": dimension, "most": MOST_ROWS * KINDS_OF_A_ROW}
        counts, times = BY.get(dimension, (BY_ITS_OWN, TIMES_BY_ITS_OWN))
        for found in db.session.execute(counts, parameters):
            row = rows.setdefault(found.key, Row(found.key, found.title or ""))
            row.figures[found.kind] = Figure(found.counted, found.met)
        for found in db.session.execute(times, parameters):
            if found.key in rows:
                timing = Timing.of(found.clock, found.within)
                rows[found.key].figures["first_response"] = Figure(found.counted, found.met, timing)
        return sorted(rows.values(), key=lambda row: (-row.total, row.key))[:MOST_ROWS]

    @cached_property
    def agents(self) -> list[Agent]:
        """Everyone who did something in the period, by what they replied."""
        agents: dict[uuid.UUID, Agent] = {}
        for row in db.session.execute(AGENT_FACTS, self.values):
            agent = agents.setdefault(row.actor_id, Agent(row.actor_id))
            agent.figures[row.kind] = Figure(row.counted, row.met, Timing.of(row.clock, row.within))
            agent.seconds[row.kind] = int(row.seconds or 0)
            agent.scores |= {score: getattr(row, score) for score in SCORES} if row.kind == "survey" else {}
        for row in db.session.execute(ANSWERED, self.values):
            agents.setdefault(row.actor_id, Agent(row.actor_id)).conversations = row.counted
        for row in db.session.execute(REPLIES, self.values):
            agents.setdefault(row.author_id, Agent(row.author_id)).replies = int(row.accepted)
        return sorted(agents.values(), key=lambda agent: (-agent.replies, str(agent.id)))

    def ratings(self, by: str) -> list[Ratings]:
        """By `day`, `agent`, `team` or `all`."""
        rows = db.session.execute(RATINGS, self.values | {"by": by, "most": MOST_DAYS})
        return [Ratings(row.key, row.is_now, {score: getattr(row, score) for score in SCORES}) for row in rows]

    @property
    def templates(self) -> list[Funnel]:
        rows = db.session.execute(TEMPLATES, self.values | {"most": MOST_ROWS})
        return [Funnel(row.key, {name: int(getattr(row, name)) for name in COUNTS}) for row in rows]

    @property
    def funnel(self) -> Funnel:
        return Funnel("", {name: self.outbound(name) for name in COUNTS})

    @property
    def failures(self) -> list[Any]:
        """Why messages were not delivered, the most frequent reason first."""
        return list(db.session.execute(FAILURES, self.values | {"most": 20}))


MOST_DAYS = 400


@dataclass(slots=True)
class Row:
    """The facts of one number, team …, by kind."""

    key: str
    title: str
    figures: dict[str, Figure] = field(default_factory=dict)

    def fact(self, kind: str) -> Figure:
        return self.figures.get(kind, Figure())

    @property
    def total(self) -> int:
        return sum(self.fact(kind).count for kind in ("opened", "reopened", "first_response", "next_response"))


@dataclass(slots=True)
class Agent:
    id: uuid.UUID
    replies: int = 0
    conversations: int = 0
    figures: dict[str, Figure] = field(default_factory=dict)
    seconds: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    scores: dict[str, int] = field(default_factory=dict)

    def fact(self, kind: str) -> Figure:
        return self.figures.get(kind, Figure())

    @property
    def ratings(self) -> Ratings:
        return Ratings(str(self.id), True, self.scores)


@dataclass(frozen=True, slots=True)
class Ratings:
    """How customers rated a day, an agent, a team, or all."""

    key: str
    is_now: bool
    scores: Mapping[str, int]

    @property
    def total(self) -> int:
        return sum(self.scores.values())

    @property
    def percent(self) -> int | None:
        """How many of 100 were good; None without any rating."""
        return round(100 * self.scores.get("good", 0) / self.total) if self.total else None


@dataclass(frozen=True, slots=True)
class Funnel:
    """How far messages came, of all or of one template."""

    key: str
    counts: Mapping[str, int]

    def percent(self, name: str) -> int | None:
        """Of those that Meta accepted."""
        return round(100 * self.counts[name] / self.counts["accepted"]) if self.counts["accepted"] else None


# All facts by index ix_report_facts_kind, which holds what is read.
FACTS = made_of("""
    select f.kind, «figure»
    from report_facts f
    where f.kind in ('opened', 'reopened', 'resolved', 'first_response', 'next_response', 'promise')
      and f.tenant_id = :tenant and f.at >= :start and f.at < :end and «mine»
    group by 1
""")
FACTS_BEFORE = made_of("""
    select f.kind, «counts», percentile_disc(0.5) within group (order by f.seconds) as median
    from report_facts f
    where f.kind in ('opened', 'reopened', 'resolved', 'first_response', 'next_response', 'promise')
      and f.tenant_id = :tenant and f.at >= :before_start and f.at < :before_end and «mine»
    group by 1
""")
ANSWERS = made_of("""
    select w.name, «figure»
    from report_facts f
    join unnest(cast(:kinds as text[]), cast(:groups as text[])) as w(kind, name) on w.kind = f.actor_kind
    where f.kind = 'answer' and f.tenant_id = :tenant and f.at >= :start and f.at < :end and «mine»
    group by 1
""")
AGENT_FACTS = made_of("""
    select f.actor_id, f.kind, «figure», sum(f.seconds) as seconds, «scored»
    from report_facts f
    where f.kind in ('first_response', 'next_response', 'resolved', 'survey', 'responsible')
      and f.actor_kind = 'agent' and f.actor_id is not null and f.tenant_id = :tenant
      and f.at >= :start and f.at < :end and «mine»
    group by 1, 2
""")
# In how many conversations did each agent reply to a customer who waited?
ANSWERED = made_of("""
    select f.actor_id, count(distinct f.conversation_id) as counted
    from report_facts f
    where f.kind in ('first_response', 'next_response') and f.actor_kind = 'agent' and f.actor_id is not null
      and f.tenant_id = :tenant and f.at >= :start and f.at < :end and «mine»
    group by 1
""")
RATINGS = made_of("""
    select case :by when 'day' then to_char(f.at at time zone :zone, 'YYYY-MM-DD') when 'agent' then
            case when f.actor_kind = 'agent' then f.actor_id::text else '' end
            when 'team' then coalesce(f.team_id::text, '') else '' end as key, f.at >= :start as is_now, «scored»
    from report_facts f
    where f.kind = 'survey' and f.tenant_id = :tenant and f.at >= :before_start and f.at < :end
      and (f.at < :before_end or f.at >= :start) and «mine»
    group by 1, 2 order by 2 desc, 1 limit :most
""")
# What happened in the period, by one thing and kind, and how soon were first responses? What a conversation has is what
# it has now.
BY_ITS_OWN = made_of("""
    select case :by when 'number' then f.phone_number_id::text when 'team' then coalesce(f.team_id::text, '') else
            case when f.actor_kind = 'agent' then f.actor_id::text else '' end end as key, null as title, f.kind,
        «counts»
    from report_facts f
    where f.kind in ('opened', 'reopened', 'resolved', 'first_response', 'next_response', 'promise')
      and f.tenant_id = :tenant and f.at >= :start and f.at < :end and «mine»
    group by 1, f.kind order by count(*) desc limit :most
""")
TIMES_BY_ITS_OWN = made_of("""
    select case :by when 'number' then f.phone_number_id::text when 'team' then coalesce(f.team_id::text, '') else
            case when f.actor_kind = 'agent' then f.actor_id::text else '' end end as key,
        «figure»
    from report_facts f
    where f.kind = 'first_response'
      and f.tenant_id = :tenant and f.at >= :start and f.at < :end and «mine»
    group by 1 order by count(*) desc limit :most
""")
BY_TAG = made_of("""
    select t.tag_id::text as key, null as title, f.kind, «counts»
    from report_facts f join conversations c on c.tenant_id = :tenant and c.id = f.conversation_id
    join contact_tags t on t.tenant_id = :tenant and t.contact_id = c.contact_id
    where f.kind in ('opened', 'reopened', 'resolved', 'first_response', 'next_response', 'promise')
      and f.tenant_id = :tenant and f.at >= :start and f.at < :end and «mine»
    group by 1, f.kind order by count(*) desc limit :most
""")
TIMES_BY_TAG = made_of("""
    select t.tag_id::text as key, «figure»
    from report_facts f join conversations c on c.tenant_id = :tenant and c.id = f.conversation_id
    join contact_tags t on t.tenant_id = :tenant and t.contact_id = c.contact_id
    where f.kind = 'first_response'
      and f.tenant_id = :tenant and f.at >= :start and f.at < :end and «mine»
    group by 1 order by count(*) desc limit :most
""")
# The same by entry point or subject, as the conversation has it (by its primary key). One without it is left out.
BY_ORIGIN = made_of("""
    select case :by when 'entry_point' then c.entry_point_id::text
            else jsonb_build_array(c.subject_type, c.subject_external_id)::text end as key,
        max(c.subject ->> 'title') as title, f.kind, «counts»
    from report_facts f join conversations c on c.tenant_id = :tenant and c.id = f.conversation_id
    where f.kind in ('opened', 'reopened', 'resolved', 'first_response', 'next_response', 'promise')
      and f.tenant_id = :tenant and f.at >= :start and f.at < :end and «mine»
      and case :by when 'entry_point' then c.entry_point_id is not null
          else c.subject_type is not null and c.subject_external_id is not null end
    group by 1, f.kind order by count(*) desc limit :most
""")
# And how soon first responses were there.
TIMES_BY_ORIGIN = made_of("""
    select case :by when 'entry_point' then c.entry_point_id::text
            else jsonb_build_array(c.subject_type, c.subject_external_id)::text end as key,
        «figure»
    from report_facts f join conversations c on c.tenant_id = :tenant and c.id = f.conversation_id
    where f.kind = 'first_response'
      and f.tenant_id = :tenant and f.at >= :start and f.at < :end and «mine»
      and case :by when 'entry_point' then c.entry_point_id is not null
          else c.subject_type is not null and c.subject_external_id is not null end
    group by 1 order by count(*) desc limit :most
""")
BY = {
    "tag": (BY_TAG, TIMES_BY_TAG),
    "entry_point": (BY_ORIGIN, TIMES_BY_ORIGIN),
    "subject": (BY_ORIGIN, TIMES_BY_ORIGIN),
}
# Counts of messages by index ix_report_message_counts_quarter.
MESSAGES = made_of("""
    select m.sender, m.quarter >= :start as is_now, «sums»
    from report_message_counts m
    where m.tenant_id = :tenant and m.quarter >= :before_start and m.quarter < :end
      and (m.quarter < :before_end or m.quarter >= :start) and «of_who»
    group by 1, 2
""")
# How many messages came and went on each day of the zone? Same index.
DAYS = made_of("""
    select (m.quarter at time zone :zone)::date as day,
        coalesce(sum(m.messages) filter (where m.sender = 'customer'), 0) as received,
        coalesce(sum(m.accepted) filter (where m.sender <> 'customer'), 0) as sent
    from report_message_counts m
    where m.tenant_id = :tenant and m.quarter >= :start and m.quarter < :end and «of_who»
    group by 1
""")
# On which weekdays and at which hours of the zone did customers write? Same index.
HOURS = made_of("""
    select extract(isodow from h.hour)::int - 1 as weekday, extract(hour from h.hour)::int as hour,
        sum(h.messages) as received
    from (
        select m.quarter at time zone :zone as hour, m.messages from report_message_counts m
        where m.sender = 'customer' and m.tenant_id = :tenant and m.quarter >= :start and m.quarter < :end
          and «of_who»
    ) h
    group by 1, 2
""")
REPLIES = made_of("""
    select m.author_id, sum(m.accepted) as accepted
    from report_message_counts m
    where m.author_id is not null and m.tenant_id = :tenant and m.quarter >= :start and m.quarter < :end and «of_who»
    group by 1
""")
TEMPLATES = made_of("""
    select m.template_id::text as key, «sums»
    from report_message_counts m
    where m.template_id is not null and m.tenant_id = :tenant and m.quarter >= :start and m.quarter < :end
      and «of_who»
    group by 1 order by sum(m.accepted) desc, 1 limit :most
""")
# Which errors did messages of the period end with? By ix_messages_occurred.
FAILURES = made_of("""
    select m.error ->> 'code' as code, m.state, max(m.error ->> 'title') as title, max(m.error ->> 'fix') as fix,
        count(*) as counted
    from messages m
    where m.tenant_id = :tenant and m.state in ('failed', 'unknown', 'expired') and m.direction = 'outbound'
      and m.occurred_at >= :start and m.occurred_at < :end and «counted» and «of_who»
    group by 1, 2 order by count(*) desc, 1 limit :most
""")
