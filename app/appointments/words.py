"""What pages call states, changes and reasons."""

from __future__ import annotations

from flask_babel import gettext as _

from app.inbox.conversations import Message
from app.inbox.conversations.gate import AS_ERROR
from app.words import N_, pN_

from .models import Appointment, AppointmentChange
from .notices import AppointmentNotice

# Each with the colour of its badge.
STATES = {
    "booked": (N_("Booked"), "info"),
    "confirmed": (N_("Confirmed"), "success"),
    "reschedule_requested": (N_("Reschedule requested"), "warning"),
    "cancelled": (pN_("of an appointment", "Cancelled"), ""),
    "no_show": (N_("No-show"), "error"),
    "done": (N_("Took place"), "success"),
}
SOURCES = {
    "agent": N_("Booked by your team"),
    "api": N_("Booked by a program"),
    "form": N_("Booked by the customer in a form"),
    "automation": N_("Booked by an automation"),
}
CHANGES = {
    "booked": N_("Booked"),
    "moved": N_("Moved"),
    "changed": N_("Changed"),
    "confirmed": N_("Confirmed"),
    "reschedule_requested": N_("Reschedule requested"),
    "cancelled": pN_("of an appointment", "Cancelled"),
    "no_show": N_("Marked as a no-show"),
    "done": N_("Marked as having taken place"),
    "unanswered": N_("The customer hasn't answered. A task for the team"),
}
PURPOSES = {
    "booked": N_("Message: booked"),
    "moved": N_("Message: moved"),
    "cancelled": N_("Message: cancelled"),
    "reminder": N_("Reminder"),
    "unanswered": N_("Task for the team, if no one answers"),
}
# What the page of an appointment says where the customer gets no message about what was done last.
UNSAID = {
    "booked": N_("The customer gets no message about this booking yet: no notification is chosen that can be sent."),
    "moved": N_("The customer gets no message about the new time yet: no notification is chosen that can be sent."),
    "cancelled": N_(
        "The customer gets no message about the cancellation yet: no notification is chosen that can be sent."
    ),
}
NOTICE_STATES = {
    "planned": N_("Planned"),
    "queued": N_("In the outbox"),
    "raised": N_("Created"),
    "cancelled": N_("Not sent: the appointment was changed"),
    "expired": N_("Not sent: it was too late"),
    "refused": N_("Not sent"),
    "skipped": N_("Nothing was sent"),
}
# How far a message is, shortly.
MESSAGE_STATES = {
    "scheduled": pN_("of a message", "Scheduled"),
    "queued": pN_("of a message", "Queued"),
    "dispatching": N_("Being sent"),
    "unknown": N_("Delivery unconfirmed"),
    "accepted": pN_("of a message", "Sent"),
    "sent": pN_("of a message", "Sent"),
    "delivered": pN_("of a message", "Delivered"),
    "read": pN_("of a message", "Read"),
    "failed": pN_("of a message", "Failed"),
    "cancelled": N_("Not sent: the appointment was changed"),
    "expired": N_("Not sent: it was too late"),
}
WITH_IT = N_("Not sent: the appointment was cancelled")
SKIPPED = N_("No notification is chosen for it.")
PROBLEMS = {
    "in_past": N_("This time is in the past. Choose a later one."),
    "too_far": N_("Choose a time within three years."),
    "closed": N_("This appointment is cancelled or over, so it can't be changed. Book a new one."),
    "not_yet": N_("This appointment hasn't started yet. Record its outcome afterwards, or cancel it."),
    "over": N_("This appointment is over. Record its outcome."),
}


def reason_of(notice: AppointmentNotice) -> str:
    """Why it was not sent, with what to do; "" where it was, or still is to be."""
    if notice.state == "skipped" and notice.purpose != "unanswered":
        return str(_(SKIPPED))
    if not notice.error:
        return ""
    if kind := notice.error.get("kind"):
        words = AS_ERROR[kind]
        return f"{_(words['title'])} {_(words['fix'])}"
    return str(_(notice.error["words"])).format(**notice.error["facts"])


def state_of(notice: AppointmentNotice, message: Message | None, one: Appointment) -> str:
    """How far it is. What the last change took back was taken back by the cancellation, where it was one."""
    state = message.state if message else notice.state
    if state == "cancelled" and one.state == "cancelled" and notice.version == one.version - 1:
        return str(_(WITH_IT))
    return str(_(MESSAGE_STATES[state] if message else NOTICE_STATES[state]))


def by_whom(change: AppointmentChange) -> str:
    return change.by.label if change.by else str(_("The customer"))


def title_of(appointment: Appointment) -> str:
    return appointment.title or str(_("Appointment"))
