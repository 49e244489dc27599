"""Applies the events of a tenant: which function applies which kind. One of the three lists that name features."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Any

import structlog
from sqlalchemy.exc import DBAPIError

from app.contacts.arrival import SenderMissing, name_groups, save_address_book
from app.inbox.conversations.statuses import record_statuses
from app.inbox.inbound.arrival import receive
from app.inbox.inbound.entry_points import note_free_entries
from app.inbox.inbound.history import import_history, note_progress
from app.inbox.inbound.preferences import apply_preferences
from app.inbox.inbound.thread_control import apply_thread_control
from app.message_templates.news import apply_restrictions, apply_template_news
from app.meta import events
from app.tenancy import db, within_tenant
from app.wabas.news import apply_account_updates, apply_number_news
from app.webhook_events.models import HeldChange
from app.webhook_events.routing import Arrived
from app.whatsapp_flows.news import apply_flow_news

log = structlog.get_logger()

# Classes of SQLSTATE: connection, deadlock, resources, locks, and an operator who stops the server.
PASSING = ("08", "40", "53", "55", "57")
# In this order: statuses lock messages before conversations, as sending does.
HANDLERS: tuple[tuple[Any, Callable[[Sequence[Any]], None]], ...] = (
    (events.AccountUpdate, apply_account_updates),
    (events.AccountUpdate, apply_restrictions),
    (events.OtherChange, apply_number_news),
    (events.OtherChange, apply_preferences),
    (events.OtherChange, apply_template_news),
    (events.OtherChange, apply_flow_news),
    (events.StatusUpdate, record_statuses),
    (events.StatusUpdate, note_free_entries),
    (events.AddressBookEntry, save_address_book),
    (events.GroupChange, name_groups),
    (events.HistoricMessage, import_history),
    (events.HistoryProgress, note_progress),
    (events.InboundMessage | events.MessageEcho, receive),
    (events.ThreadControl, apply_thread_control),
)


def apply_events(tenant_id: uuid.UUID, group: Sequence[Arrived]) -> None:
    """Applies a tenant's events at once; if that fails, in halves, until those that fail are alone and held."""
    arrived = [item.event for item in group]
    try:
        with within_tenant(tenant_id):
            for kind, handle in HANDLERS:
                if mine := [event for event in arrived if isinstance(event, kind)]:
                    handle(mine)
    except Exception as error:
        refuse_if_it_passes(error)
        if len(group) == 1:
            log.exception("change held", tenant_id=str(tenant_id), event_id=group[0].webhook_event_id)
            reason, detail = ("nameless", "") if isinstance(error, SenderMissing) else ("failed", type(error).__name__)
            HeldChange.hold([group[0].held("failed", reason, tenant_id, detail)])
        else:
            half = len(group) // 2
            apply_events(tenant_id, group[:half])
            apply_events(tenant_id, group[half:])


def refuse_if_it_passes(error: Exception) -> None:
    """Re-raises if the database is unavailable or aborted: no change is to blame, so the batch is retried later."""
    if not isinstance(error, DBAPIError):
        return
    state = getattr(error.orig, "sqlstate", None) or ""
    if error.connection_invalidated or not db.session.is_active or state[:2] in PASSING:
        raise error
