"""The agenda, an appointment, and what is done with it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import selectinload
from werkzeug.wrappers import Response as AnyResponse

from app import dates, zones
from app.appointments import words
from app.appointments.agenda import Agenda
from app.appointments.blueprint import bp
from app.appointments.bookings import visit_in
from app.appointments.calendar import feed_of, link_to
from app.appointments.forms import AppointmentForm, values_of
from app.appointments.models import Appointment, Unfit, usual_number
from app.appointments.notices import ANNOUNCED, AppointmentNotice
from app.appointments.sending import is_silent
from app.appointments.settings import AppointmentSettings
from app.contacts import search
from app.contacts.models import Contact
from app.hours.models import ServicePolicy
from app.inbox.conversations import Conversation, Message
from app.team.models.teams import colleagues
from app.templating import time_tag
from app.tenancy import Actor, current_actor, current_tenant_id, db, in_menu, now, requires
from app.tenancy.guard import is_fragment
from app.words import N_

MOST_MATCHES, LONGEST_QUERY, MOST_OF_CONTACT = 20, 100, 50
# The other tabs of what the rail calls records; this is the first of them.
BESIDE = ("/records", "/listings", "/payments", "/subscriptions")
Page = str | tuple[str, int] | AnyResponse


@bp.get("")
@in_menu("rail", N_("Records"), "briefcase", order=22, covers=BESIDE)
@in_menu("records", N_("Appointments"), "calendar", order=10)
@requires("appointments.view")
def index() -> str:
    agenda = Agenda.read(request.args)
    return render_template(
        "appointments/index.html",
        agenda=agenda,
        days=agenda.by_day,
        without_outcome=Agenda.without_outcome(),
        people=colleagues(),
        states=words.STATES,
        feed=feed_of(current_tenant_id(), current_actor().id or uuid.uuid4()),
        sends=any(AppointmentSettings.current().names),
    )


@bp.get("/of/<uuid:contact_id>")
@requires("appointments.view")
def of_one_contact(contact_id: uuid.UUID) -> str:
    """A part of the contact's page, loaded when it is opened; without JavaScript, a page of its own."""
    contact = Contact.get_or_404(contact_id)
    query = select(Appointment).where(Appointment.contact_id == contact.id).order_by(Appointment.starts_at.desc())
    page = "_of_contact" if is_fragment() else "of_contact"
    listed = db.session.scalars(query.limit(MOST_OF_CONTACT)).all()
    return render_template(f"appointments/{page}.html", contact=contact, appointments=listed)


@bp.get("/new")
@requires("appointments.edit")
def new() -> str:
    """The form; without a customer, the search for one."""
    contact = Contact.find(request.args.get("contact"))
    if contact is None or contact.is_erased:
        return choose_contact()
    values = usual_values(contact)
    if (earlier := Appointment.find(request.args.get("again"))) and earlier.contact_id == contact.id:
        values |= {name: value for name, value in values_of(earlier).items() if name not in ("at", "fold")}
    if talk := talk_with(contact):
        values |= visit_in(talk)
    return form_page(AppointmentForm(formdata=None, data=values), contact)


def talk_with(contact: Contact) -> Conversation | None:
    """The conversation that the form was opened from."""
    talk = Conversation.find(request.values.get("conversation"))
    return talk if talk and talk.contact_id == contact.id else None


def choose_contact() -> str:
    query = " ".join(request.args.get("q", "").split())[:LONGEST_QUERY]
    ids = [match.id for match in search.find(query, MOST_MATCHES)] if query else []
    listed = select(Contact).where(Contact.id.in_(ids)).options(selectinload(Contact.identities))
    contacts = db.session.scalars(listed).all() if ids else []
    return render_template("appointments/choose.html", q=query, contacts=contacts)


def usual_values(contact: Contact) -> dict[str, Any]:
    """Tomorrow at ten, or at the next opening, in the business's zone, with the number that the customer wrote to."""
    policy = ServicePolicy.current()
    zone = zones.find_zone(policy.time_zone) or zones.UTC
    if zone is zones.UTC:
        zone = zones.reader_zone()
    at = (now().astimezone(zone) + dt.timedelta(days=1)).replace(hour=10, minute=0, second=0, microsecond=0)
    number = usual_number(contact.id)
    at = (policy.hours.next_opening(at) or at).astimezone(zone).replace(tzinfo=None)
    given = {"zone": zone.key, "minutes": AppointmentSettings.current().minutes, "at": at}
    return given | {"agent": str(current_actor().id or ""), "number": str(number or "")}


@bp.post("")
@requires("appointments.edit")
def create() -> Page:
    contact, form = Contact.get_or_404(request.form.get("contact")), AppointmentForm()
    if contact.is_erased:
        flash(_("This contact was erased, so you can't book for them."), "error")
        return redirect(url_for(".new"), 303)
    if not form.validate():
        return form_page(form, contact), 422
    facts = form.facts | {"time_zone": form.time_zone.key, "minutes": form.minutes.data}
    one = Appointment.book(contact, form.moment, by=current_actor(), source="agent", **facts)
    flash(_("Booked. The customer gets no message yet.") if is_silent(one, "booked") else _("Booked."))
    return redirect(url_for(".show", appointment_id=one.id), 303)


