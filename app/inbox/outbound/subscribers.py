"""What follows when a customer does not want such messages any more."""

from __future__ import annotations

from sqlalchemy import select

from app.contacts.consents import Consent
from app.inbox.conversations import Conversation, Message
from app.tenancy import Happened, announce, db, subscriber

from .direct_sends import withdraw_direct_sends

# "This person has stopped marketing messages from your business."
STOPPED_MARKETING = 131050


@subscriber("opt_outs", "message.failed")
def record_opt_outs(failed: list[Happened]) -> None:
    """WhatsApp refused a message because of a choice the customer made there: it joins the consent log."""
    for one in failed:
        conversation = Conversation.find(one.facts.conversation_id) if one.facts.code == STOPPED_MARKETING else None
        if conversation and "marketing" not in conversation.gate.refused_purposes:
            Consent.record(conversation.contact_id, "marketing", is_granted=False, source="whatsapp", at=one.at)


@subscriber("direct_sends", "direct_send.stopped")
def withdraw_stopped(stopped: list[Happened]) -> None:
    """Meta's webhook came while messages without a template were waiting."""
    for waba_id in {one.subject_id for one in stopped}:
        withdraw_direct_sends(waba_id)


@subscriber("unwanted", "consent.changed")
def withdraw_unwanted(changed: list[Happened]) -> None:
    """Templates that wait for somebody who refuses them now do not go out."""
    contacts = {one.subject_id for one in changed if not one.facts.is_granted}
    waits = Message.state.in_(("queued", "scheduled")), Conversation.contact_id.in_(list(contacts))
    query = select(Message).join(Conversation, Conversation.id == Message.conversation_id).where(*waits)
    for message in db.session.scalars(query.order_by(Message.id).with_for_update(of=Message, skip_locked=True)):
        message.withdraw_if_unwanted()
        announce("conversation", message.conversation_id)
