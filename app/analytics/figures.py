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

from sqlalchemy import text

from app.tenancy import current_tenant_id, db

from .models import SCORES
from .periods import Period

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
MOST_ROWS = 200


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
        """By kind, and whether it is of the period or of the one before."""
        rows = db.session.execute(FACTS, self.values)
        return {
            (row.kind, row.is_now): Figure(row.count, row.met, Timing.of(row.clock, row.within)) for row in rows
        }

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
            found[row.name] = Figure(row.count, 0, Timing.of(row.clock, row.within))
        return {name: found[name] for name in WHO if name in found}

    def by(self, dimension: str) -> list[Row]:
        """By number, team, agent, tag, entry point or subject; those with most first."""
        rows: dict[str, Row] = {}
        for found in db.session.execute(BY[dimension], self.values | {"most": MOST_ROWS}):
            row = rows.setdefault(found.key, Row(found.key, found.title or ""))
            row.figures[found.kind] = Figure(found.count, found.met, Timing.of(found.clock, found.within))
        return sorted(rows.values(), key=lambda row: (-row.total, row.key))[:MOST_ROWS]

    @cached_property
    def agents(self) -> list[Agent]:
        """Everyone who did something in the period, by what they replied."""
        agents: dict[uuid.UUID, Agent] = {}
        for row in db.session.execute(AGENT_FACTS, self.values):
            agent = agents.setdefault(row.actor_id, Agent(row.actor_id))
            agent.figures[row.kind] = Figure(row.count, row.met, Timing.of(row.clock, row.within))
            agent.seconds[row.kind] = int(row.seconds or 0)
            agent.scores |= {score: getattr(row, score) for score in SCORES} if row.kind == "survey" else {}
        for row in db.session.execute(ANSWERED, self.values):
            agents.setdefault(row.actor_id, Agent(row.actor_id)).conversations = row.count
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
        return [Funnel(row.key, row.title or "", {name: int(getattr(row, name)) for name in COUNTS}) for row in rows]

    @property
    def funnel(self) -> Funnel:
        return Funnel("", "", {name: self.outbound(name) for name in COUNTS})

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
    title: str
    counts: Mapping[str, int]

    def percent(self, name: str) -> int | None:
        """Of those that Meta accepted."""
        return round(100 * self.counts[name] / self.counts["accepted"]) if self.counts["accepted"] else None


# A fact of the period or of the one before, of the agent and the numbers in question, that has come: target times may
# be in the future. A null :who is everyone, null :numbers are all.
MINE = """(cast(:who as uuid) is null or f.actor_kind = 'agent' and f.actor_id = :who)
      and (cast(:numbers as uuid[]) is null or f.phone_number_id = any(cast(:numbers as uuid[])))"""
IN_PERIOD = f"f.tenant_id = :tenant and f.at >= :start and f.at < :end and f.at <= :now and {MINE}"
IN_BOTH = f"""f.tenant_id = :tenant and f.at >= :before_start and f.at < :end and f.at <= :now
      and (f.at < :before_end or f.at >= :start) and {MINE}"""
TIMES = """percentile_disc(array[0.5, 0.9]) within group (order by f.seconds) as clock,
        percentile_disc(array[0.5, 0.9]) within group (order by f.open_seconds) as within"""
COUNTED = f"count(*) as count, count(*) filter (where f.is_met) as met, {TIMES}"
OVERVIEW = "('opened', 'reopened', 'resolved', 'first_response', 'next_response', 'promise')"
# All facts by index ix_report_facts_kind, which holds what is read.
FACTS = text(f"""
    select f.kind, f.at >= :start as is_now, {COUNTED}
    from report_facts f
    where f.kind in {OVERVIEW} and {IN_BOTH}
    group by 1, 2
""")
ANSWERS = text(f"""
    select w.name, {COUNTED}
    from report_facts f
    join unnest(cast(:kinds as text[]), cast(:groups as text[])) as w(kind, name) on w.kind = f.actor_kind
    where f.kind = 'answer' and {IN_PERIOD}
    group by 1
""")
AGENT_FACTS = text(f"""
    select f.actor_id, f.kind, {COUNTED}, sum(f.seconds) as seconds,
        count(*) filter (where f.score = 'bad') as bad, count(*) filter (where f.score = 'fair') as fair,
        count(*) filter (where f.score = 'good') as good
    from report_facts f
    where f.kind in ('first_response', 'next_response', 'resolved', 'survey', 'responsible')
      and f.actor_kind = 'agent' and f.actor_id is not null and {IN_PERIOD}
    group by 1, 2
""")
# In how many conversations did each agent reply to a customer who waited?
ANSWERED = text(f"""
    select f.actor_id, count(distinct f.conversation_id) as count
    from report_facts f
    where f.kind in ('first_response', 'next_response') and f.actor_kind = 'agent' and f.actor_id is not null
      and {IN_PERIOD}
    group by 1
""")
RATINGS = text(f"""
    select case :by when 'day' then to_char(f.at at time zone :zone, 'YYYY-MM-DD') when 'agent' then
            case when f.actor_kind = 'agent' then f.actor_id::text else '' end
            when 'team' then coalesce(f.team_id::text, '') else '' end as key, f.at >= :start as is_now,
        count(*) filter (where f.score = 'bad') as bad, count(*) filter (where f.score = 'fair') as fair,
        count(*) filter (where f.score = 'good') as good
    from report_facts f
    where f.kind = 'survey' and {IN_BOTH}
    group by 1, 2 order by 1, 2 desc limit :most
""")

