"""What events say of their subjects: each resource as it is when the request is sent, in the shape that the API has.

Read for many events at once, with a few statements for all of them.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from sqlalchemy import select
from sqlalchemy.orm import selectinload, undefer

from app.api import Shape
from app.appointments.api.shapes import AppointmentShape
from app.appointments.models import Appointment
from app.contacts.api.shapes import ContactShape
from app.contacts.models import Contact
from app.inbox.api.shapes import ConversationShape, MessageShape, NoteShape
from app.inbox.conversations import Conversation, Message
from app.inbox.conversations.messages import Reaction
from app.inbox.desk.notes import Note
from app.listings.api.shapes import InquiryShape, ListingShape
from app.listings.inquiries import Inquiry
from app.listings.models import Listing
from app.message_templates.api.shapes import TemplateSummary
from app.message_templates.models import MessageTemplate
from app.payments.api.shapes import PaymentShape
from app.payments.models import Payment
from app.records.api.shapes import RecordShape
from app.records.models import Record
from app.subscriptions.api.shapes import SubscriptionSummary
from app.subscriptions.models import Subscription
from app.tenancy import among, db
from app.wabas.api import NumberShape
from app.wabas.models import PhoneNumber
from app.whatsapp_flows.api.shapes import FlowResponseShape
from app.whatsapp_flows.responses import FlowResponse

SHAPES: dict[str, type[Shape]] = {
    "message": MessageShape,
    "conversation": ConversationShape,
    "contact": ContactShape,
    "note": NoteShape,
    "number": NumberShape,
    "template": TemplateSummary,
    "response": FlowResponseShape,
    "payment": PaymentShape,
    "subscription": SubscriptionSummary,
    "listing": ListingShape,
    "inquiry": InquiryShape,
    "appointment": AppointmentShape,
    "record": RecordShape,
}


def find(model: Any, ids: Iterable[uuid.UUID | None], *options: Any) -> dict[uuid.UUID, Any]:
    """The rows with these ids in the current tenant."""
    wanted = [id for id in set(ids) if id]
    if not wanted:
        return {}
    # One array and not a list of parameters: the statement stays the same, however many there are.
    query = select(model).where(among(model.id, wanted)).options(*options)
    return {row.id: row for row in db.session.scalars(query).unique()}


@dataclass
class Resources:
    """The resources of some events, by kind and id."""

    loaded: dict[str, dict[uuid.UUID, Shape]] = field(default_factory=dict)

    @classmethod
    def of(cls, events: Sequence[Any]) -> Self:
        """`events` have `resources`, `subject_id` and `conversation_id`. Each kind is read with a few statements."""
        made = cls()
        made.read("message", Message, made.subjects(events, "message"), MessageShape.of, *PARTS_OF_MESSAGE)
        made.read("note", Note, made.subjects(events, "note"), NoteShape.of)
        made.read("number", PhoneNumber, made.subjects(events, "number"), NumberShape.of, *PARTS_OF_NUMBER)
        made.read("template", MessageTemplate, made.subjects(events, "template"), TemplateSummary.of)
        parts = selectinload(FlowResponse.flow), selectinload(FlowResponse.version)
        made.read("response", FlowResponse, made.subjects(events, "response"), FlowResponseShape.of, *parts)
        made.read("payment", Payment, made.subjects(events, "payment"), PaymentShape.of)
        made.read("subscription", Subscription, made.subjects(events, "subscription"), SubscriptionSummary.of)
        made.read("listing", Listing, made.subjects(events, "listing"), ListingShape.of, undefer(Listing.description))
        made.read("inquiry", Inquiry, made.subjects(events, "inquiry"), InquiryShape.of, selectinload(Inquiry.listing))
        made.read("appointment", Appointment, made.subjects(events, "appointment"), AppointmentShape.of)
        made.read("record", Record, made.subjects(events, "record"), RecordShape.of)
        talks = [event.conversation_id for event in events if "conversation" in event.resources]
        made.read("conversation", Conversation, talks, ConversationShape.of)
        contacts = [one.contact_id for one in made.loaded["conversation"].values()]  # type: ignore[attr-defined]
        for kind in ("appointment", "payment", "subscription"):
            contacts += [one.contact_id for one in made.loaded[kind].values()]  # type: ignore[attr-defined]
        contacts += [event.subject_id for event in events if event.resources == ("contact",)]
        rows = list(find(Contact, contacts).values())
        made.loaded["contact"] = {row.id: shape for row, shape in zip(rows, ContactShape.of_all(rows), strict=True)}
        return made

    @staticmethod
    def subjects(events: Sequence[Any], kind: str) -> list[uuid.UUID]:
        return [event.subject_id for event in events if event.resources[:1] == (kind,)]

    def read(
        self, kind: str, model: Any, ids: Iterable[uuid.UUID | None], shape: Callable[[Any], Shape], *options: Any
    ) -> None:
        self.loaded[kind] = {id: shape(row) for id, row in find(model, ids, *options).items()}

    def around(self, event: Any) -> dict[str, Shape | None]:
        """The resources of one event; null where it is gone."""
        ids = {event.resources[0]: event.subject_id} if event.resources else {}
        if "conversation" in event.resources:
            ids["conversation"] = event.conversation_id
            talk = self.loaded["conversation"].get(event.conversation_id)
            # It may be about somebody who has not written yet.
            about = talk or self.loaded[event.resources[0]].get(event.subject_id)
            ids["contact"] = getattr(about, "contact_id", None)
        return {kind: self.loaded[kind].get(ids[kind]) for kind in event.resources}


PARTS_OF_MESSAGE = (
    selectinload(Message.media),
    selectinload(Message.changes),
    selectinload(Message.reactions).selectinload(Reaction.message),
)
PARTS_OF_NUMBER = (selectinload(PhoneNumber.waba),)
