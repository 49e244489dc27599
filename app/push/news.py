"""Which of what happened becomes a notification, and for whom."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy import select

from app.inbox.conversations import Conversation
from app.inbox.desk.lists import ACTIVE, ConversationList, sql
from app.tenancy import Happened, Membership, Tenant, current_tenant_id, db, now

from .models import NotificationRule, PushNotification, PushSubscription

# Members who have the conversation open have read it by then.
GRACE = dt.timedelta(seconds=2)
# What reaches us later than this after it was written is in the inbox and the digest only.
FRESH = dt.timedelta(hours=1)
MOST_UNREAD = 100


def notify(happenings: list[Happened]) -> None:
    """Queues a push message for each browser of each member whose rules ask for these happenings."""
    listeners = Listener.all()
    if not listeners or db.session.get_one(Tenant, current_tenant_id()).closed_at:
        return
    conversations = fresh_conversations({conversation_of(one) for one in happenings})
    for one in happenings:
        conversation = conversations.get(conversation_of(one))
        if conversation and is_worth_telling(one, conversation):
            notify_listeners(listeners, one, conversation)


def conversation_of(one: Happened) -> uuid.UUID:
    return one.subject_id if one.kind.startswith("conversation.") else one.facts.conversation_id


def fresh_conversations(ids: set[uuid.UUID]) -> dict[uuid.UUID, Conversation]:
    query = select(Conversation).where(Conversation.id.in_(list(ids)), sql(ACTIVE))
    return {one.id: one for one in db.session.scalars(query)}


def is_worth_telling(one: Happened, conversation: Conversation) -> bool:
    at = now()
    match one.kind:
        case "message.received":
            is_fresh = conversation.last_inbound_at and conversation.last_inbound_at > at - FRESH
            return bool(is_fresh and conversation.unread_count > 0)
        case "conversation.closing":
            return conversation.waiting_since is not None
        case "conversation.assigned":
            is_others = one.actor is None or one.actor.user_id != one.facts.assignee_id
            return is_others and one.at > at - FRESH
    return one.at > at - FRESH


def notify_listeners(listeners: list[Listener], one: Happened, conversation: Conversation) -> None:
    """Members who have the conversation open read it within the grace period and are not notified."""
    kind, only = KINDS[one.kind], None
    due = one.at + GRACE
    match one.kind:
        case "message.received":
            due = min(due, (conversation.last_inbound_at or one.at) + GRACE)
        case "conversation.closing":
            due = one.at
        case "conversation.assigned":
            only = one.facts.assignee_id
        case "mention.added":
            only = one.facts.user_id
    for listener in listeners:
        if only in (None, listener.membership.user_id):
            listener.notify(kind, conversation, due)


# What happened, as the kind of notification it becomes.
KINDS = {
    "message.received": "message",
    "mention.added": "mention",
    "conversation.assigned": "assignment",
    "conversation.closing": "closing",
}


@dataclass(frozen=True, slots=True)
class Listener:
    """A member, what they want to be notified of, and in which browsers."""

    membership: Membership
    rule: NotificationRule
    browsers: list[PushSubscription]

    @classmethod
    def all(cls) -> list[Listener]:
        rules = {rule.membership_id: rule for rule in db.session.scalars(select(NotificationRule))}
        listeners: dict[uuid.UUID, Listener] = {}
        for browser in PushSubscription.awake():
            member = browser.membership
            if member.may("inbox.read"):
                rule = rules.get(member.id) or NotificationRule.usual(member)
                listeners.setdefault(member.id, cls(member, rule, [])).browsers.append(browser)
        return list(listeners.values())

    def notify(self, kind: str, conversation: Conversation, due: dt.datetime) -> None:
        if self.rule.wants(kind, conversation, self.membership.user_id) and not self.rule.is_quiet(now()):
            for browser in self.browsers:
                PushNotification.put(kind, browser, conversation, due)


@dataclass(frozen=True, slots=True)
class Unread:
    """What is new to a member: how many conversations, up to MOST_UNREAD, and the newest message among them."""

    count: int
    newest_at: dt.datetime | None
    newest_id: uuid.UUID | None

    @classmethod
    def of(cls, membership: Membership, rule: NotificationRule) -> Unread:
        newest = ConversationList(membership, unread=True).page(None, limit=MOST_UNREAD)
        rows = [row for row in newest[:MOST_UNREAD] if rule.covers(row, membership.user_id)]
        if not rows:
            return cls(0, None, None)
        return cls(len(rows), rows[0].last_inbound_at, rows[0].id)
