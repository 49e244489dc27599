"""What a customer paid, beside the conversation; and what uses a notification for payments."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

from sqlalchemy import select

from app.inbox.conversations import Conversation
from app.inbox.desk.cards import details_card
from app.message_templates.uses import Use
from app.notifications.uses import uses_notifications
from app.payments.models import Payment, PaymentSettings
from app.tenancy import db, exists
from app.words import N_

MOST_SHOWN = 4


@details_card("payments/_card.html", order=40, permission="payments.view")
def payments_beside(conversation: Conversation) -> list[Payment]:
    """The newest, one more than are shown."""
    query = Payment.newest().where(Payment.contact_id == conversation.contact_id)
    return list(db.session.scalars(query.limit(MOST_SHOWN)))


@uses_notifications
def payment_confirmation(notification_id: uuid.UUID) -> Iterator[Use]:
    if exists(select(PaymentSettings.id).where(PaymentSettings.notification_id == notification_id)):
        yield Use(N_("Confirmation of payments"), endpoint="payments.settings")
