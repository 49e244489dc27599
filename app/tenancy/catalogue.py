"""Every kind of happening, with the facts that each row of it holds. No words of customers, no names of theirs.

A kind is a contract with its subscribers: facts may be added, never removed or changed.
"""

from __future__ import annotations

import uuid
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

KINDS: dict[str, type[Facts]] = {}


class Facts(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
    kinds: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, *, kinds: tuple[str, ...] = (), **options: object) -> None:
        super().__init_subclass__(**options)  # type: ignore[arg-type]
        cls.kinds = kinds
        for kind in kinds:
            if kind in KINDS:
                raise ValueError(f"two schemas for {kind}")
            KINDS[kind] = cls


class MessageReceived(Facts, kinds=("message.received",)):
    """A customer wrote just now. The subject is the message. Imported history and reactions do not happen."""

    conversation_id: uuid.UUID
    phone_number_id: uuid.UUID
    type: str


class MessageSent(Facts, kinds=("message.queued", "message.sent", "message.delivered", "message.read")):
    """A message of the business was put into the outbox, or got that far. The actor is who wrote it."""

    conversation_id: uuid.UUID
    source: str | None = None


class MessageFailed(Facts, kinds=("message.failed",)):
    """A message of the business was not delivered. `code` is Meta's."""

    conversation_id: uuid.UUID
    source: str | None = None
    code: int | None = None


class ConversationOpened(Facts, kinds=("conversation.opened",)):
    """The first message between a customer and one of our numbers. The subject is the conversation."""

    contact_id: uuid.UUID
    phone_number_id: uuid.UUID


class ConversationState(
    Facts,
    kinds=(
        "conversation.reopened",
        "conversation.pending",
        "conversation.snoozed",
        "conversation.woken",
        "conversation.resolved",
        "conversation.archived",
        "conversation.spam",
        "conversation.blocked",
    ),
):
    """The state of a conversation changed. `why`: "answered" (the customer wrote), "unhappy"; empty: by the actor."""

    why: str = ""
    until: str | None = None


class ConversationAssigned(Facts, kinds=("conversation.assigned",)):
    assignee_id: uuid.UUID


class ConversationUnassigned(Facts, kinds=("conversation.unassigned",)):
    assignee_id: uuid.UUID | None = None


class ConversationTeam(Facts, kinds=("conversation.team",)):
    """The conversation was given to a team, or taken from its team."""

    team_id: uuid.UUID | None = None


class ConversationClosing(Facts, kinds=("conversation.closing",)):
    """An hour is left to reply freely, and the customer waits. Once for each reply window."""

    closes_at: str


class ConversationHandling(
    Facts,
    kinds=(
        "conversation.taken",
        "conversation.handed_over",
        "conversation.released",
        "conversation.automation_paused",
    ),
):
    """A person wrote and has the conversation now, it was handed to the team, no one has it any more, or somebody
    stopped all automation in it."""


class NoteAdded(Facts, kinds=("note.added",)):
    conversation_id: uuid.UUID


class MentionAdded(Facts, kinds=("mention.added",)):
    """A note names a colleague. The subject is the mention."""

    conversation_id: uuid.UUID
    user_id: uuid.UUID


class ContactCreated(Facts, kinds=("contact.created",)):
    """`source`: "message" (they wrote, or the phone knew them) or "inbox"."""

    source: str


class ContactMerged(Facts, kinds=("contact.merged", "contact.unmerged")):
    """The subject is the contact that stays."""

    other_id: uuid.UUID


class ContactErased(Facts, kinds=("contact.erased",)):
    pass


class ContactTag(Facts, kinds=("tag.added", "tag.removed")):
    """The subject is the contact."""

    tag_id: uuid.UUID


class ContactFieldChanged(Facts, kinds=("field.changed",)):
    """The subject is the contact."""

    field_id: uuid.UUID


class ConsentChanged(Facts, kinds=("consent.changed",)):
    """The subject is the contact."""

    purpose: str
    is_granted: bool
    source: str


class NumberState(Facts, kinds=("number.connected", "number.paused", "number.resumed", "number.disconnected")):
    pass


class NumberChanged(Facts, kinds=("number.changed",)):
    """One thing that Meta says of a number changed: its quality, its limit, its name …"""

    what: str
    value: str


class PaymentReceived(Facts, kinds=("payment.received",)):
    """Another system reported that money came. The subject is the payment."""

    contact_id: uuid.UUID | None = None
    conversation_id: uuid.UUID | None = None


class SubscriptionState(Facts, kinds=("subscription.ended", "subscription.renewed")):
    """A subscription is over, or goes on until another day. The subject is the subscription."""

    contact_id: uuid.UUID | None = None
    conversation_id: uuid.UUID | None = None


