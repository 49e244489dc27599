"""What events say of their subjects: each resource as it is when the request is sent, in one shape per kind.

Read for many events at once, with a few statements for all of them.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from pydantic import BaseModel, ConfigDict
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from app.contacts.models import Contact
from app.inbox.conversations import Conversation, Message
from app.inbox.desk.notes import Note
from app.inbox.files.media import Media
from app.message_templates.models import MessageTemplate
from app.meta.payload import mapping
from app.tenancy import Actor, db
from app.wabas.models import PhoneNumber


class Resource(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ActorResource(Resource):
    """Who did it: a team member, an automation, a campaign, an API key, the phone, or Switchboard itself."""

    kind: str
    id: uuid.UUID | None
    name: str

    @classmethod
    def of(cls, actor: Actor | None) -> Self | None:
        return cls(kind=actor.kind, id=actor.id, name=actor.name) if actor else None


class FileResource(Resource):
    """The file of a message."""

    id: uuid.UUID
    kind: str
    filename: str
    content_type: str
    size: int | None
    state: str

    @classmethod
    def of(cls, file: Media | None) -> Self | None:
        if file is None:
            return None
        return cls(
            id=file.id,
            kind=file.kind,
            filename=file.filename,
            content_type=file.content_type or file.mime,
            size=file.size,
            state=file.state,
        )


class MessageError(Resource):
    """Why a message was not sent or not delivered. `code` is Meta's."""

    code: int | None
    title: str

    @classmethod
    def of(cls, error: dict[str, Any] | None) -> Self | None:
        if not error:
            return None
        code = error.get("code")
        return cls(code=code if isinstance(code, int) else None, title=str(error.get("title") or ""))


class MessageResource(Resource):
    """A message either way. `body` is its text after the last edit; a deleted or erased message has none."""

    id: uuid.UUID
    conversation_id: uuid.UUID
    phone_number_id: uuid.UUID
    direction: str
    type: str
    state: str
    body: str
    wamid: str | None
    reply_to_wamid: str | None
    file: FileResource | None
    sent_by: ActorResource | None
    source: str | None
    error: MessageError | None
    is_deleted: bool
    occurred_at: dt.datetime

    @classmethod
    def of(cls, message: Message) -> Self:
        is_gone = message.is_deleted or bool(mapping(message.content).get("erased"))
        return cls(
            id=message.id,
            conversation_id=message.conversation_id,
            phone_number_id=message.phone_number_id,
            direction=message.direction,
            type=message.type,
            state=message.state,
            body="" if is_gone else message.words,
            wamid=message.wamid,
            reply_to_wamid=message.reply_to_wamid,
            file=None if is_gone else FileResource.of(message.media),
            sent_by=ActorResource.of(message.sent_by),
            source=message.source,
            error=MessageError.of(message.error),
            is_deleted=is_gone,
            occurred_at=message.occurred_at,
        )


class ConversationResource(Resource):
    """All that one contact and one number wrote to each other."""

    id: uuid.UUID
    contact_id: uuid.UUID
    phone_number_id: uuid.UUID
    state: str
    assignee_id: uuid.UUID | None
    team_id: uuid.UUID | None
    unread_count: int
    waiting_since: dt.datetime | None
    window_closes_at: dt.datetime | None
    last_message_at: dt.datetime
    created_at: dt.datetime

    @classmethod
    def of(cls, talk: Conversation) -> Self:
        return cls(
            id=talk.id,
            contact_id=talk.contact_id,
            phone_number_id=talk.phone_number_id,
            state=talk.state,
            assignee_id=talk.assignee_id,
            team_id=talk.team_id,
            unread_count=talk.unread_count,
            waiting_since=talk.waiting_since,
            window_closes_at=talk.window_closes_at,
            last_message_at=talk.last_message_at,
            created_at=talk.created_at,
        )


