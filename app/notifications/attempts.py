"""A feature sends a notification to a contact: what became of it, as data that its own row keeps."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on

from app.contacts.models import Contact
from app.inbox.compose.problems import NOT_SENT
from app.inbox.conversations import ClientIdReused, Conversation, Message, Refusal
from app.inbox.conversations.gate import AS_ERROR
from app.meta.outgoing import Refused
from app.tenancy import Actor, among, db
from app.words import N_

from .many import Outcome, Wanted, send_many
from .models import Notification
from .refusals import Invalid
from .values import MISSING

NO_CONTACT = N_("It belongs to no contact.")
NO_NOTIFICATION = N_("No notification was chosen for it.")
NEEDS = N_("The notification needs a value for {names}.")
BROKEN = N_("This wasn't sent because of an error in Switchboard. It was reported.")
Problem = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Attempt:
    """The message, or why there is none: `words` and what they need, to be read in any language."""

    message: Message | None = None
    problem: Problem | None = None

    @property
    def message_id(self) -> uuid.UUID | None:
        return self.message.id if self.message else None

    @classmethod
    def make(
        cls,
        notification: Notification | None,
        contact: Contact | None,
        facts: Mapping[str, str],
        *,
        by: Actor,
        client_id: uuid.UUID,
    ) -> Attempt:
        """Sends it with those facts that it has variables for. Where it is refused, nothing of it stays."""
        if notification is None:
            return cls(problem={"words": NO_NOTIFICATION})
        if contact is None:
            return cls(problem={"words": NO_CONTACT})
        try:
            with db.session.begin_nested():
                conversation = notification.conversation_with(contact, by=by)
                given = notification.pick(facts)
                return cls(notification.send(conversation, given, by=by, client_id=client_id))
        except NOT_SENT as error:
            return cls(problem=as_problem(error))

    @classmethod
    def of(cls, outcome: Outcome) -> Self:
        match outcome:
            case Message():
                return cls(outcome)
            case None:
                return cls(problem={"words": BROKEN})
        return cls(problem=as_problem(outcome))

    @classmethod
    def make_all(cls, orders: Sequence[Order], *, by: Actor) -> dict[uuid.UUID, Self]:
        """The same for many at once, by their `client_id`."""
        made: dict[uuid.UUID, Self] = {}
        wanted = []
        for one in orders:
            if one.notification is None:
                made[one.client_id] = cls(problem={"words": NO_NOTIFICATION})
            elif one.contact is None:
                made[one.client_id] = cls(problem={"words": NO_CONTACT})
            else:
                wanted.append(Wanted(one.notification, one.contact, one.client_id, one.values))
        return made | {client_id: cls.of(outcome) for client_id, outcome in send_many(wanted, by=by).items()}


@dataclass(frozen=True, slots=True)
class Order:
    """One of many attempts."""

    notification: Notification | None
    contact: Contact | None
    facts: Mapping[str, str]
    client_id: uuid.UUID

    def values(self, _variant: object, _talk: object) -> Mapping[str, str]:
        return self.facts


def newest_conversations(contact_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
    """`newest_conversation` of each of these contacts that has one."""
    theirs = among(Conversation.contact_id, contact_ids), Conversation.merged_into_id.is_(None)
    query = select(Conversation.contact_id, Conversation.id).where(*theirs)
    newest = query.ext(distinct_on(Conversation.contact_id))
    rows = db.session.execute(newest.order_by(Conversation.contact_id, Conversation.last_message_at.desc()))
    return {row.contact_id: row.id for row in rows}


def newest_conversation(contact_id: uuid.UUID | None) -> uuid.UUID | None:
    """The conversation in which something about a contact happens: the one they wrote in last."""
    theirs = Conversation.contact_id == contact_id, Conversation.merged_into_id.is_(None)
    query = select(Conversation.id).where(*theirs).order_by(Conversation.last_message_at.desc())
    return db.session.scalar(query.limit(1)) if contact_id else None


def as_problem(error: Exception) -> Problem:
    match error:
        case Invalid(mistakes=mistakes) if all(one.words == MISSING for one in mistakes.values()):
            return {"words": NEEDS, "facts": {"names": ", ".join(mistakes)}}
        case Refused():
            return {"words": error.words, "facts": {name: str(value) for name, value in error.facts.items()}}
        case Refusal(facts={"words": str(words), **rest}):
            return {"words": words, "facts": {name: str(value) for name, value in rest.items()}}
        case Refusal():
            return {"words": AS_ERROR[error.kind]["title"]}
        case ClientIdReused():
            return {"words": N_("Another message was sent for it before.")}
    raise error


def words_of(problem: Problem | None) -> str:
    """In the reader's language."""
    return str(_(problem["words"])).format(**problem.get("facts", {})) if problem else ""
