"""The table of responses, and its export."""

from __future__ import annotations

from flask import Response, render_template, request
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from app import zones
from app.spreadsheets import csv_download
from app.tenancy import Download, Paged, confirmed, db, now, requires
from app.whatsapp_flows.blueprint import bp
from app.whatsapp_flows.exports import rows_as_csv
from app.whatsapp_flows.forms import ResponseFilter
from app.whatsapp_flows.models import WhatsappFlow
from app.whatsapp_flows.responses import FlowResponse

PAGE = 50
MOST_FLOWS = 300


@bp.get("/responses")
@requires("flows.view")
def responses() -> str:
    wanted = ResponseFilter.read(request.args)
    query = wanted.query().options(selectinload(FlowResponse.contact), selectinload(FlowResponse.flow))
    flows = db.session.execute(
        select(WhatsappFlow.id, WhatsappFlow.name).order_by(WhatsappFlow.name).limit(MOST_FLOWS)
    ).all()
    return render_template("whatsapp_flows/responses.html", page=Paged.of(query, PAGE), wanted=wanted, flows=flows)


@bp.post("/responses/export")
@requires("flows.edit")
@confirmed
def export() -> Response:
    rows = rows_as_csv(Download.begin("flows.edit"), ResponseFilter.read(request.form), zones.reader_zone())
    return csv_download(f"flow-responses-{now():%Y-%m-%d}", rows)