COLUMNS = {
    "number": "f.phone_number_id::text as key, null as title",
    "team": "coalesce(f.team_id::text, '') as key, null as title",
    "agent": "case when f.actor_kind = 'agent' then f.actor_id::text else '' end as key, null as title",
    "tag": "t.tag_id::text as key, null as title",
    "entry_point": "c.entry_point_id::text as key, null as title",
    "subject": """jsonb_build_array(c.subject_type, c.subject_external_id)::text as key,
        max(c.subject ->> 'title') as title""",
}
CONVERSATION = "join conversations c on c.tenant_id = :tenant and c.id = f.conversation_id"
JOINS = {
    "tag": f"{CONVERSATION} join contact_tags t on t.tenant_id = :tenant and t.contact_id = c.contact_id",
    "entry_point": f"{CONVERSATION} and c.entry_point_id is not null",
    "subject": f"{CONVERSATION} and c.subject_type is not null and c.subject_external_id is not null",
}
# What happened in the period, by one of COLUMNS and kind?
BY = {
    name: text(f"""
        select {columns}, f.kind, {COUNTED}
        from report_facts f {JOINS.get(name, "")}
        where f.kind in {OVERVIEW} and {IN_PERIOD}
        group by 1, f.kind order by count(*) desc limit :most * 6
    """)
    for name, columns in COLUMNS.items()
}

OF_WHO = """(cast(:who as uuid) is null or m.author_id = :who)
      and (cast(:numbers as uuid[]) is null or m.phone_number_id = any(cast(:numbers as uuid[])))"""
COUNTS_IN_PERIOD = f"m.tenant_id = :tenant and m.quarter >= :start and m.quarter < :end and {OF_WHO}"
SUMS = ", ".join(f"sum(m.{name}) as {name}" for name in COUNTS)
# Counts of messages by index ix_report_message_counts_quarter.
MESSAGES = text(f"""
    select m.sender, m.quarter >= :start as is_now, {SUMS}
    from report_message_counts m
    where m.tenant_id = :tenant and m.quarter >= :before_start and m.quarter < :end
      and (m.quarter < :before_end or m.quarter >= :start) and {OF_WHO}
    group by 1, 2
""")
DAYS = text(f"""
    select (m.quarter at time zone :zone)::date as day,
        coalesce(sum(m.messages) filter (where m.sender = 'customer'), 0) as received,
        coalesce(sum(m.accepted) filter (where m.sender <> 'customer'), 0) as sent
    from report_message_counts m
    where {COUNTS_IN_PERIOD}
    group by 1
""")
HOURS = text(f"""
    select extract(isodow from h.hour)::int - 1 as weekday, extract(hour from h.hour)::int as hour,
        sum(h.messages) as received
    from (
        select m.quarter at time zone :zone as hour, m.messages from report_message_counts m
        where m.sender = 'customer' and {COUNTS_IN_PERIOD}
    ) h
    group by 1, 2
""")
REPLIES = text(f"""
    select m.author_id, sum(m.accepted) as accepted
    from report_message_counts m
    where m.author_id is not null and {COUNTS_IN_PERIOD}
    group by 1
""")
TEMPLATES = text(f"""
    select m.template_id::text as key, null as title, {SUMS}
    from report_message_counts m
    where m.template_id is not null and {COUNTS_IN_PERIOD}
    group by 1 order by sum(m.accepted) desc, 1 limit :most
""")
# Which errors did messages of the period end with? By ix_messages_trouble: there are few.
FAILURES = text("""
    select m.error ->> 'code' as code, m.state, max(m.error ->> 'title') as title, max(m.error ->> 'fix') as fix,
        count(*) as count
    from messages m
    where m.tenant_id = :tenant and m.state in ('failed', 'unknown', 'expired') and m.direction = 'outbound'
      and m.occurred_at >= :start and m.occurred_at < :end and m.content ->> 'history' is null
      and (cast(:who as uuid) is null or m.author_id = :who)
      and (cast(:numbers as uuid[]) is null or m.phone_number_id = any(cast(:numbers as uuid[])))
    group by 1, 2 order by count(*) desc, 1 limit :most
""")
