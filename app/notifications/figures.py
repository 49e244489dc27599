"""What became of the notifications of the last 30 days, and who sent them."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import func, select, text
from sqlalchemy.orm import joinedload

from app.api import ApiKey
from app.contacts.models import Contact
from app.inbox.conversations import Conversation, Message
from app.tenancy import Actor, current_tenant_id, db, now

from .models import LATELY, SentNotification

MOST_CALLERS, MOST_SHOWN = 50, 20


@dataclass(frozen=True, slots=True)
class Figures:
    """How many went out, arrived, were read, and did not go out or arrive."""

    sent: int = 0
    delivered: int = 0
    read: int = 0
    failed: int = 0

    @classmethod
    def by_notification(cls, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Figures]:
        values = {"tenant": current_tenant_id(), "ids": list(ids), "since": now() - LATELY}
        rows = db.session.execute(COUNTS, values) if ids else ()
        return {row.notification_id: cls(row.sent, row.delivered, row.read, row.failed) for row in rows}


# What became of these notifications since a time. By ix_sent_notifications_at (tenant_id, notification_id, at desc),
# then messages by their key.
COUNTS = text("""
    select s.notification_id, count(*) as sent,
        count(*) filter (where m.state in ('delivered', 'read', 'played')) as delivered,
        count(*) filter (where m.state in ('read', 'played')) as read,
        count(*) filter (where m.state in ('failed', 'expired', 'unknown')) as failed
    from sent_notifications s
    join messages m on m.tenant_id = :tenant and m.id = s.message_id
    where s.tenant_id = :tenant and s.notification_id = any(:ids) and s.at >= :since
    group by s.notification_id
""")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent it lately: how often, and when last."""

    name: str
    count: int
    at: dt.datetime

    @classmethod
    def of(cls, notification_id: uuid.UUID) -> list[Caller]:
        sent = SentNotification
        query = select(sent.by_kind, sent.by_id, func.count(), func.max(sent.at))
        query = query.where(sent.notification_id == notification_id, sent.at >= now() - LATELY)
        rows = db.session.execute(query.group_by(sent.by_kind, sent.by_id).limit(MOST_CALLERS)).all()
        ids = [id for kind, id, *_rest in rows if kind == "api"]
        names = {key.id: key.name for key in db.session.scalars(select(ApiKey).where(ApiKey.id.in_(ids)))}
        callers = [cls(name_of(kind, names.get(id, "") if id else ""), count, at) for kind, id, count, at in rows]
        return sorted(callers, key=lambda one: one.at, reverse=True)


def name_of(kind: str, name: str) -> str:
    return str(_("Team member")) if kind == "agent" else Actor(kind, None, name).label


def newest(notification_id: uuid.UUID) -> list[tuple[Message, Contact]]:
    """The last ones that were sent, each with who got it."""
    its = (Message.tenant_id == SentNotification.tenant_id) & (Message.id == SentNotification.message_id)
    talk = (Conversation.tenant_id == Message.tenant_id) & (Conversation.id == Message.conversation_id)
    query = select(Message, Conversation).join(SentNotification, its).join(Conversation, talk)
    query = query.where(SentNotification.notification_id == notification_id).options(joinedload(Conversation.contact))
    rows = db.session.execute(query.order_by(SentNotification.at.desc()).limit(MOST_SHOWN)).unique()
    return [(message, conversation.contact) for message, conversation in rows]
