"""What events say of their subjects: each resource as it is when the request is sent, in one shape per kind.

Read for many events at once, with a few statements for all of them.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from sqlalchemy import Uuid, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import selectinload

from app.api import Shape
from app.api.declaring import Time
from app.contacts.models import Contact
from app.inbox.api.shapes import ConversationShape, MessageShape, NoteShape
from app.inbox.conversations import Conversation, Message
from app.inbox.conversations.messages import Reaction
from app.inbox.desk.notes import Note
from app.message_templates.models import MessageTemplate
from app.tenancy import db
from app.wabas.models import PhoneNumber
from app.whatsapp_flows.api.shapes import FlowResponseShape
from app.whatsapp_flows.responses import FlowResponse


class EventContact(Shape):
    """A customer. `phone` and `wa_id` are null where WhatsApp hides the number; `bsuid` is Meta's id of the person."""

    id: uuid.UUID
    name: str
    phone: str | None
    wa_id: str | None
    bsuid: str | None
    username: str | None
    tags: list[str]
    is_erased: bool
    last_seen_at: Time | None
    created_at: Time

    @classmethod
    def of(cls, contact: Contact) -> Self:
        wa_id = contact.identity("wa_id")
        return cls(
            id=contact.id,
            name=contact.name,
            phone=f"+{wa_id}" if wa_id else None,
            wa_id=wa_id,
            bsuid=contact.identity("bsuid"),
            username=contact.username,
            tags=[tag.name for tag in contact.tags],
            is_erased=contact.is_erased,
            last_seen_at=contact.seen_at,
            created_at=contact.created_at,
        )


class EventNumber(Shape):
    """A number of the business. `meta_id` is Meta's phone number id."""

    id: uuid.UUID
    meta_id: str
    display_number: str
    verified_name: str
    state: str
    quality_rating: str
    messaging_limit: str

    @classmethod
    def of(cls, number: PhoneNumber) -> Self:
        return cls(
            id=number.id,
            meta_id=number.meta_id,
            display_number=number.display_number,
            verified_name=number.verified_name,
            state=number.state,
            quality_rating=number.quality_rating,
            messaging_limit=number.messaging_limit,
        )


class EventTemplate(Shape):
    """A message template in one language. A draft has no `meta_id`."""

    id: uuid.UUID
    waba_id: uuid.UUID
    meta_id: str | None
    name: str
    language: str
    category: str
    status: str
    quality_score: str | None

    @classmethod
    def of(cls, template: MessageTemplate) -> Self:
        return cls(
            id=template.id,
            waba_id=template.waba_id,
            meta_id=template.meta_id,
            name=template.name,
            language=template.language,
            category=template.category,
            status=template.status,
            quality_score=template.quality_score,
        )


SHAPES: dict[str, type[Shape]] = {
    "message": MessageShape,
    "conversation": ConversationShape,
    "contact": EventContact,
    "note": NoteShape,
    "number": EventNumber,
    "template": EventTemplate,
    "response": FlowResponseShape,
}


def find(model: Any, ids: Iterable[uuid.UUID | None], *options: Any) -> dict[uuid.UUID, Any]:
    """The rows with these ids in the current tenant."""
    wanted = [id for id in set(ids) if id]
    if not wanted:
        return {}
    # One array and not a list of parameters: the statement stays the same, however many there are.
    query = select(model).where(model.id == func.any(bindparam("ids", wanted, type_=ARRAY(Uuid)))).options(*options)
    return {row.id: row for row in db.session.scalars(query).unique()}


@dataclass
class Resources:
    """The resources of some events, by kind and id."""

    found: dict[str, dict[uuid.UUID, Shape]] = field(default_factory=dict)

    @classmethod
    def of(cls, events: Sequence[Any]) -> Self:
        """`events` have `resources`, `subject_id` and `conversation_id`. Each kind is read with a few statements."""
        made = cls()
        made.read("message", Message, made.subjects(events, "message"), MessageShape.of, *PARTS_OF_MESSAGE)
        made.read("note", Note, made.subjects(events, "note"), NoteShape.of)
        made.read("number", PhoneNumber, made.subjects(events, "number"), EventNumber.of)
        made.read("template", MessageTemplate, made.subjects(events, "template"), EventTemplate.of)
        parts = selectinload(FlowResponse.flow), selectinload(FlowResponse.version)
        made.read("response", FlowResponse, made.subjects(events, "response"), FlowResponseShape.of, *parts)
        talks = [event.conversation_id for event in events if "conversation" in event.resources]
        made.read("conversation", Conversation, talks, ConversationShape.of)
        contacts = [one.contact_id for one in made.found["conversation"].values()]  # type: ignore[attr-defined]
        contacts += [event.subject_id for event in events if event.resources == ("contact",)]
        made.read("contact", Contact, contacts, EventContact.of, *PARTS_OF_CONTACT)
        return made

    @staticmethod
    def subjects(events: Sequence[Any], kind: str) -> list[uuid.UUID]:
        return [event.subject_id for event in events if event.resources[:1] == (kind,)]

    def read(
        self, kind: str, model: Any, ids: Iterable[uuid.UUID | None], shape: Callable[[Any], Shape], *options: Any
    ) -> None:
        self.found[kind] = {id: shape(row) for id, row in find(model, ids, *options).items()}

    def around(self, event: Any) -> dict[str, Shape | None]:
        """The resources of one event; null where it is gone."""
        ids = {event.resources[0]: event.subject_id} if event.resources else {}
        if "conversation" in event.resources:
            ids["conversation"] = event.conversation_id
            talk = self.found["conversation"].get(event.conversation_id)
            ids["contact"] = talk and talk.contact_id  # type: ignore[attr-defined]
        return {kind: self.found[kind].get(ids[kind]) for kind in event.resources}


PARTS_OF_MESSAGE = (
    selectinload(Message.media),
    selectinload(Message.changes),
    selectinload(Message.reactions).selectinload(Reaction.message),
)
PARTS_OF_CONTACT = (selectinload(Contact.identities), selectinload(Contact.tags))