class ContactResource(Resource):
    """A customer. `wa_id` is null where WhatsApp hides the number; `bsuid` is Meta's id of the person for a portfolio."""

    id: uuid.UUID
    name: str
    wa_id: str | None
    bsuid: str | None
    username: str | None
    tags: list[str]
    is_erased: bool
    last_seen_at: dt.datetime | None
    created_at: dt.datetime

    @classmethod
    def of(cls, contact: Contact) -> Self:
        return cls(
            id=contact.id,
            name=contact.name,
            wa_id=contact.identity("wa_id"),
            bsuid=contact.identity("bsuid"),
            username=contact.username,
            tags=[tag.name for tag in contact.tags],
            is_erased=contact.is_erased,
            last_seen_at=contact.seen_at,
            created_at=contact.created_at,
        )


class NoteResource(Resource):
    """A private note on a conversation, which only the team sees."""

    id: uuid.UUID
    conversation_id: uuid.UUID
    body: str
    occurred_at: dt.datetime

    @classmethod
    def of(cls, note: Note) -> Self:
        return cls(id=note.id, conversation_id=note.conversation_id, body=note.body, occurred_at=note.occurred_at)


class NumberResource(Resource):
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


class TemplateResource(Resource):
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


SHAPES: dict[str, type[Resource]] = {
    "message": MessageResource,
    "conversation": ConversationResource,
    "contact": ContactResource,
    "note": NoteResource,
    "number": NumberResource,
    "template": TemplateResource,
}


def find(model: Any, ids: Iterable[uuid.UUID | None], *options: Any) -> dict[uuid.UUID, Any]:
    """The rows with these ids in the current tenant, as they are now."""
    wanted = [id for id in set(ids) if id]
    if not wanted:
        return {}
    query = select(model).where(model.id.in_(wanted)).options(*options).execution_options(populate_existing=True)
    return {row.id: row for row in db.session.scalars(query).unique()}


@dataclass
class Resources:
    """The resources of some events, by kind and id."""

    found: dict[str, dict[uuid.UUID, Resource]] = field(default_factory=dict)

    @classmethod
    def of(cls, events: Sequence[Any]) -> Self:
        """`events` have `resources`, `subject_id` and `conversation_id`. Each kind is read with one statement or few."""
        made = cls()
        made.read("message", Message, made.subjects(events, "message"), MessageResource.of, *PARTS_OF_MESSAGE)
        made.read("note", Note, made.subjects(events, "note"), NoteResource.of)
        made.read("number", PhoneNumber, made.subjects(events, "number"), NumberResource.of)
        made.read("template", MessageTemplate, made.subjects(events, "template"), TemplateResource.of)
        talks = [event.conversation_id for event in events if "conversation" in event.resources]
        made.read("conversation", Conversation, talks, ConversationResource.of)
        contacts = [one.contact_id for one in made.found["conversation"].values()]  # type: ignore[attr-defined]
        contacts += [event.subject_id for event in events if event.resources == ("contact",)]
        made.read("contact", Contact, contacts, ContactResource.of, *PARTS_OF_CONTACT)
        return made

    @staticmethod
    def subjects(events: Sequence[Any], kind: str) -> list[uuid.UUID]:
        return [event.subject_id for event in events if event.resources[:1] == (kind,)]

    def read(self, kind: str, model: Any, ids: Iterable[uuid.UUID | None], shape: Callable[[Any], Resource], *options: Any) -> None:
        self.found[kind] = {id: shape(row) for id, row in find(model, ids, *options).items()}

    def around(self, event: Any) -> dict[str, Resource | None]:
        """The resources of one event; null where it is gone."""
        ids = {event.resources[0]: event.subject_id} if event.resources else {}
        if "conversation" in event.resources:
            ids["conversation"] = event.conversation_id
            talk = self.found["conversation"].get(event.conversation_id)
            ids["contact"] = talk and talk.contact_id  # type: ignore[attr-defined]
        return {kind: self.found[kind].get(ids[kind]) for kind in event.resources}


PARTS_OF_MESSAGE = (selectinload(Message.media), selectinload(Message.changes))
PARTS_OF_CONTACT = (selectinload(Contact.identities), selectinload(Contact.tags))