class SubscriptionEnding(Facts, kinds=("subscription.ending",)):
    """A subscription ends in so many days: 14, 3 or 0. The subject is the subscription."""

    contact_id: uuid.UUID | None = None
    conversation_id: uuid.UUID | None = None
    days: int


class NotificationChanged(Facts, kinds=("notification.changed",)):
    """One was made, changed, paused, resumed or deleted. The subject is the notification."""


class TemplatesRefreshed(Facts, kinds=("template.refreshed",)):
    """The list of templates was read again. The subject is the WABA."""


class DirectSendStopped(Facts, kinds=("direct_send.stopped",)):
    """Meta refuses or reported messages without a template. The subject is the WABA."""


class TemplateState(
    Facts,
    kinds=("template.created", "template.awaiting", "template.returned", "template.submitted", "template.refused"),
):
    """A template was begun, waits for an owner's approval, was sent back by one, is on its way to Meta, or Meta did not
    take it. The subject is the template."""


class TemplateChanged(Facts, kinds=("template.changed",)):
    """Its `status`, `category` or `quality` changed. `source` says how that became known."""

    what: str
    before: str
    after: str
    source: str


class EntryPointTouched(Facts, kinds=("entry_point.touched",)):
    """A customer came by a link, button or ad. The subject is the conversation.

    `type` and `external_id` are of what it is about, where that is known. `is_shared`: another customer sent the same
    reference before.
    """

    conversation_id: uuid.UUID
    message_id: uuid.UUID
    entry_point_id: uuid.UUID | None = None
    reference_id: uuid.UUID | None = None
    type: str
    external_id: str | None = None
    is_first: bool
    is_shared: bool


class OnboardingState(Facts, kinds=("onboarding.connected", "onboarding.failed")):
    step: str | None = None


class FlowCompleted(Facts, kinds=("flow.completed",)):
    """A customer sent back a filled-in form (a WhatsApp Flow). The subject is the response.

    `flow_id` and `flow_version` are left out where the form is not one that we have.
    """

    conversation_id: uuid.UUID
    contact_id: uuid.UUID
    message_id: uuid.UUID
    flow_id: uuid.UUID | None = None
    flow_version: int | None = None


class ListingCreated(Facts, kinds=("listing.created", "listing.withdrawn")):
    """The subject is the listing. `contact_id` is its owner's."""

    external_id: str
    status: str
    contact_id: uuid.UUID | None = None


class ListingChanged(Facts, kinds=("listing.changed",)):
    """`changed` are the names of what is different."""

    external_id: str
    status: str
    contact_id: uuid.UUID | None = None
    changed: list[str] = []


class InquiryReceived(Facts, kinds=("inquiry.received",)):
    """A customer asks about a listing. The subject is the inquiry. `source`: "link", "api", "form" or "agent"."""

    listing_id: uuid.UUID
    external_id: str
    contact_id: uuid.UUID
    conversation_id: uuid.UUID | None = None
    source: str


class AlertSent(Facts, kinds=("alert.sent",)):
    """A contact got an alert about new listings for their saved searches. The subject is the contact."""

    alert_id: uuid.UUID
    listing_count: int


class AlertStopped(Facts, kinds=("alert.stopped",)):
    """No more alerts about a saved search. `how`: "customer", "agent", "api", "automation" or "consent".

    The subject is the contact.
    """

    saved_search_id: uuid.UUID
    how: str


class BookingMade(Facts, kinds=("booking.made", "booking.moved")):
    """A customer booked a time in a form, or another one with the same form. The subject is the booking."""

    contact_id: uuid.UUID
    flow_id: uuid.UUID | None = None


class AppointmentState(
    Facts,
    kinds=(
        "appointment.booked",
        "appointment.moved",
        "appointment.confirmed",
        "appointment.reschedule_requested",
        "appointment.cancelled",
        "appointment.no_show",
        "appointment.done",
    ),
):
    """An appointment was made or changed. The subject is the appointment; `version` tells its plans apart."""

    contact_id: uuid.UUID
    conversation_id: uuid.UUID | None = None
    version: int
    starts_at: str
    agent_id: uuid.UUID | None = None
    source: str


class RecordLinked(Facts, kinds=("record.linked", "record.unlinked")):
    """A record of another system was linked to a contact, or no longer is."""

    type: str
    source: str
    stage: str
    contact_id: uuid.UUID


class RecordChanged(Facts, kinds=("record.changed",)):
    """A record was created or changed. The stages are as its system calls them; "" where it has none."""

    type: str
    source: str
    stage: str
    stage_before: str
    is_new: bool = False


class RecordStaged(Facts, kinds=("record.staged",)):
    """The stage of a record changed. The subject is a contact that it is about: there is one for each of them."""

    record_id: uuid.UUID
    type: str
    stage: str
    stage_before: str
