"""The pages of reports, their tables as CSV, and what each figure counts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from flask import Response, abort, g, render_template, request
from flask_login import current_user

from app import zones
from app.analytics.blueprint import bp
from app.analytics.charts import Chart, shade
from app.analytics.choices import chosen
from app.analytics.comments import latest_ratings
from app.analytics.figures import Agent, Report
from app.analytics.lists import PAGE, FactList, MessageList, id_of
from app.analytics.models import SCORES, ReportProgress, ReportSubscription
from app.analytics.names import Names
from app.analytics.periods import WORDS, Period
from app.analytics.sheets import SHEETS, csv_of
from app.analytics.words import DIMENSIONS, FORMULAS, SCORE_WORDS, TITLES, WHO_WORDS, compared, number, took
from app.spreadsheets import csv_download
from app.tenancy import Paged, db, in_menu, requires
from app.tenancy.guard import open_when_closed
from app.wabas.models import PhoneNumber
from app.words import N_

SORTS: dict[str, Callable[[Names, Agent], Any]] = {
    "name": lambda names, agent: names.member(agent.id).casefold(),
    "conversations": lambda _names, agent: -agent.conversations,
    "replies": lambda _names, agent: -agent.replies,
    "first_response": lambda _names, agent: nothing_last(agent.fact("first_response").timing.median),
    "next_response": lambda _names, agent: nothing_last(agent.fact("next_response").timing.median),
    "resolved": lambda _names, agent: -agent.fact("resolved").count,
    "survey": lambda _names, agent: nothing_last(None if agent.ratings.percent is None else -agent.ratings.percent),
    "responsible": lambda _names, agent: -agent.seconds["responsible"],
}


def nothing_last(seconds: int | None) -> tuple[bool, int]:
    return seconds is None, seconds or 0


def requested_report() -> Report:
    """Agents see what they did themselves; whoever may read all may ask for one of them."""
    period = Period.read(request.args, zones.tenant_zone())
    if not g.membership.may("reports.read_all"):
        return Report(period, who=current_user.id)
    return Report(period, who=id_of(request.args.get("of")))


def page(template: str, report: Report, **more: Any) -> str:
    arguments = dict(report.period.arguments)
    if report.who and g.membership.may("reports.read_all"):
        arguments["of"] = str(report.who)
    return render_template(
        f"analytics/{template}",
        report=report,
        period=report.period,
        arguments=arguments,
        names=Names(),
        is_own=report.who is not None and not g.membership.may("reports.read_all"),
        progress=db.session.scalar(db.select(ReportProgress)),
        is_connected=db.session.scalar(db.select(PhoneNumber.id).limit(1)) is not None,
        **more,
    )


@bp.get("")
@in_menu("rail", N_("Reports"), "chart-column", order=35, key="g r")
@requires("reports.read")
def index() -> str:
    report, by = requested_report(), request.args.get("by", "")
    shown = {name: words for name, words in DIMENSIONS.items() if not report.who or name != "agent"}
    by = by if by in shown else "number"
    return page(
        "index.html",
        report,
        by=by,
        dimensions=shown,
        rows=report.by(by),
        chart=Chart.of(report.days, ("out",) if report.who else ("in", "out")),
        most=max(report.hours.values(), default=0),
        subscription=ReportSubscription.of(g.membership),
    )


@bp.get("/agents")
@requires("reports.read")
def agents() -> str:
    report, names = requested_report(), Names()
    sort = request.args.get("sort", "")
    sort = sort if sort in SORTS else "replies"
    rows: list[Agent] = sorted(report.agents, key=lambda agent: SORTS[sort](names, agent))
    return page("agents.html", report, rows=rows, sort=sort)


@bp.get("/surveys")
@requires("reports.read")
def surveys() -> str:
    report = requested_report()
    days: dict[Any, dict[str, int]] = {day: dict.fromkeys(SCORES, 0) for day in report.period.dates}
    for row in report.ratings("day"):
        if row.is_now:
            days[dt.date.fromisoformat(row.key)] = dict(row.scores)
    return page(
        "surveys.html",
        report,
        chart=Chart.of(days, SCORES, stacked=True),
        totals={row.is_now: row for row in report.ratings("all")},
        tables={by: [row for row in report.ratings(by) if row.is_now] for by in ("agent", "team")},
        latest=latest_ratings(report),
    )


@bp.get("/delivery")
@requires("reports.read")
def delivery() -> str:
    report = requested_report()
    return page("delivery.html", report, funnel=report.funnel, rows=report.templates, failures=report.failures)


@bp.get("/conversations")
@requires("reports.read")
def conversations() -> str:
    report = requested_report()
    facts = FactList.read(report, request.args)
    return page(
        "conversations.html", report, facts=facts, found=Paged.of(facts.query, PAGE), narrowed=chosen(facts.arguments)
    )


@bp.get("/messages")
@requires("reports.read")
def messages() -> str:
    report = requested_report()
    listed = MessageList.read(report, request.args)
    return page(
        "messages.html", report, listed=listed, found=Paged.of(listed.query, PAGE), narrowed=chosen(listed.arguments)
    )


@bp.get("/export")
@requires("reports.read")
@open_when_closed
def export() -> Response:
    report, name = requested_report(), request.args.get("table", "")
    if name not in SHEETS:
        abort(404)
    days = f"{report.period.first}-{report.period.last}"
    return csv_download(f"{name}-{days}", [csv_of(name, report, request.args.get("by", ""))])


@bp.app_template_global()
def report_words() -> dict[str, Any]:
    """What pages of reports call things."""
    return {
        "titles": TITLES,
        "formulas": FORMULAS,
        "who": WHO_WORDS,
        "scores": SCORE_WORDS,
        "periods": WORDS,
        "compared": compared,
        "number": number,
        "took": took,
        "shade": shade,
    }
