"""A customer's subscriptions, beside the conversation; and what uses a notification for reminders."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

from sqlalchemy import or_, select

from app.inbox.conversations import Conversation
from app.inbox.desk.cards import details_card
from app.message_templates.uses import Use
from app.notifications.uses import uses_notifications
from app.subscriptions.models import COLUMNS, Subscription, SubscriptionSettings
from app.tenancy import db, exists
from app.words import N_

MOST_SHOWN = 4


@details_card("subscriptions/_card.html", order=50, permission="subscriptions.view")
def subscriptions_beside(conversation: Conversation) -> list[Subscription]:
    """Those that end last, one more than are shown."""
    query = Subscription.by_end().order_by(None).where(Subscription.contact_id == conversation.contact_id)
    return list(db.session.scalars(query.order_by(Subscription.ends_on.desc(), Subscription.id).limit(MOST_SHOWN)))


@uses_notifications
def reminders_of_subscriptions(notification_id: uuid.UUID) -> Iterator[Use]:
    chosen = or_(*(getattr(SubscriptionSettings, name) == notification_id for name in COLUMNS.values()))
    if exists(select(SubscriptionSettings.id).where(chosen)):
        yield Use(N_("Reminders of subscriptions"), endpoint="subscriptions.settings")
