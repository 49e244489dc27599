"""One note in the CRM for each time a conversation is resolved."""

from __future__ import annotations

import datetime as dt
import html
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import Index, UniqueConstraint, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import settings
from app.inbox.conversations import Conversation, Message
from app.records.models import Record, of_contact
from app.tenancy import (
    Happened,
    Tenant,
    TenantModel,
    User,
    belongs_to,
    current_tenant_id,
    database_now,
    db,
    now,
    one_of,
    uuid7,
)

from .adapters import Adapter
from .calls import CrmFailure
from .models import CrmConnection

# The stored value of the state in which the CRM has no contact with the number.
NO_CONTACT = "nobody"
STATES = ("waiting", "writing", "written", NO_CONTACT, "failed")
# What may have been written is looked for after so long, before it is written again.
UNKNOWN_SECONDS = 60
RETRY_SECONDS = 30
LEASE = dt.timedelta(minutes=5)
# A CRM that is unavailable, or has no valid token, for longer gets no note about it.
PATIENCE = dt.timedelta(days=3)
# Of the messages, where the owner wants them quoted.
MOST_QUOTED, LONGEST_QUOTE = 30, 500
MOST_DEALS = 5


@dataclass(frozen=True, slots=True)
class Draft:
    """A note ready to be written: for whom, its HTML, and the mark by which it is found again."""

    person_id: str
    deal_ids: tuple[str, ...]
    html: str
    mark: str
    at: dt.datetime
    may_be_there: bool


