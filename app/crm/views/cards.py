"""What is known of the customer in the CRMs, beside a conversation: opening it has it looked up again."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from flask import redirect, render_template, url_for
from werkzeug.wrappers import Response as AnyResponse

from app.crm.blueprint import bp
from app.crm.lookups import CrmLookup
from app.crm.models import CrmConnection
from app.inbox.conversations import Conversation
from app.inbox.desk.cards import details_card
from app.tenancy import current_tenant_id, is_sandbox, later, requires
from app.tenancy.guard import is_fragment


@dataclass(frozen=True, slots=True)
class Glance:
    """One CRM: whether the customer is being looked up there, and what came of it."""

    connection: CrmConnection
    lookup: CrmLookup | None
    is_waiting: bool


@details_card("crm/_card.html", order=41, permission="records.view")
def card(conversation: Conversation) -> list[Glance]:
    contact = conversation.contact
    if conversation.is_group or contact.is_erased or contact.phone is None or is_sandbox(current_tenant_id()):
        return []
    connections = CrmConnection.all()
    lookups = CrmLookup.of_contact(contact.id) if connections else {}
    return [glance(connection, lookups.get(connection.id), conversation) for connection in connections]


def glance(connection: CrmConnection, lookup: CrmLookup | None, conversation: Conversation) -> Glance:
    """Queues a lookup where the last one is old, unless the connection needs a new token."""
    is_waiting = lookup is not None and lookup.is_waiting
    if connection.state == "connected" and not is_waiting and not (lookup and lookup.is_fresh):
        CrmLookup.queue(connection.id, [conversation.contact_id])
        later("crm.work", connection.id)
        is_waiting = True
    return Glance(connection, lookup, is_waiting)


@bp.get("/beside/<uuid:conversation_id>")
@requires("records.view")
def beside(conversation_id: uuid.UUID) -> str | AnyResponse:
    """The card alone, after a lookup."""
    conversation = Conversation.get_or_404(conversation_id)
    if not is_fragment():
        return redirect(url_for("inbox.details", conversation_id=conversation.id), 303)
    return render_template("crm/_card.html", conversation=conversation, card=card(conversation))
