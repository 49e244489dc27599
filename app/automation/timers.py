"""What begins by time: no one has replied for a while, or a date of a customer is reached."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable

from sqlalchemy import ColumnElement, select

from app.contacts.fields import ContactField, ContactFieldValue
from app.contacts.models import Contact
from app.hours.hours import OpeningHours
from app.hours.models import ServicePolicy
from app.inbox.conversations import Conversation, Message
from app.tenancy import as_uuid, db, now

from .engine import decide, newest_of
from .models import Automation, AutomationVersion
from .parts import Names
from .triggers import DateReached, NoReply
from .turns import Turn

AT_ONCE = 500
# What has been silent for longer was silent before the automation was there.
LATEST = dt.timedelta(days=30)
# A date whose time of day passed longer ago is let go: no one wants a greeting at night.
DATE_GRACE = dt.timedelta(hours=6)


def begin_without_reply() -> None:
    hours = ServicePolicy.current().hours
    for automation, version in Automation.listening({"no_reply"}):
        trigger = version.definition.trigger
        assert isinstance(trigger, NoReply)
        for conversation, since in silent(trigger):
            due = hours.after(since, dt.timedelta(minutes=trigger.minutes))
            if (automation.on_since or due) <= due <= now():
                happen(conversation, automation, version, since.isoformat())


def silent(trigger: NoReply) -> Iterable[tuple[Conversation, dt.datetime]]:
    """Conversations that wait for one side, and since when."""
    until = now() - dt.timedelta(minutes=trigger.minutes)
    active = Conversation.state.in_(("open", "pending")), Conversation.is_group.is_(False)
    if trigger.side == "team":
        since: ColumnElement[dt.datetime] = Conversation.waiting_since  # type: ignore[assignment]
        waits: ColumnElement[bool] = Conversation.waiting_since.is_not(None)
    else:
        since = Conversation.last_message_at  # type: ignore[assignment]
        ours = select(Message.id).where(Message.id == Conversation.last_message_id, Message.direction == "outbound")
        waits = Conversation.waiting_since.is_(None) & ours.exists()
    query = select(Conversation, since).where(*active, waits, since <= until, since > now() - LATEST)
    query = query.where(Conversation.merged_into_id.is_(None)).order_by(since.desc()).limit(AT_ONCE)
    return [(conversation, moment) for conversation, moment in db.session.execute(query)]


def begin_by_date() -> None:
    hours = ServicePolicy.current().hours
    for automation, version in Automation.listening({"date"}):
        trigger = version.definition.trigger
        assert isinstance(trigger, DateReached)
        for date in due_dates(trigger, hours):
            conversations = newest_of(contacts_with(trigger.field, date))
            for conversation in conversations.values():
                happen(conversation, automation, version, date.isoformat())


def due_dates(trigger: DateReached, hours: OpeningHours) -> list[dt.date]:
    """The dates in the field for which it is time now, by the clock of the business hours."""
    local = now().astimezone(hours.zone)
    due = []
    for day in (local.date(), local.date() - dt.timedelta(days=1)):
        moment = dt.datetime.combine(day, dt.time.fromisoformat(trigger.at), hours.zone)
        if dt.timedelta() <= local - moment < DATE_GRACE:
            due.append(day - dt.timedelta(days=trigger.offset))
    return due


def contacts_with(field_id: str, date: dt.date) -> set[uuid.UUID]:
    field = ContactField.find(as_uuid(field_id))
    if field is None:
        return set()
    query = select(ContactFieldValue.contact_id).join(Contact, Contact.id == ContactFieldValue.contact_id)
    mine = ContactFieldValue.field_id == field.id, ContactFieldValue.value == date.isoformat()
    listed = Contact.merged_into_id.is_(None), Contact.erased_at.is_(None)
    return set(db.session.scalars(query.where(*mine, *listed)))


def happen(conversation: Conversation, automation: Automation, version: AutomationVersion, key: str) -> None:
    """One automation decides about it, once."""
    kind = automation.trigger_kind
    turn = Turn(conversation, happening=kind, names=Names())
    decide(turn, [(automation, version)], f"{kind} {automation.id} {conversation.id} {key}")
