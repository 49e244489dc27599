"""Which function applies which kind of event. One of the three lists that name features."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from app.contacts.arrival import name_groups, save_address_book
from app.inbox.conversations.statuses import record_statuses
from app.inbox.inbound.arrival import receive
from app.inbox.inbound.entry_points import note_free_entries
from app.inbox.inbound.history import import_history, note_progress
from app.inbox.inbound.preferences import apply_preferences
from app.inbox.inbound.thread_control import apply_thread_control
from app.message_templates.news import apply_restrictions, apply_template_news
from app.meta import events
from app.wabas.news import apply_account_updates, apply_number_news
from app.whatsapp_flows.news import apply_flow_news

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


def apply_events(group: Sequence[events.Event]) -> None:
    for kind, handle in HANDLERS:
        if mine := [event for event in group if isinstance(event, kind)]:
            handle(mine)
