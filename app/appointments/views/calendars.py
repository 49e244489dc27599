"""Calendar files: one appointment for the customer, all of a member's for their calendar. No sign-in, only the link."""

from __future__ import annotations

import datetime as dt

from flask import Response, abort

from app.appointments.blueprint import calendar
from app.appointments.calendar import FEED, PURPOSE, file_of, read
from app.appointments.models import Appointment
from app.inbox.conversations.assignment import member_or_none
from app.tenancy import Tenant, current_tenant_id, db, now, stateless, tenant_scope

# What a member's calendar shows of the past, and how much in all.
LOOK_BACK, MOST = dt.timedelta(days=30), 500


@calendar.get("/<token>.ics")
@stateless
def appointment(token: str) -> Response:
    if (named := read(PURPOSE, token)) is None:
        abort(404)
    with tenant_scope(named[0]):
        one = Appointment.get_or_404(named[1])
        return answer(file_of([one], business().name), "appointment.ics")


@calendar.get("/team/<token>.ics")
@stateless
def feed(token: str) -> Response:
    """404 once the member has left, or the business is closed."""
    if (named := read(FEED, token)) is None:
        abort(404)
    with tenant_scope(named[0]):
        if member_or_none(named[1]) is None or business().closed_at:
            abort(404)
        mine = Appointment.agent_id == named[1], Appointment.starts_at > now() - LOOK_BACK
        rows = db.session.scalars(Appointment.in_order().where(*mine).limit(MOST))
        return answer(file_of(rows, business().name), "appointments.ics")


def business() -> Tenant:
    return db.session.get_one(Tenant, current_tenant_id())


def answer(file: bytes, name: str) -> Response:
    """Never cached by anything in between: what an appointment is may change at any time."""
    headers = {"Content-Disposition": f'inline; filename="{name}"', "Cache-Control": "private, no-store"}
    return Response(file, content_type="text/calendar; charset=utf-8", headers=headers)
