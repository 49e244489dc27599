"""What a conversation looks like to the assistant: its transcript since it was last resolved, and its contact."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, func, select

from app.contacts.fields import ContactField, ContactFieldValue
from app.inbox.conversations import GREETING, Conversation, HandlingStretch, Message
from app.inbox.conversations.activities import Activity
from app.inbox.inbound.surveys import score_of
from app.meta.payload import mapping
from app.tenancy import Tenant, current_tenant_id, db

from .assistant import Setup
from .engine import Situation
from .media_readings import MediaReading
from .phrases import PERSON_BUTTON_ID
from .prompt import Line

MOST_MESSAGES = 40
NO_ANSWERS = ("away", GREETING)
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
PEOPLE_BEGIN = "From here on, people of the team answered."
PEOPLE_END = "From here on, you answer again."


@dataclass(frozen=True, slots=True)
class Talk:
    """The messages since the conversation was last resolved, oldest first."""

    conversation: Conversation
    messages: Sequence[Message]
    since: dt.datetime
    # What was heard or seen in files, by message.
    read: Mapping[uuid.UUID, str] = field(default_factory=dict)

    @classmethod
    def of(cls, conversation: Conversation) -> Talk:
        since = last_resolution(conversation.id)
        query = conversation.thread().where(Message.occurred_at > since).limit(MOST_MESSAGES)
        return cls.made_of(conversation, list(db.session.scalars(query))[::-1], since)

    @classmethod
    def resolved(cls, conversation: Conversation) -> Talk:
        """The messages before the last resolution, since the one before that."""
        query = resolutions(conversation.id).order_by(Activity.occurred_at.desc()).limit(2)
        last, before = [*db.session.scalars(query), EPOCH, EPOCH][:2]
        history = conversation.thread().where(Message.occurred_at > before, Message.occurred_at <= last)
        return cls.made_of(conversation, list(db.session.scalars(history.limit(MOST_MESSAGES)))[::-1], before)

    @classmethod
    def made_of(cls, conversation: Conversation, messages: Sequence[Message], since: dt.datetime) -> Talk:
        return cls(conversation, messages, since, MediaReading.words_in(messages))

    def words_in(self, message: Message) -> str:
        """Its words, and those of its file."""
        if message.is_deleted or message.shape == "erased":
            return ""
        return "\n".join(filter(None, (message.words, self.read.get(message.id, ""))))

    @property
    def unanswered(self) -> list[Message]:
        """The customer's messages that no one has answered: those at the end."""
        unanswered: list[Message] = []
        for message in reversed(self.messages):
            if message.is_outbound and message.state not in ("failed", "expired", "cancelled", "scheduled"):
                # An out-of-office reply and a greeting are no answers.
                if message.source in NO_ANSWERS:
                    continue
                break
            if not message.is_outbound:
                unanswered.insert(0, message)
        return unanswered

    @property
    def before(self) -> list[str]:
        """What the customer wrote before that."""
        unanswered = {message.id for message in self.unanswered}
        theirs = [one for one in self.messages if not one.is_outbound and one.id not in unanswered]
        return list(filter(None, map(self.words_in, theirs)))

    @property
    def lines(self) -> tuple[Line, ...]:
        """The transcript, with marks where people took over and where they were done."""
        marks: list[tuple[dt.datetime, Line]] = []
        for stretch in stretches(self.conversation.id, self.since):
            marks.append((stretch.started_at, Line("note", PEOPLE_BEGIN)))
            if stretch.ended_at:
                marks.append((stretch.ended_at, Line("note", PEOPLE_END)))
        history = [(message.occurred_at, Line(who_wrote(message), self.line_of(message))) for message in self.messages]
        return tuple(line for _at, line in sorted([*history, *marks], key=lambda one: one[0]) if line.words)

    def line_of(self, message: Message) -> str:
        """Its words, with what it is where it is no text; of one without words, what it is."""
        if message.is_deleted or message.shape == "erased":
            return ""
        if read := self.read.get(message.id):
            return f"[{message.type}: {read}] {message.words}".strip()
        return message.words or f"[{message.type or 'message'}]"


def last_resolution(conversation_id: uuid.UUID) -> dt.datetime:
    return db.session.scalar(resolutions(conversation_id).with_only_columns(func.max(Activity.occurred_at))) or EPOCH


def resolutions(conversation_id: uuid.UUID) -> Select[dt.datetime]:
    mine = Activity.conversation_id == conversation_id, Activity.kind.in_(("resolved", "archived"))
    return select(Activity.occurred_at).where(*mine)


def stretches(conversation_id: uuid.UUID, since: dt.datetime) -> Sequence[HandlingStretch]:
    mine = HandlingStretch.conversation_id == conversation_id, HandlingStretch.started_at > since
    return db.session.scalars(select(HandlingStretch).where(*mine).order_by(HandlingStretch.started_at)).all()


def who_wrote(message: Message) -> str:
    if not message.is_outbound:
        return "customer"
    return "person" if message.sent_by and message.sent_by.takes_over else "assistant"


def is_answer_to_survey(message: Message) -> bool:
    return score_of(message.type or "", message.raw) is not None


def is_form(message: Message) -> bool:
    """Whether it is a form that the customer filled in, whose answers are stored."""
    return bool(message.raw.get("nfm_reply"))


def tapped_person(message: Message) -> bool:
    """Whether it is a tap on our button “Talk to a person”."""
    return mapping(message.raw.get("button_reply")).get("id") == PERSON_BUTTON_ID


def contact_facts(conversation: Conversation, setup: Setup) -> dict[str, str]:
    """This contact's own data, as far as a person has switched that on."""
    contact = conversation.contact
    facts = {"name": contact.first_name or ""}
    if setup.tools.contact_fields:
        query = select(ContactField.name, ContactFieldValue.value).join(
            ContactFieldValue, ContactFieldValue.field_id == ContactField.id
        )
        rows = db.session.execute(query.where(ContactFieldValue.contact_id == contact.id))
        facts |= {row[0]: row[1] for row in rows}
        facts["tags"] = ", ".join(tag.name for tag in contact.tags)
    return {name: value for name, value in facts.items() if value}


def situation_of(talk: Talk, setup: Setup, *, language: str, asked_back: int) -> Situation:
    conversation, waiting = talk.conversation, talk.unanswered
    facts = contact_facts(conversation, setup)
    own = (*facts.values(), conversation.contact.phone or "", conversation.phone_number.display_number)
    return Situation(
        setup=setup,
        business=tenant_name(),
        questions=tuple(filter(None, map(talk.words_in, waiting))),
        lines=talk.lines,
        contact=facts,
        own=own,
        before=tuple(talk.before),
        language=language,
        tapped_person=any(map(tapped_person, waiting)),
        asked_back=asked_back,
    )


def tenant_name() -> str:
    tenant: Any = db.session.get(Tenant, current_tenant_id())
    return str(tenant.name) if tenant else ""
