"""What each entry point, object, page and campaign brings, as a page and as CSV."""

from __future__ import annotations

import datetime as dt

from flask import Response, render_template, request
from flask_babel import pgettext

from app import zones
from app.entry_points.blueprint import bp
from app.entry_points.models import EntryPoint
from app.entry_points.reports import DIMENSIONS, PERIODS, Figures, figures
from app.entry_points.subjects import TYPES
from app.spreadsheets import as_csv, csv_download
from app.tenancy import db, requires

COLUMNS = ("name", "type", "id", "clicks", "conversations", "replied", "resolved")


@bp.get("/report")
@requires("entry_points.read")
def report() -> str:
    by, days, rows = wanted()
    return render_template(
        "entry_points/report.html",
        by=by,
        days=days,
        rows=rows,
        names=names_of(by, rows),
        dimensions=DIMENSIONS,
        periods=PERIODS,
        types=TYPES,
    )


def wanted() -> tuple[str, int, list[Figures]]:
    """The dimension, the days and the figures that the address asks for; in the reader's zone."""
    by, days = request.args.get("by", "entry_point"), request.args.get("days", 30, type=int)
    by, days = by if by in DIMENSIONS else "entry_point", days if days in PERIODS else 30
    today = zones.today()
    since, until = zones.begins(today - dt.timedelta(days=days - 1)), zones.ends(today)
    return by, days, list(figures(by, since, until))


def names_of(by: str, rows: list[Figures]) -> dict[str, str]:
    """What a figure is called, by its key."""
    if by == "entry_point":
        called = {str(one.id): one.name for one in db.session.scalars(EntryPoint.in_order())}
        return {row.key: called.get(row.key, pgettext("of a link", "Deleted")) for row in rows}
    if by == "object":
        return {row.key: row.title or row.external_id for row in rows}
    return {row.key: row.campaign if by == "campaign" else row.key for row in rows}


@bp.get("/report/export")
@requires("entry_points.read")
def export() -> Response:
    by, days, rows = wanted()
    names = names_of(by, rows)
    sheet: list[tuple[object, ...]] = [COLUMNS]
    for row in rows:
        kind, id = (row.type, row.external_id) if by == "object" else (by, row.key if by == "entry_point" else "")
        sheet.append((names[row.key], kind, id, row.clicks, row.conversations, row.replied, row.resolved))
    return csv_download(f"entry-points-{by}-{days}-days", [as_csv(sheet)])
