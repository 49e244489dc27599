"""Background jobs of appointments: sending what is due, and planning anew after a change of the settings."""

from __future__ import annotations

import time

from sqlalchemy import select

from app.inbox.conversations.refusals import NotFunded
from app.inbox.outbound.funding import waits_for_money
from app.tenancy import commit, database_now, db, job, later, now, platform_scope, sweep
from app.tenancy.queue import stopping

from .models import OPEN, Appointment
from .notices import AppointmentNotice
from .sending import send_due

# A claim is one transaction: as much as is queued in less than a second.
BATCH = 500
# After so long the job gives its worker back: other tenants take their turns.
SECONDS = 20
AT_ONCE = 200


@sweep(every=5)
def find_due_notices() -> None:
    with platform_scope("appointments with something to send"):
        due = AppointmentNotice.state == "planned", AppointmentNotice.due_at <= database_now()
        for tenant_id in set(db.session.scalars(select(AppointmentNotice.tenant_id).where(*due).distinct())):
            later("appointments.send_due", tenant_id=tenant_id)


@job("appointments.send_due", seconds=120)
def send_due_notices() -> None:
    """Batch by batch, each a transaction. What is left is found by the next sweep."""
    until = time.monotonic() + SECONDS
    while send_due(BATCH) and time.monotonic() < until and not stopping.is_set():
        commit()


@waits_for_money
def release_unfunded() -> None:
    AppointmentNotice.release(NotFunded.kind)
    later("appointments.send_due")


@job("appointments.plan_again", seconds=120)
def plan_again() -> None:
    """Plans the reminders of all appointments that are still to come by the present settings."""
    after = None
    while True:
        query = select(Appointment).where(Appointment.state.in_(OPEN), Appointment.starts_at > now())
        if after:
            query = query.where(Appointment.id > after)
        rows = list(db.session.scalars(query.order_by(Appointment.id).limit(AT_ONCE).with_for_update(of=Appointment)))
        for one in rows:
            AppointmentNotice.plan_again(one)
        if len(rows) < AT_ONCE:
            return
        after = rows[-1].id
        commit()
