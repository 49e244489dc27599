"""Appointments for programs: put one under the id that it has elsewhere, get, list, and change its state."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Annotated, Any

from flask import request
from flask_babel import gettext as _
from pydantic import Field, model_validator
from sqlalchemy import ColumnElement, select, true
from werkzeug.exceptions import NotFound

from app import zones
from app.api import (
    Created,
    Fault,
    Page,
    PageQuery,
    Place,
    Problem,
    Shape,
    check_match,
    current_key,
    endpoint,
    problem,
    scope,
)
from app.api.declaring import AddressTime, GivenTime
from app.api.pages import after, page_of
from app.appointments.models import (
    LEAST_MINUTES,
    LONGEST_NOTES,
    LONGEST_PLACE,
    LONGEST_TITLE,
    MOST_MINUTES,
    Appointment,
    Unfit,
    lock_external_id,
    usual_number,
)
from app.appointments.settings import AppointmentSettings
from app.appointments.words import PROBLEMS
from app.contacts.models import Contact
from app.inbox.api import reach
from app.inbox.compose.first_messages import Recipient, save_contact
from app.inbox.conversations.assignment import member_or_none
from app.meta.written_numbers import NotRead
from app.tenancy import db
from app.wabas.models import PhoneNumber
from app.words import N_

from .shapes import AppointmentShape, StateName

READ = scope("appointments:read", N_("Read appointments"))
WRITE = scope("appointments:write", N_("Book, move, confirm and cancel appointments"))
TAG = "Appointments"
CLOSED = problem(
    "appointment_closed",
    409,
    "The appointment is cancelled or over",
    N_("It can't be changed any more. Book a new one under another external_id."),
)
NOT_BEGUN = problem(
    "appointment_not_begun",
    409,
    "The appointment hasn't begun",
    N_("Record its outcome afterwards, or cancel it."),
)


class With(Shape):
    """The customer: exactly one of the two. `name` is for a phone number that no contact has yet."""

    contact_id: uuid.UUID | None = None
    phone: Annotated[str, Field(max_length=40, examples=["+221771234567"])] | None = None
    name: str = Field("", max_length=200)

    @model_validator(mode="after")
    def check_one(self) -> With:
        if (self.contact_id is None) == (self.phone is None):
            raise ValueError("Give exactly one of contact_id and phone.")
        return self


class GivenAppointment(Shape):
    """A member that is left out gets its usual value, or stays as it is."""

    contact: With
    title: str = Field(min_length=1, max_length=LONGEST_TITLE, examples=["Viewing: Villa Azur"])
    starts_at: GivenTime
    time_zone: str = Field(max_length=60, examples=["Africa/Dakar"], description="A zone of the IANA database.")
    minutes: int | None = Field(None, ge=LEAST_MINUTES, le=MOST_MINUTES)
    place: str | None = Field(None, max_length=LONGEST_PLACE)
    agent_id: uuid.UUID | None = Field(None, description="The team member who has it.")
    phone_number_id: uuid.UUID | None = Field(
        None, description="The number that writes about it: else the one that the customer wrote to last."
    )
    notes: str | None = Field(None, max_length=LONGEST_NOTES)


class AppointmentsQuery(PageQuery):
    contact_id: uuid.UUID | None = Field(None, alias="filter[contact_id]")
    agent_id: uuid.UUID | None = Field(None, alias="filter[agent_id]")
    state: list[StateName] | None = Field(None, alias="filter[state]", max_length=6)
    starts_after: AddressTime | None = Field(None, description="Only those that begin at this time or later.")
    starts_before: AddressTime | None = Field(None, description="Only those that begin before this time.")


def reached() -> ColumnElement[bool]:
    return reach.reached(Appointment.phone_number_id) if current_key().kind == "team" else true()


def find(external_id: str) -> Appointment:
    """404 also for one on a number that the key does not reach."""
    one = Appointment.addressed(external_id)
    if one is None or not db.session.scalar(select(reached()).where(Appointment.id == one.id)):
        raise NotFound
    return one


def shape_of(one: Appointment) -> AppointmentShape:
    """One alone says what the customer is sent messages about."""
    return AppointmentShape.of(one, AppointmentSettings.current().purposes if one.phone_number_id else [])


@endpoint("GET", "/appointments", scope=READ, query=AppointmentsQuery, gives=Page[AppointmentShape], tag=TAG)
def list_appointments(query: AppointmentsQuery) -> Page[AppointmentShape]:
    """List appointments.

    The earliest first.
    """
    rows = select(Appointment).where(reached())
    for column, value in ((Appointment.contact_id, query.contact_id), (Appointment.agent_id, query.agent_id)):
        rows = rows.where(column == value) if value is not None else rows
    if query.state:
        rows = rows.where(Appointment.state.in_(query.state))
    if query.starts_after:
        rows = rows.where(Appointment.starts_at >= query.starts_after)
    if query.starts_before:
        rows = rows.where(Appointment.starts_at < query.starts_before)
    rows = after(rows, query.after, Appointment.id, Appointment.starts_at, ascending=True)
    results = db.session.scalars(rows.limit(query.limit + 1)).unique()
    return page_of(results, query.limit, AppointmentShape.of, lambda one: Place(one.id, one.starts_at))


@endpoint("GET", "/appointments/<external:external_id>", scope=READ, gives=AppointmentShape, tag=TAG)
def get_appointment(external_id: str) -> AppointmentShape:
    """Get an appointment.

    By the id that your system gave it; one that was booked in Switchboard, by its `id`.
    """
    return shape_of(find(external_id))


@endpoint(
    "PUT",
    "/appointments/<external:external_id>",
    scope=WRITE,
    body=GivenAppointment,
    gives=AppointmentShape,
    tag=TAG,
    problems=(CLOSED,),
    creates=True,
)
def put_appointment(external_id: str, body: GivenAppointment) -> AppointmentShape | Created:
    """Book, move or change an appointment.

    Under the id that it has in your system. Reminders of an earlier time that wait to be sent are withdrawn in the same
    moment. What is not in the future is refused.
    """
    lock_external_id(external_id)
    facts = facts_of(body)
    if Appointment.addressed(external_id) is None:
        if request.headers.get("If-Match") is not None:
            raise Problem("changed_meanwhile")
        return Created(shape_of(book(external_id, body, facts)))
    one = find(external_id).refresh_locked()
    check_match(shape_of(one))
    by = current_key().actor
    given = {name: value for name, value in facts.items() if name in ("contact_id", "title") or value is not None}
    try:
        one.move(body.starts_at, by=by, time_zone=zone_of(body), minutes=body.minutes or 0)
        one.change(by=by, **given)
    except Unfit as problem:
        raise as_problem(problem) from None
    return shape_of(one)


def book(external_id: str, body: GivenAppointment, facts: dict[str, Any]) -> Appointment:
    contact = Contact.get_or_404(facts.pop("contact_id"))
    number = facts.pop("phone_number_id") or usual_number(contact.id, reach.numbers().with_only_columns(PhoneNumber.id))
    given = {name: value for name, value in facts.items() if value is not None}
    given |= {"time_zone": zone_of(body), "minutes": body.minutes or AppointmentSettings.current().minutes}
    given |= {"external_id": external_id, "phone_number_id": number, "source": "api"}
    try:
        return Appointment.book(contact, body.starts_at, by=current_key().actor, **given)
    except Unfit as problem:
        raise as_problem(problem) from None


def facts_of(body: GivenAppointment) -> dict[str, Any]:
    """Everything but the time, with what it names checked. Raises a `Problem`."""
    if body.agent_id and member_or_none(body.agent_id) is None:
        raise wrong("not_found", "There is no such team member.", "/agent_id")
    numbers = reach.numbers().where(PhoneNumber.id == body.phone_number_id)
    if body.phone_number_id and db.session.scalar(numbers) is None:
        raise wrong("not_found", "You have no number with this id.", "/phone_number_id")
    return {
        "contact_id": contact_of(body.contact).id,
        "title": body.title,
        "place": body.place,
        "agent_id": body.agent_id,
        "phone_number_id": body.phone_number_id,
        "notes": body.notes,
    }


def contact_of(wanted: With) -> Contact:
    try:
        if wanted.contact_id:
            contact = reach.find_contact(wanted.contact_id)
        else:
            recipient = Recipient.of_number(wanted.phone or "")
            contact = recipient.contact or save_contact(wanted.name, recipient.wa_id, by=current_key().actor)
            if not reach.is_reached(contact):
                raise wrong("not_found", "This key can't reach the contact with this number.", "/contact/phone")
    except NotFound:
        raise wrong("not_found", "There is nothing with this id.", "/contact/contact_id") from None
    except NotRead as error:
        raise wrong("invalid_phone_number", error.explain(), "/contact/phone") from None
    if contact.is_erased:
        raise wrong("contact_erased", "This person was erased.", "/contact/contact_id")
    return contact


def zone_of(body: GivenAppointment) -> str:
    if zone := zones.find_zone(body.time_zone):
        return zone.key
    raise wrong("invalid_time_zone", "Use a name of the IANA database, such as Africa/Dakar.", "/time_zone")


def wrong(code: str, detail: str, pointer: str) -> Problem:
    return Problem("invalid_request", errors=[Fault(code, detail, pointer=pointer)])


def as_problem(problem: Unfit) -> Problem:
    words = str(_(PROBLEMS[problem.kind]))
    match problem.kind:
        case "closed":
            return Problem(CLOSED)
        case "not_yet":
            return Problem(NOT_BEGUN)
    return wrong(f"time_{problem.kind}", words, "/starts_at")


def turn(external_id: str, change: Callable[..., bool]) -> AppointmentShape:
    """What is so already stays so, and is answered in the same way."""
    one = find(external_id)
    try:
        change(one, by=current_key().actor)
    except Unfit as problem:
        raise Problem(NOT_BEGUN if problem.kind == "not_yet" else CLOSED) from None
    return shape_of(one)


def change_of_state(part: str) -> Callable[[Callable[..., AppointmentShape]], Callable[..., AppointmentShape]]:
    problems = (CLOSED, NOT_BEGUN) if part in ("completion", "no-show") else (CLOSED,)
    rule = f"/appointments/<external:external_id>/{part}"
    return endpoint("POST", rule, scope=WRITE, gives=AppointmentShape, tag=TAG, problems=problems)


@change_of_state("confirmation")
def confirm_appointment(external_id: str) -> AppointmentShape:
    """Confirm an appointment."""
    return turn(external_id, Appointment.confirm)


@change_of_state("reschedule-request")
def request_reschedule_of_appointment(external_id: str) -> AppointmentShape:
    """Note that the customer wants another time.

    Its time stays until it is put with another one.
    """
    return turn(external_id, Appointment.request_reschedule)


@change_of_state("cancellation")
def cancel_appointment(external_id: str) -> AppointmentShape:
    """Cancel an appointment.

    Reminders that wait to be sent are withdrawn in the same moment, and a time that was booked is free again.
    """
    return turn(external_id, Appointment.cancel)


@change_of_state("completion")
def complete_appointment(external_id: str) -> AppointmentShape:
    """Note that it took place."""
    return turn(external_id, Appointment.finish)


@change_of_state("no-show")
def mark_no_show_of_appointment(external_id: str) -> AppointmentShape:
    """Note that the customer didn't come."""
    return turn(external_id, Appointment.mark_no_show)
