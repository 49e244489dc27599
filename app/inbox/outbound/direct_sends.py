"""What happens to messages without a template that wait when Meta refuses such messages."""

from __future__ import annotations

import uuid

from sqlalchemy import select

from app.inbox.conversations import Message
from app.tenancy import announce, db
from app.wabas.models import PhoneNumber


def withdraw_direct_sends(waba_id: uuid.UUID) -> None:
    """They fail with the reason, instead of being refused by Meta one after the other."""
    numbers = select(PhoneNumber.id).where(PhoneNumber.waba_id == waba_id)
    waits = Message.state == "queued", Message.content["category"].as_string().is_not(None)
    query = select(Message).where(Message.phone_number_id.in_(numbers), *waits).order_by(Message.id)
    for message in db.session.scalars(query.with_for_update(of=Message, skip_locked=True)):
        message.withdraw_if_unwanted()
        announce("conversation", message.conversation_id)
