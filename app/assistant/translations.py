"""A customer's message in the language of whoever reads it: translated once, and stored beside the message."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from typing import Self

from sqlalchemy import Index, UniqueConstraint, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from app.inbox.conversations import Message
from app.tenancy import TenantModel, announce, belongs_to, commit, current_tenant_id, db, now, uuid7

from .access import ModelAccess
from .gate import is_over_budget
from .helps import RULES, TASKS, current_setup
from .media_readings import MediaReading
from .providers.calling import write
from .providers.completion import NOTHING, ModelError, Prompt
from .situations import tenant_name
from .turns import AssistantTurn

LONGEST = 4_096


class MessageTranslation(TenantModel):
    __table_args__ = (
        belongs_to("conversations", "conversation_id", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "message_id", "language"),
        Index("ix_message_translations_conversation", "tenant_id", "conversation_id"),
    )

    # No foreign key: rows of messages that WhatsApp withdrew go.
    message_id: Mapped[uuid.UUID]
    conversation_id: Mapped[uuid.UUID]
    # The code of the reader's language.
    language: Mapped[str]
    words: Mapped[str]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)

    @classmethod
    def of_conversation(cls, conversation_id: uuid.UUID, language: str) -> dict[uuid.UUID, Self]:
        """By message."""
        mine = cls.conversation_id == conversation_id, cls.language == language
        return {one.message_id: one for one in db.session.scalars(select(cls).where(*mine))}

    @classmethod
    def of_message(cls, message: Message, language: str) -> Self | None:
        found = db.session.scalar(select(cls).where(cls.message_id == message.id, cls.language == language))
        return found if found and found.is_of(message) else None

    def is_of(self, message: Message) -> bool:
        """Whether it is of what the message says now: not of its words before an edit."""
        return not any(edit.created_at > self.created_at for edit in message.edits)

    @classmethod
    def save(cls, message: Message, language: str, words: str, at: dt.datetime) -> None:
        """`at`: when the message was read."""
        values = {"tenant_id": current_tenant_id(), "id": uuid7(), "message_id": message.id, "language": language}
        newer = {"words": words, "created_at": at}
        row = insert(cls).values(values | newer | {"conversation_id": message.conversation_id})
        db.session.execute(
            row.on_conflict_do_update(index_elements=["tenant_id", "message_id", "language"], set_=newer)
        )
        announce("conversation", message.conversation_id)


def original_of(message: Message) -> str:
    """Its words, and what was heard or seen in its file; nothing of a message that was withdrawn."""
    heard = MediaReading.words_in([message]).get(message.id, "")
    return "" if message.is_deleted else "\n".join(filter(None, (message.words, heard)))


def translate(message: Message, language: str, name: str) -> str:
    """Translates a message into a language (`name` in English). Returns the problem, or "". Commits before the call."""
    original, at = original_of(message), now()
    if not original:
        return "no_text"
    if MessageTranslation.of_message(message, language):
        return ""
    access, setup = ModelAccess.usable(), current_setup()
    if access is None:
        return "no_model"
    if is_over_budget(setup):
        return "over_budget"
    data = {"task": "translate", "text": original[:LONGEST], "language": name}
    system = RULES.format(business=tenant_name(), task=TASKS["translate"])
    prompt = Prompt(system, (("user", json.dumps(data, ensure_ascii=False)),), setup.most_tokens)
    endpoint, price = access.endpoint(setup.model), access.price
    message_id, conversation_id = message.id, message.conversation_id
    commit()
    words, problem, usage = "", "", NOTHING
    try:
        raw = write(endpoint, prompt)
        words, usage = raw.text.replace("\x00", "").strip()[: 2 * LONGEST], raw.usage
    except ModelError as error:
        problem, usage = error.problem, error.usage
    cost = price.of(usage.input, usage.output) if price else None
    AssistantTurn.note_help("translate", endpoint.model, usage, cost, problem, conversation_id)
    # Meanwhile its words may have been edited, withdrawn or erased: a translation of those is not stored.
    present = Message.find(message_id)
    if words and present and original_of(present.refresh_locked()) == original:
        MessageTranslation.save(present, language, words, at)
    return problem
