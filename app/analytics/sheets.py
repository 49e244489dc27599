"""The tables of a report as CSV, with seconds instead of words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from flask_babel import gettext as _

from app.spreadsheets import as_csv

from .figures import COUNTS, TIMED, Figure, Report
from .models import SCORES
from .names import Names
from .words import DIMENSIONS, WHO_WORDS

Line = list[str]
SECONDS = ("median_seconds", "p90_seconds", "median_open_seconds", "p90_open_seconds")
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
SHEETS: dict[str, Callable[[Report, Names, str], Iterable[Line]]] = {}


def sheet(make: Callable[[Report, Names, str], Iterable[Line]]) -> Callable[[Report, Names, str], Iterable[Line]]:
    SHEETS[make.__name__] = make
    return make


def csv_of(name: str, report: Report, dimension: str) -> str:
    """Raises `KeyError` for a table that there is not. A spreadsheet calculates nothing of it."""
    return as_csv(SHEETS[name](report, Names(), dimension))


def timing_of(figure: Figure) -> Line:
    timing = figure.timing
    values = (timing.median, timing.p90, timing.open_median, timing.open_p90)
    return ["" if value is None else str(value) for value in values]


@sheet
def days(report: Report, _names: Names, _dimension: str) -> Iterator[Line]:
    yield ["day", "received", "sent"]
    for day, counts in report.days.items():
        yield [day.isoformat(), str(counts["in"]), str(counts["out"])]


@sheet
def hours(report: Report, _names: Names, _dimension: str) -> Iterator[Line]:
    yield ["weekday", *(f"{hour:02}:00" for hour in range(24))]
    for weekday, name in enumerate(WEEKDAYS):
        yield [name, *(str(report.hours.get((weekday, hour), 0)) for hour in range(24))]


@sheet
def times(report: Report, _names: Names, _dimension: str) -> Iterator[Line]:
    yield ["what", "count", *SECONDS]
    for kind in TIMED:
        yield [kind, str(report.fact(kind).count), *timing_of(report.fact(kind))]


@sheet
def answers(report: Report, _names: Names, _dimension: str) -> Iterator[Line]:
    yield ["who", "count", *SECONDS]
    for name, figure in report.answers.items():
        yield [str(_(WHO_WORDS[name])), str(figure.count), *timing_of(figure)]


@sheet
def breakdown(report: Report, names: Names, dimension: str) -> Iterator[Line]:
    dimension = dimension if dimension in DIMENSIONS else "number"
    kinds = ("opened", "reopened", "resolved", "first_response", "next_response")
    yield [dimension, *kinds, "targets", "missed", *(f"first_response_{name}" for name in SECONDS)]
    for row in report.by(dimension):
        counts = [str(row.fact(kind).count) for kind in kinds]
        targets = [str(row.fact("promise").count), str(row.fact("promise").missed)]
        yield [names.of(dimension, row.key, row.title), *counts, *targets, *timing_of(row.fact("first_response"))]


@sheet
def agents(report: Report, names: Names, _dimension: str) -> Iterator[Line]:
    counted = ("conversations", "replies", "resolved", "responsible_seconds")
    yield ["name", *counted, *(f"first_response_{name}" for name in SECONDS), *SCORES]
    for agent in report.agents:
        counts = (agent.conversations, agent.replies, agent.fact("resolved").count, agent.seconds["responsible"])
        scores = [str(agent.scores.get(score, 0)) for score in SCORES]
        yield [names.member(agent.id), *map(str, counts), *timing_of(agent.fact("first_response")), *scores]


@sheet
def surveys(report: Report, names: Names, dimension: str) -> Iterator[Line]:
    by = dimension if dimension in ("day", "agent", "team") else "day"
    yield [by, *SCORES]
    for row in report.ratings(by):
        if row.is_now:
            key = row.key if by == "day" else names.of(by, row.key)
            yield [key, *(str(row.scores[score]) for score in SCORES)]


@sheet
def templates(report: Report, names: Names, _dimension: str) -> Iterator[Line]:
    yield ["template", *COUNTS]
    for funnel in [report.funnel, *report.templates]:
        name = names.of("template", funnel.key) if funnel.key else str(_("All messages"))
        yield [name, *(str(funnel.counts[count]) for count in COUNTS)]


@sheet
def failures(report: Report, _names: Names, _dimension: str) -> Iterator[Line]:
    yield ["state", "code", "reason", "fix", "count"]
    for row in report.failures:
        words = [str(_(text)) if text else "" for text in (row.title, row.fix)]
        yield [row.state, row.code or "", *words, str(row.counted)]
