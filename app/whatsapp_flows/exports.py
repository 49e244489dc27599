"""Responses as CSV for a spreadsheet, in which nothing that a customer wrote is calculated."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator

from sqlalchemy import select, tuple_
from sqlalchemy.orm import selectinload, undefer

from app.contacts.models import Contact
from app.spreadsheets import as_csv
from app.tenancy import Download, db

from .forms import ResponseFilter
from .models import FlowVersion
from .responses import FlowResponse

AT_ONCE = 200
MOST_COLUMNS, MOST_VERSIONS = 200, 50
COLUMNS = ("at", "contact", "phone", "flow", "version")


def rows_as_csv(download: Download, wanted: ResponseFilter, zone: dt.tzinfo) -> Iterator[str]:
    """The rows in pieces, each read in a scope of its own: while the browser takes one, nothing is held.

    Of one form, each of its fields is a column; of all, the answers are in one, a line each.
    """
    with download.scope():
        labels = labels_of(wanted.flow_id)
    yield as_csv([[*COLUMNS, *(labels or ["answers"])]])
    last: FlowResponse | None = None
    while True:
        with download.scope():
            responses = page_after(wanted, last)
            rows = [row_of(one, labels, zone) for one in responses]
        if not responses:
            return
        last = responses[-1]
        yield as_csv(rows)


def labels_of(flow_id: uuid.UUID | None) -> list[str]:
    """The fields of a form in all its versions, in the order of the newest."""
    if flow_id is None:
        return []
    query = select(FlowVersion).where(FlowVersion.flow_id == flow_id).order_by(FlowVersion.number.desc())
    versions = db.session.scalars(query.options(undefer(FlowVersion.flow_json)).limit(MOST_VERSIONS))
    labels = dict.fromkeys(question.label for version in versions for question in version.questions)
    return list(labels)[:MOST_COLUMNS]


def page_after(wanted: ResponseFilter, last: FlowResponse | None) -> list[FlowResponse]:
    query = wanted.query().options(
        selectinload(FlowResponse.contact).selectinload(Contact.identities),
        selectinload(FlowResponse.flow),
        selectinload(FlowResponse.version),
    )
    if last:
        query = query.where(tuple_(FlowResponse.at, FlowResponse.id) < (last.at, last.id))
    return list(db.session.scalars(query.limit(AT_ONCE)))


def row_of(response: FlowResponse, labels: list[str], zone: dt.tzinfo) -> list[str]:
    """An answer to a field that the form no longer has comes after the others."""
    answers: dict[str, str] = {}
    for row in response.rows:
        label = str(row["label"])
        answers[label] = f"{answers[label]}, {row['value']}" if label in answers else str(row["value"])
    lines = "\n".join(f"{label}: {value}" for label, value in answers.items() if label not in labels)
    return [
        response.at.astimezone(zone).isoformat(timespec="seconds"),
        response.contact.name,
        response.contact.identity("wa_id") or "",
        response.flow.name if response.flow else "",
        str(response.version.number) if response.version else "",
        *(answers.get(label, "") for label in labels),
        *([lines] if lines or not labels else []),
    ]
