"""Reports for programs: the figures of the pages, in seconds."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from app.api import Shape, current_key, endpoint, scope
from app.hours.models import ServicePolicy
from app.inbox.api import reach
from app.templating import translate
from app.tenancy import db
from app.words import N_

from .figures import Agent, Figure, Funnel, Ratings, Report, Timing
from .names import Names
from .periods import MOST_DAYS, Period

READ = scope("reports:read", N_("Read reports"))
TAG = "Reports"
FIRST, LAST = dt.date(2009, 1, 1), dt.date(2199, 12, 31)
Day = Annotated[dt.date, Field(ge=FIRST, le=LAST)]


class ReportQuery(Shape):
    """Days in the time zone of the business. Without `from`, the last 7 days."""

    first: Day | None = Field(None, alias="from", description="The first day.")
    last: Day | None = Field(None, alias="to", description="The last day: else today. At most 366 days.")

    @model_validator(mode="after")
    def check_days(self) -> Self:
        if self.first and self.last and not dt.timedelta() <= self.last - self.first < dt.timedelta(days=MOST_DAYS):
            raise ValueError(f"Give at most {MOST_DAYS} days, the first one first.")
        return self

    @property
    def report(self) -> Report:
        given = {"from": self.first, "to": self.last}
        period = Period.read({name: str(day) for name, day in given.items() if day}, ServicePolicy.current().hours.zone)
        key, numbers = current_key(), None
        if key.kind == "team":
            numbers = tuple(db.session.scalars(reach.number_ids()))
        return Report(period, numbers=numbers)


class PeriodShape(Shape):
    """`to` is included."""

    first: dt.date = Field(alias="from")
    last: dt.date = Field(alias="to")
    time_zone: str

    @classmethod
    def of(cls, period: Period) -> Self:
        days = {"from": period.first, "to": period.last}
        return cls.model_validate(days | {"time_zone": period.zone.key})


class TimingShape(Shape):
    """Seconds by the clock, and within business hours. Null without any."""

    median: int | None
    p90: int | None
    open_median: int | None
    open_p90: int | None

    @classmethod
    def of(cls, timing: Timing) -> Self:
        return cls(median=timing.median, p90=timing.p90, open_median=timing.open_median, open_p90=timing.open_p90)


class DurationShape(Shape):
    count: int
    timing: TimingShape

    @classmethod
    def of(cls, figure: Figure) -> Self:
        return cls(count=figure.count, timing=TimingShape.of(figure.timing))


class DayShape(Shape):
    day: dt.date
    received: int
    sent: int


class HourShape(Shape):
    """`weekday` is 0 for Monday."""

    weekday: int
    hour: int
    received: int


class AnswerShape(Shape):
    by: Literal["people", "api", "automation", "assistant", "campaigns", "system"]
    count: int
    timing: TimingShape


class TargetsShape(Shape):
    """Target response times that came in these days."""

    count: int
    missed: int


class OverviewShape(Shape):
    period: PeriodShape
    received: int
    sent: int
    opened: int
    reopened: int
    resolved: int
    stayed_resolved: int = Field(description="Not reopened within 24 hours.")
    first_response: DurationShape
    next_response: DurationShape
    resolution: DurationShape
    targets: TargetsShape
    replied_first: list[AnswerShape]
    days: list[DayShape]
    hours: list[HourShape] = Field(description="Messages received by hour of the week; hours without any are left out.")


class AgentShape(Shape):
    user_id: uuid.UUID
    name: str
    conversations: int
    replies: int
    resolved: int
    first_response: DurationShape
    next_response: DurationShape
    responsible_seconds: int
    good: int
    fair: int
    bad: int

    @classmethod
    def of(cls, agent: Agent, names: Names) -> Self:
        return cls(
            user_id=agent.id,
            name=names.member(agent.id),
            conversations=agent.conversations,
            replies=agent.replies,
            resolved=agent.fact("resolved").count,
            first_response=DurationShape.of(agent.fact("first_response")),
            next_response=DurationShape.of(agent.fact("next_response")),
            responsible_seconds=agent.seconds["responsible"],
            **scores_of(agent.ratings),
        )


class AgentsShape(Shape):
    period: PeriodShape
    data: list[AgentShape]


class RatingsShape(Shape):
    good: int
    fair: int
    bad: int


class RatedDayShape(RatingsShape):
    day: dt.date


class SurveysShape(Shape):
    period: PeriodShape
    total: RatingsShape
    days: list[RatedDayShape] = Field(description="Days without a rating are left out.")


class FunnelShape(Shape):
    """`failed` and `unsettled` are not among those that were delivered."""

    messages: int
    accepted: int
    sent: int
    delivered: int
    read: int
    replied: int
    failed: int
    unsettled: int

    @classmethod
    def of(cls, funnel: Funnel) -> Self:
        return cls(**funnel.counts)


class TemplateFunnelShape(FunnelShape):
    template_id: uuid.UUID
    name: str


class FailureShape(Shape):
    state: Literal["failed", "unknown", "expired"]
    code: int | None = Field(description="Meta's code, where there is one.")
    title: str
    fix: str
    count: int


class DeliveryShape(Shape):
    period: PeriodShape
    total: FunnelShape
    templates: list[TemplateFunnelShape]
    failures: list[FailureShape]


def scores_of(ratings: Ratings) -> dict[str, int]:
    return {score: ratings.scores.get(score, 0) for score in ("good", "fair", "bad")}


@endpoint("GET", "/reports/overview", scope=READ, query=ReportQuery, gives=OverviewShape, tag=TAG)
def get_overview_report(query: ReportQuery) -> OverviewShape:
    """Get the overview.

    Messages, conversations, response times and target times of some days. Figures are up to a minute old.
    """
    report = query.report
    promise = report.fact("promise")
    return OverviewShape(
        period=PeriodShape.of(report.period),
        received=report.received(),
        sent=report.outbound(),
        opened=report.fact("opened").count,
        reopened=report.fact("reopened").count,
        resolved=report.fact("resolved").count,
        stayed_resolved=report.fact("resolved").met,
        first_response=DurationShape.of(report.fact("first_response")),
        next_response=DurationShape.of(report.fact("next_response")),
        resolution=DurationShape.of(report.fact("resolved")),
        targets=TargetsShape(count=promise.count, missed=promise.missed),
        replied_first=[
            AnswerShape(by=name, count=figure.count, timing=TimingShape.of(figure.timing))  # type: ignore[arg-type]
            for name, figure in report.answers.items()
        ],
        days=[DayShape(day=day, received=counts["in"], sent=counts["out"]) for day, counts in report.days.items()],
        hours=[
            HourShape(weekday=weekday, hour=hour, received=count)
            for (weekday, hour), count in sorted(report.hours.items())
        ],
    )


@endpoint("GET", "/reports/agents", scope=READ, query=ReportQuery, gives=AgentsShape, tag=TAG)
def get_agents_report(query: ReportQuery) -> AgentsShape:
    """Get the figures of team members.

    Everyone who did something in these days, those with most replies first.
    """
    report, names = query.report, Names()
    return AgentsShape(
        period=PeriodShape.of(report.period), data=[AgentShape.of(agent, names) for agent in report.agents]
    )


@endpoint("GET", "/reports/surveys", scope=READ, query=ReportQuery, gives=SurveysShape, tag=TAG)
def get_surveys_report(query: ReportQuery) -> SurveysShape:
    """Get the ratings of the survey.

    By the day on which they were given.
    """
    report = query.report
    days = [row for row in report.ratings("day") if row.is_now]
    total = {score: sum(row.scores[score] for row in days) for score in ("good", "fair", "bad")}
    return SurveysShape(
        period=PeriodShape.of(report.period),
        total=RatingsShape(**total),
        days=[RatedDayShape(day=dt.date.fromisoformat(row.key), **scores_of(row)) for row in days],
    )


@endpoint("GET", "/reports/delivery", scope=READ, query=ReportQuery, gives=DeliveryShape, tag=TAG)
def get_delivery_report(query: ReportQuery) -> DeliveryShape:
    """Get how far messages came.

    All of them, each template, and why messages were not delivered, in the language of Accept-Language.
    """
    report, names = query.report, Names()
    return DeliveryShape(
        period=PeriodShape.of(report.period),
        total=FunnelShape.of(report.funnel),
        templates=[
            TemplateFunnelShape(template_id=uuid.UUID(one.key), name=names.of("template", one.key), **one.counts)
            for one in report.templates
        ],
        failures=[
            FailureShape(
                state=row.state,
                code=int(row.code) if row.code and row.code.isdigit() else None,
                title=translate(row.title),
                fix=translate(row.fix),
                count=row.counted,
            )
            for row in report.failures
        ],
    )
