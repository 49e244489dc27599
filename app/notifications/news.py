"""What happened that somebody may want to hear of, and who does."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, and_, or_, select

from app.inbox.conversations import CUSTOMER_SERVICE_WINDOW, WINDOW_MARGIN, Conversation
from app.inbox.conversations.activities import UNTOLD_ASSIGNMENT, Activity
from app.inbox.desk.lists import ACTIVE, Listing, sql
from app.inbox.desk.notes import Mention
from app.tenancy import Membership, db, now

from .models import Notification, NotificationRule, PushSubscription, ToldConversation

# Whoever looks at the conversation has read it by then, and nobody need be told.
GRACE = dt.timedelta(seconds=2)
# What reaches us later than this after it was written is told by the inbox and the digest only.
FRESH = dt.timedelta(hours=1)
CLOSING = dt.timedelta(hours=1)
MOST_UNREAD = 100


def arrived(columns: Select[Conversation]) -> Select[Conversation]:
    """Conversations in which customers wrote something that nobody has read, nor been told of."""
    at = now()
    untold = or_(
        ToldConversation.inbound_at.is_(None),
        ToldConversation.inbound_at < Conversation.last_inbound_at,
        ToldConversation.unread_count < Conversation.unread_count,
    )
    return with_told(columns).where(
        untold,
        sql(ACTIVE),
        Conversation.unread_count > 0,
        Conversation.last_message_at > at - FRESH,
        Conversation.last_inbound_at.between(at - FRESH, at - GRACE),
    )


def closing(columns: Select[Conversation]) -> Select[Conversation]:
    """Conversations that wait for an answer, which will soon need a template."""
    closes = now() - CUSTOMER_SERVICE_WINDOW
    untold = or_(ToldConversation.closing_of.is_(None), ToldConversation.closing_of < Conversation.last_inbound_at)
    return with_told(columns).where(
        untold,
        sql(ACTIVE),
        Conversation.waiting_since.is_not(None),
        Conversation.last_message_at.between(closes, closes + CLOSING),
        Conversation.last_inbound_at.between(closes + WINDOW_MARGIN, closes + CLOSING),
    )


def with_told(columns: Select[Conversation]) -> Select[Conversation]:
    here = and_(
        ToldConversation.tenant_id == Conversation.tenant_id, ToldConversation.conversation_id == Conversation.id
    )
    return columns.outerjoin(ToldConversation, here)


FINDERS = {"message": arrived, "closing": closing}


def tenants_with_news() -> Iterator[uuid.UUID]:
    """Asked by the platform: only where somebody listens."""
    listening = PushSubscription.awake().with_only_columns(PushSubscription.tenant_id).distinct().subquery()
    here = select(Conversation).where(Conversation.tenant_id == listening.c.tenant_id)
    mentions, assignments = (
        select(kind.id).where(kind.tenant_id == listening.c.tenant_id, *untold(kind)) for kind in (Mention, Activity)
    )
    found = [*(find(here) for find in FINDERS.values()), mentions, assignments]
    some: ColumnElement[bool] = or_(*(query.correlate(listening).exists() for query in found))
    yield from db.session.scalars(select(listening.c.tenant_id).where(some))


def untold(kind: type[Mention | Activity]) -> list[ColumnElement[bool]]:
    """What was said to one colleague and is not known to have reached them."""
    if kind is Mention:
        recent = Mention.created_at.between(now() - FRESH, now() - GRACE)
        return [Mention.told_at.is_(None), Mention.seen_at.is_(None), recent]
    return [sql(UNTOLD_ASSIGNMENT), Activity.occurred_at.between(now() - FRESH, now() - GRACE)]


def tell_colleagues(limit: int) -> None:
    """Who was mentioned in a note, or was given a conversation by somebody else."""
    for mention in db.session.scalars(select(Mention).where(*untold(Mention)).limit(limit)).all():
        mention.told_at = now()
        tell_all("mention", [Conversation.get_or_404(mention.conversation_id)], [mention.user_id])
    for activity in db.session.scalars(select(Activity).where(*untold(Activity)).limit(limit)).all():
        activity.told_at = now()
        conversation = Conversation.get_or_404(activity.conversation_id)
        if conversation.assignee_id and conversation.assignee_id != activity.actor_id:
            tell_all("assignment", [conversation], [conversation.assignee_id])


def find(kind: str, limit: int) -> list[Conversation]:
    query = FINDERS[kind](select(Conversation)).order_by(Conversation.last_message_at).limit(limit)
    return list(db.session.scalars(query))


@dataclass(frozen=True, slots=True)
class Listener:
    """A member, what they want to hear, and where."""

    membership: Membership
    rule: NotificationRule
    browsers: list[PushSubscription]

    @classmethod
    def all(cls) -> list[Listener]:
        rules = {rule.membership_id: rule for rule in db.session.scalars(select(NotificationRule))}
        found: dict[uuid.UUID, Listener] = {}
        for browser in db.session.scalars(PushSubscription.awake()):
            member = browser.membership
            if member.may("inbox.read"):
                rule = rules.get(member.id) or NotificationRule.usual(member)
                found.setdefault(member.id, cls(member, rule, [])).browsers.append(browser)
        return list(found.values())

    def hear(self, kind: str, conversation: Conversation) -> None:
        if self.rule.wants(kind, conversation, self.membership.user_id) and not self.rule.is_quiet(now()):
            for browser in self.browsers:
                Notification.put(kind, browser, conversation)


def tell_all(kind: str, conversations: Iterable[Conversation], user_ids: Iterable[uuid.UUID] | None = None) -> None:
    """Tells those members who want to hear it, of everybody or of these users."""
    only = None if user_ids is None else set(user_ids)
    listeners = [one for one in Listener.all() if only is None or one.membership.user_id in only]
    for conversation in conversations:
        for listener in listeners:
            listener.hear(kind, conversation)


@dataclass(frozen=True, slots=True)
class Unread:
    """What is new to a member: how many conversations, up to MOST_UNREAD, and the newest message among them."""

    count: int
    newest_at: dt.datetime | None
    newest_id: uuid.UUID | None

    @classmethod
    def of(cls, membership: Membership, rule: NotificationRule) -> Unread:
        newest = Listing(membership, unread=True).page(None, limit=MOST_UNREAD)
        rows = [row for row in newest[:MOST_UNREAD] if rule.hears(row, membership.user_id)]
        if not rows:
            return cls(0, None, None)
        return cls(len(rows), rows[0].last_inbound_at, rows[0].id)