class CrmNote(TenantModel):
    """A note about one resolution, which is one happening: the row is unique, so the note is.

    "writing" is stored before the CRM is called: a note in that state may have been written, and is looked for first.
    """

    __table_args__ = (
        belongs_to("crm_connections", "connection_id", ondelete="CASCADE"),
        belongs_to("contacts", "contact_id", ondelete="CASCADE"),
        belongs_to("conversations", "conversation_id", ondelete="CASCADE"),
        one_of("state", STATES),
        UniqueConstraint("tenant_id", "connection_id", "happening_id", name="uq_crm_notes_happening"),
        Index("ix_crm_notes_due", "tenant_id", "connection_id", "due_at", postgresql_where=text("due_at is not null")),
        Index("ix_crm_notes_contact", "tenant_id", "contact_id"),
        Index("ix_crm_notes_conversation", "tenant_id", "conversation_id"),
    )

    connection_id: Mapped[uuid.UUID]
    happening_id: Mapped[uuid.UUID]
    contact_id: Mapped[uuid.UUID]
    conversation_id: Mapped[uuid.UUID]
    state: Mapped[str] = mapped_column(default="waiting")
    external_id: Mapped[str] = mapped_column(default="", server_default="")
    due_at: Mapped[dt.datetime | None]
    attempts: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    problem: Mapped[str] = mapped_column(default="", server_default="")
    # Who resolved it, as they were called then.
    resolved_by: Mapped[str] = mapped_column(default="", server_default="")
    resolved_at: Mapped[dt.datetime]
    written_at: Mapped[dt.datetime | None]

    @classmethod
    def queue(cls, connection: CrmConnection, resolved: Sequence[tuple[Happened, Conversation]]) -> None:
        """Has a note written about each; the same again is the same note."""
        rows: list[dict[str, Any]] = [
            {
                "tenant_id": current_tenant_id(),
                "id": uuid7(),
                "connection_id": connection.id,
                "happening_id": one.id,
                "contact_id": conversation.contact_id,
                "conversation_id": conversation.id,
                "state": "waiting",
                "due_at": now(),
                "resolved_by": name_of(one),
                "resolved_at": one.at,
            }
            for one, conversation in resolved
        ]
        if rows:
            db.session.execute(insert(cls).values(rows).on_conflict_do_nothing())

    @classmethod
    def claim(cls, connection: CrmConnection) -> Self | None:
        """Leases the one that has waited longest."""
        at = database_now()
        due = select(cls).where(cls.connection_id == connection.id, cls.due_at <= at).order_by(cls.due_at, cls.id)
        note = db.session.scalar(due.limit(1).with_for_update(skip_locked=True))
        if note:
            note.due_at, note.attempts = at + LEASE, note.attempts + 1
        return note

    @classmethod
    def counts(cls, connection_id: uuid.UUID) -> dict[str, int]:
        """How many are in each state."""
        query = select(cls.state, func.count()).where(cls.connection_id == connection_id).group_by(cls.state)
        return {state: count for state, count in db.session.execute(query)}  # noqa: C416  typed so

    @property
    def mark(self) -> str:
        return f"SB-{self.id.hex}"

    def draft(self, connection: CrmConnection) -> Draft | None:
        """What is to be written; None where the CRM has no one with the number. From here on it may be there."""
        conversation = Conversation.find(self.conversation_id)
        if conversation is None or conversation.contact.is_erased:
            return None
        records = db.session.scalars(of_contact(conversation.contact_id).where(copied_from(connection))).all()
        people = [record.external_id for record in records if record.type == "contact"]
        if not people:
            return None
        deals = [record.external_id for record in records if record.type == "deal" and not record.gone_at]
        may_be_there, self.state = self.state == "writing", "writing"
        written = self.text_for(conversation, quotes=connection.quotes_messages)
        return Draft(people[0], tuple(deals[:MOST_DEALS]), written, self.mark, self.resolved_at, may_be_there)

    def text_for(self, conversation: Conversation, *, quotes: bool) -> str:
        """Facts: who, when, how much, where it is. The words of messages only where the owner chose so."""
        contact, mine = conversation.contact, self.messages()
        inbound = func.count().filter(Message.direction == "inbound")
        columns = func.count(), inbound, func.min(Message.occurred_at), func.max(Message.occurred_at)
        count, received, first, last = db.session.execute(select(*columns).where(*mine)).one()
        lines = [
            _("WhatsApp conversation resolved"),
            _("Customer: %(name)s", name=" ".join(filter(None, (contact.name, contact.phone)))),
            _("Resolved: %(when)s", when=in_utc(self.resolved_at)),
            _("By: %(name)s", name=self.resolved_by) if self.resolved_by else "",
            _("Messages: %(received)d received, %(sent)d sent", received=received, sent=count - received),
            f"{in_utc(first)} – {in_utc(last)}" if count else "",
        ]
        parts = [html.escape(line) for line in lines if line]
        link = html.escape(link_of(conversation))
        parts.append(f'<a href="{link}">{html.escape(_("Open the conversation"))}</a>')
        if quotes:
            newest = select(Message).where(*mine).order_by(Message.occurred_at.desc(), Message.id.desc())
            messages = db.session.scalars(newest.limit(MOST_QUOTED)).all()
            parts += [quote(message, contact.name) for message in reversed(messages) if message.words]
        parts.append(html.escape(_("Reference: %(mark)s", mark=self.mark)))
        return "<br>".join(parts)

    def messages(self) -> list[Any]:
        """The conditions of those since the resolution before this one."""
        before = select(func.max(CrmNote.resolved_at)).where(
            CrmNote.connection_id == self.connection_id,
            CrmNote.conversation_id == self.conversation_id,
            CrmNote.resolved_at < self.resolved_at,
        )
        mine = [Message.conversation_id == self.conversation_id, Message.occurred_at <= self.resolved_at]
        if since := db.session.scalar(before):
            mine.append(Message.occurred_at > since)
        return [*mine, Message.is_shown]

    def settle(self, external_id: str) -> None:
        self.state, self.external_id, self.written_at = "written", external_id[:200], now()
        self.due_at, self.problem = None, ""

    def finish(self, state: str, problem: str = "") -> None:
        self.state, self.problem, self.due_at = state, problem, None

    def fail(self, failure: CrmFailure) -> None:
        """Waits. What may have been applied stays "writing", and is looked for before it is written again."""
        self.problem = failure.kind
        if failure.kind == "invalid" or self.resolved_at < now() - PATIENCE:
            return self.finish("failed", failure.kind)
        seconds = RETRY_SECONDS
        if failure.may_have_worked:
            seconds = UNKNOWN_SECONDS
        elif self.state == "writing" and not failure.was_looking:
            self.state = "waiting"
        self.due_at = now() + dt.timedelta(seconds=seconds)
        return None


def write(adapter: Adapter, draft: Draft) -> str:
    """Writes the note, unless an earlier try did. Raises `CrmFailure`."""
    if draft.may_be_there:
        try:
            if there := adapter.note_with(draft.person_id, draft.mark):
                return there
        except CrmFailure as failure:
            failure.was_looking = True
            raise
    return adapter.write_note(draft.person_id, draft.deal_ids, draft.html, draft.at)


def copied_from(connection: CrmConnection) -> Any:
    return (Record.source == connection.provider) & Record.is_mirrored.is_(True)


def name_of(one: Happened) -> str:
    if one.actor is None:
        return ""
    if one.actor.user_id:
        return db.session.scalar(select(User.name).where(User.id == one.actor.user_id)) or one.actor.name
    return one.actor.label


def link_of(conversation: Conversation) -> str:
    tenant = db.session.get_one(Tenant, conversation.tenant_id)
    values = {"tenant_slug": tenant.slug, "conversation_id": conversation.id}
    return settings.public_url + current_app.url_map.bind("").build("inbox.show", values)


def in_utc(moment: dt.datetime) -> str:
    return f"{moment.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC"


def quote(message: Message, customer: str) -> str:
    author = customer if message.direction == "inbound" else _("We")
    return f"{html.escape(author)}: {html.escape(message.words[:LONGEST_QUOTE])}"