@bp.get("/<uuid:appointment_id>")
@requires("appointments.view")
def show(appointment_id: uuid.UUID) -> str:
    one = Appointment.get_or_404(appointment_id)
    notices = db.session.scalars(AppointmentNotice.of(one.id)).all()
    ids = [notice.message_id for notice in notices if notice.message_id]
    last = next((notice for notice in notices if notice.purpose in ANNOUNCED and notice.version == one.version), None)
    is_unsaid = last and last.state in ("planned", "skipped") and is_silent(one, last.purpose)
    messages = {message.id: message for message in db.session.scalars(select(Message).where(Message.id.in_(ids)))}
    chosen = AppointmentSettings.current()
    return render_template(
        "appointments/show.html",
        one=one,
        talk=one.conversation,
        history=one.history,
        notices=notices,
        messages=messages,
        chosen=chosen,
        words=words,
        link=link_to(one),
        has_begun=one.starts_at <= now(),
        unsaid=last.purpose if last and is_unsaid else "",
    )


@bp.get("/<uuid:appointment_id>/edit")
@requires("appointments.edit")
def edit(appointment_id: uuid.UUID) -> str:
    one = Appointment.get_or_404(appointment_id)
    return form_page(AppointmentForm(one, formdata=None, data=values_of(one)), one.contact, one)


@bp.post("/<uuid:appointment_id>")
@requires("appointments.edit")
def save(appointment_id: uuid.UUID) -> Page:
    one = Appointment.get_or_404(appointment_id)
    form = AppointmentForm(one)
    if not form.validate():
        return form_page(form, one.contact, one), 422
    try:
        one.change(by=current_actor(), **form.facts)
        moved = one.move(form.moment, by=current_actor(), time_zone=form.time_zone.key, minutes=form.minutes.data)
        is_unsaid = moved and is_silent(one, "moved")
        flash(_("Moved. The customer gets no message yet.") if is_unsaid else _("Saved."))
    except Unfit as problem:
        flash(_(words.PROBLEMS[problem.kind]), "error")
    return redirect(url_for(".show", appointment_id=one.id), 303)


def form_page(form: AppointmentForm, contact: Contact, one: Appointment | None = None) -> str:
    talk = None if one else talk_with(contact)
    return render_template("appointments/form.html", form=form, contact=contact, one=one, talk=talk)


def turn(appointment_id: uuid.UUID, change: Callable[..., bool], flashed: str) -> AnyResponse:
    """One change of state, and back to where one came from."""
    one = Appointment.get_or_404(appointment_id)
    by: Actor = current_actor()
    try:
        change(one, by=by)
        flash(flashed)
    except Unfit as problem:
        kind = "over" if problem.kind == "in_past" else problem.kind
        flash(_(words.PROBLEMS[kind]), "error")
    return redirect(url_for(".show", appointment_id=one.id), 303)


@bp.post("/<uuid:appointment_id>/confirmation")
@requires("appointments.edit")
def confirm(appointment_id: uuid.UUID) -> AnyResponse:
    return turn(appointment_id, Appointment.confirm, _("Confirmed."))


@bp.post("/<uuid:appointment_id>/reschedule-request")
@requires("appointments.edit")
def request_reschedule(appointment_id: uuid.UUID) -> AnyResponse:
    return turn(appointment_id, Appointment.request_reschedule, _("Saved: another time is needed."))


@bp.post("/<uuid:appointment_id>/cancellation")
@requires("appointments.edit")
def cancel(appointment_id: uuid.UUID) -> AnyResponse:
    is_unsaid = is_silent(Appointment.get_or_404(appointment_id), "cancelled")
    flashed = _("Cancelled. The customer gets no message yet.") if is_unsaid else _("Cancelled.")
    return turn(appointment_id, Appointment.cancel, flashed)


@bp.post("/<uuid:appointment_id>/completion")
@requires("appointments.edit")
def finish(appointment_id: uuid.UUID) -> AnyResponse:
    return turn(appointment_id, Appointment.finish, _("Saved: it took place."))


@bp.post("/<uuid:appointment_id>/no-show")
@requires("appointments.edit")
def mark_no_show(appointment_id: uuid.UUID) -> AnyResponse:
    return turn(appointment_id, Appointment.mark_no_show, _("Saved: the customer didn't show up."))


@bp.app_template_filter()
def at_place(one: Appointment) -> Markup:
    """10:00 GMT: when it begins by the clock of its own zone; the reader's time on hover."""
    return time_tag(one.starts_at, f"{dates.clock(one.local)} {zones.abbreviation(one.local)}", in_reader_zone(one))


def in_reader_zone(one: Appointment) -> str:
    local = zones.local(one.starts_at)
    return f"{dates.clock(local)} {zones.abbreviation(local)}"


@bp.app_template_filter()
def is_elsewhere(one: Appointment) -> bool:
    """Whether its own clock shows another time than the reader's."""
    return one.local.utcoffset() != zones.local(one.starts_at).utcoffset()


bp.add_app_template_filter(words.title_of, "appointment_title")


@bp.app_template_global()
def appointment_states() -> dict[str, tuple[str, str]]:
    return words.STATES
