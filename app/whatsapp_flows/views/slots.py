"""Appointment times: the week, and who has booked."""

from __future__ import annotations

import datetime as dt
import uuid

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import selectinload
from werkzeug.wrappers import Response as AnyResponse

from app import dates
from app.hours.models import ServicePolicy
from app.tenancy import db, now, requires
from app.whatsapp_flows.blueprint import bp
from app.whatsapp_flows.slot_form import DAYS, SlotForm
from app.whatsapp_flows.slots import MOST_SLOTS, FlowBooking, FlowSlot, offered

MOST_BOOKINGS = 100
SHOWN = 5


@bp.get("/slots")
@requires("flows.view")
def slots() -> str:
    return slots_page(SlotForm(formdata=None, data={"minutes": 30, "capacity": 1}))


def slots_page(form: SlotForm) -> str:
    bookings = FlowBooking.coming().options(selectinload(FlowBooking.contact)).limit(MOST_BOOKINGS)
    return render_template(
        "whatsapp_flows/slots.html",
        form=form,
        slots=db.session.scalars(FlowSlot.in_order().limit(MOST_SLOTS)).all(),
        bookings=db.session.scalars(bookings).all(),
        offered=offered(now())[:SHOWN],
        policy=ServicePolicy.current(),
    )


@bp.post("/slots")
@requires("flows.edit")
def add_slot() -> str | tuple[str, int] | AnyResponse:
    form = SlotForm()
    if not form.validate():
        return slots_page(form), 422
    if len(db.session.scalars(FlowSlot.in_order()).all()) + len(form.slots) > MOST_SLOTS:
        flash(_("You can have %(most)d. Delete some first.", most=MOST_SLOTS), "error")
    else:
        db.session.add_all(FlowSlot(**values) for values in form.slots)
        flash(_("Added."))
    return redirect(url_for(".slots"), 303)


@bp.post("/slots/<uuid:slot_id>/removal")
@requires("flows.edit")
def remove_slot(slot_id: uuid.UUID) -> AnyResponse:
    db.session.delete(FlowSlot.get_or_404(slot_id))
    flash(_("Deleted. What is booked stays booked."))
    return redirect(url_for(".slots"), 303)


@bp.app_template_filter()
def slot_day(slot: FlowSlot) -> str:
    return str(_(DAYS[slot.weekday]))


@bp.app_template_filter()
def slot_times(slot: FlowSlot) -> str:
    """09:00–12:00"""
    first, last = (dt.time(minute // 60 % 24, minute % 60) for minute in (slot.starts_minute, slot.ends_minute))
    return f"{dates.clock(first)}–{dates.clock(last)}"
