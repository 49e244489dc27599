"""How many customers came."""

from __future__ import annotations

from flask import Response, render_template, request

from app.appointments.blueprint import bp
from app.appointments.report import DIMENSIONS, Report
from app.spreadsheets import csv_download
from app.tenancy import requires


@bp.get("/report")
@requires("appointments.view")
def report() -> str:
    return render_template("appointments/report.html", report=Report.read(request.args), dimensions=DIMENSIONS)


@bp.get("/report/export")
@requires("appointments.view")
def export_report() -> Response:
    shown = Report.read(request.args)
    return csv_download(f"appointments-{shown.first}-{shown.last}", [shown.csv])
