"""The types of events that leave the house: the kinds of happenings, without those that mean nothing outside."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _

from app.tenancy.catalogue import KINDS, Facts
from app.words import N_

# The button “Send a test event” sends this; it is no happening.
TEST = "webhook.test"

# Kinds that stay inside, each with the reason.
INTERNAL = {
    "notification.changed": "a setting of the business was changed by its own people or programs",
    "template.refreshed": "a list was read again, which changes nothing; what changed is template.changed",
    "booking.made": "becomes an appointment; programs get appointment.booked",
    "booking.moved": "moves an appointment; programs get appointment.moved",
    "mention.added": "is for the colleague it names; programs get note.added",
    "direct_send.stopped": "is about how Switchboard sends, not about a message",
    "onboarding.connected": "is a step of a page; programs get number.connected",
    "onboarding.failed": "is a step of a page that somebody is looking at",
    "record.staged": "is for automations, once for each customer; programs get record.changed",
}

TITLES = {
    "message.received": N_("A customer sent a message"),
    "message.queued": N_("A message was queued for sending"),
    "message.sent": N_("A message was sent"),
    "message.delivered": N_("A message was delivered"),
    "message.read": N_("A message was read"),
    "message.failed": N_("A message failed"),
    "conversation.opened": N_("A conversation started"),
    "conversation.reopened": N_("A conversation was reopened"),
    "conversation.pending": N_("A conversation was set to pending"),
    "conversation.snoozed": N_("A conversation was snoozed"),
    "conversation.woken": N_("A snoozed conversation came back"),
    "conversation.resolved": N_("A conversation was resolved"),
    "conversation.archived": N_("A conversation was archived"),
    "conversation.spam": N_("A conversation was marked as spam"),
    "conversation.blocked": N_("A customer was blocked"),
    "conversation.assigned": N_("A conversation was assigned"),
    "conversation.unassigned": N_("A conversation was unassigned"),
    "conversation.team": N_("A conversation moved to a team, or left it"),
    "conversation.closing": N_("A reply window closes within an hour while the customer waits"),
    "conversation.taken": N_("A person took over a conversation"),
    "conversation.handed_over": N_("A conversation was handed to the team"),
    "conversation.released": N_("A conversation is with no one any more"),
    "conversation.automation_paused": N_("Automation was stopped in a conversation"),
    "note.added": N_("A note was added"),
    "contact.created": N_("A contact was created"),
    "contact.merged": N_("Two contacts were merged"),
    "contact.unmerged": N_("A merge of contacts was undone"),
    "contact.erased": N_("A contact was erased"),
    "tag.added": N_("A tag was added to a contact"),
    "tag.removed": N_("A tag was removed from a contact"),
    "field.changed": N_("A field of a contact changed"),
    "consent.changed": N_("A contact opted in or out"),
    "number.connected": N_("A number was connected"),
    "number.paused": N_("Sending from a number was paused"),
    "number.resumed": N_("Sending from a number resumed"),
    "number.disconnected": N_("A number was disconnected"),
    "number.changed": N_("Meta changed something about a number"),
    "template.created": N_("A template was created"),
    "template.awaiting": N_("A template is waiting for approval by an owner"),
    "template.returned": N_("An owner sent a template back"),
    "template.submitted": N_("A template was submitted to Meta"),
    "template.refused": N_("Meta did not accept a template"),
    "template.changed": N_("The status, category or quality of a template changed"),
    "flow.completed": N_("A customer sent back a form"),
    "payment.received": N_("A payment was received"),
    "subscription.ending": N_("A subscription ends in 14 or 3 days, or today"),
    "subscription.ended": N_("A subscription ended"),
    "subscription.renewed": N_("A subscription was renewed"),
    "entry_point.touched": N_("A customer came by a link, button or ad"),
    "listing.created": N_("A listing was added"),
    "listing.changed": N_("A listing was changed"),
    "listing.withdrawn": N_("A listing was withdrawn"),
    "inquiry.received": N_("A customer asked about a listing"),
    "alert.sent": N_("An alert about new listings was sent"),
    "alert.stopped": N_("Alerts about a saved search were stopped"),
    "appointment.booked": N_("An appointment was booked"),
    "appointment.moved": N_("An appointment was moved"),
    "appointment.confirmed": N_("An appointment was confirmed"),
    "appointment.reschedule_requested": N_("A customer asked for another time"),
    "appointment.cancelled": N_("An appointment was cancelled"),
    "appointment.no_show": N_("The customer did not come to an appointment"),
    "appointment.done": N_("An appointment took place"),
    "record.linked": N_("A record was linked to a contact"),
    "record.unlinked": N_("A record is no longer linked to a contact"),
    "record.changed": N_("A record was created or changed"),
    TEST: N_("A test event"),
}
GROUPS = {
    "message": N_("Messages"),
    "conversation": N_("Conversations"),
    "note": N_("Notes"),
    "contact": N_("Contacts"),
    "tag": N_("Tags"),
    "field": N_("Fields"),
    "consent": N_("Consent"),
    "number": N_("Numbers"),
    "template": N_("Templates"),
    "flow": N_("Forms"),
    "payment": N_("Payments"),
    "subscription": N_("Subscriptions"),
    "entry_point": N_("Links and buttons"),
    "listing": N_("Listings"),
    "inquiry": N_("Inquiries"),
    "alert": N_("Alerts"),
    "appointment": N_("Appointments"),
    "record": N_("Records"),
    "webhook": N_("Webhooks"),
}
# What of the event's surroundings comes with it, by the first part of its type.
RESOURCES = {
    "message": ("message", "conversation", "contact"),
    "conversation": ("conversation", "contact"),
    "note": ("note", "conversation", "contact"),
    "contact": ("contact",),
    "tag": ("contact",),
    "field": ("contact",),
    "consent": ("contact",),
    "number": ("number",),
    "template": ("template",),
    "flow": ("response", "conversation", "contact"),
    "payment": ("payment", "conversation", "contact"),
    "subscription": ("subscription", "conversation", "contact"),
    "entry_point": ("conversation", "contact"),
    "listing": ("listing",),
    "inquiry": ("inquiry", "conversation", "contact"),
    "alert": ("contact",),
    "appointment": ("appointment", "conversation", "contact"),
    "record": ("record",),
    "webhook": (),
}


class WebhookTest(Facts):
    """The button “Send a test event” was pressed."""


@dataclass(frozen=True, slots=True)
class EventType:
    name: str
    facts: type[Facts]

    @property
    def group(self) -> str:
        return self.name.partition(".")[0]

    @property
    def resources(self) -> tuple[str, ...]:
        return RESOURCES[self.group]

    @property
    def words(self) -> str:
        return str(_(TITLES[self.name]))

    @property
    def is_of_conversation(self) -> bool:
        """Whether it belongs to one conversation, and so has a place in its sequence."""
        return "conversation" in self.resources


@functools.cache
def event_types() -> dict[str, EventType]:
    """By name; the test event last."""
    names = [name for name in KINDS if name not in INTERNAL]
    return {name: EventType(name, KINDS[name]) for name in names} | {TEST: EventType(TEST, WebhookTest)}


def choosable() -> list[EventType]:
    """Those that a webhook may be limited to; the test event always comes."""
    return [one for one in event_types().values() if one.name != TEST]


def grouped() -> list[tuple[str, list[EventType]]]:
    """The choosable types under their headings."""
    groups: dict[str, list[EventType]] = {}
    for one in choosable():
        groups.setdefault(one.group, []).append(one)
    return [(str(_(GROUPS[name])), types) for name, types in groups.items()]


def outside(kinds: Any) -> list[str]:
    """Which of these kinds are types of events."""
    return [kind for kind in kinds if kind in event_types()]
