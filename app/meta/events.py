"""Reading a webhook body: every part that makes sense comes out, and the rest with a reason."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from . import payload
from .errors import ReportedError
from .event_types import (
    AccountUpdate,
    AddressBookEntry,
    Context,
    Event,
    GroupChange,
    HistoricMessage,
    HistoryProgress,
    InboundMessage,
    MessageEcho,
    OtherChange,
    Pricing,
    StatusUpdate,
    ThreadControl,
    Unreadable,
)
from .items import (
    Contacts,
    Place,
    Puzzling,
    moment,
    names_group,
    read_address_book_entry,
    read_call,
    read_echo,
    read_group_change,
    read_historic,
    read_history_progress,
    read_message,
    read_standby_echo,
    read_status,
    read_thread_control,
)
from .payload import identifier, items_of, mapping, text

__all__ = [
    "AccountUpdate",
    "AddressBookEntry",
    "Context",
    "Event",
    "GroupChange",
    "HistoricMessage",
    "HistoryProgress",
    "InboundMessage",
    "MessageEcho",
    "OtherChange",
    "Pricing",
    "ReportedError",
    "StatusUpdate",
    "ThreadControl",
    "Unreadable",
    "address_in",
    "parse",
]


_ENVELOPE = frozenset({"messaging_product", "metadata", "contacts", "messages", "statuses"})
_SENT_TO_PARTNERS = frozenset({"MM_LITE_TERMS_SIGNED", "AD_ACCOUNT_LINKED"})


def parse(body: bytes, received_at: datetime | None = None) -> Iterator[Event]:
    """Every event in a webhook body, in Meta's order. Never raises. A timestamp that is missing, garbage or
    more than a day ahead becomes `received_at` (the present unless given)."""
    arrival = received_at or datetime.now(UTC)
    try:
        envelope = payload.loads(body)
    except ValueError:
        start = body[:10_000].decode("utf-8", "replace").replace("\x00", "\ufffd")
        yield Unreadable("not_json", start)
        return
    entries = envelope.get("entry") if isinstance(envelope, dict) else None
    if not isinstance(entries, list):
        yield Unreadable("no_entries", envelope)
        return
    for entry in entries:
        yield from _entry(entry, arrival)


_ADDRESSES = (re.compile(rb'"phone_number_id"\s*:\s*"(\d{1,32})"'), re.compile(rb'"id"\s*:\s*"(\d{1,32})"'))


def address_in(body: bytes) -> str:
    """The number a webhook body is for, else its WABA, without parsing it; "" where it names none.

    What people wrote cannot pass for one: quotes within JSON strings are escaped.
    """
    for pattern in _ADDRESSES:
        if match := pattern.search(body):
            return match[1].decode()
    return ""


def _entry(entry: Any, arrival: datetime) -> Iterator[Event]:
    if not isinstance(entry, dict):
        yield Unreadable("not_an_object", entry)
        return
    # Some of Meta's samples put the change straight into the entry.
    changes = entry.get("changes", [entry] if "value" in entry else None)
    if not isinstance(changes, list):
        yield Unreadable("no_changes", entry, identifier(entry.get("id")))
        return
    for change in changes:
        yield from _change(change, entry, arrival)


def _change(change: Any, entry: dict[str, Any], arrival: datetime) -> Iterator[Event]:
    value = mapping(change).get("value")
    waba_id = identifier(entry.get("id"))
    if not isinstance(value, dict):
        yield Unreadable("no_value", change, waba_id)
        return
    phone_number_id = identifier(mapping(value.get("metadata")).get("phone_number_id"))
    place = Place(waba_id, phone_number_id, arrival)
    field = _field(change, entry, value)
    if field is None:
        yield Unreadable("no_field", change, waba_id, phone_number_id)
    elif reader := _FIELDS.get(field):
        yield from reader(value, entry, place)
    else:
        yield _other(field, value, entry, place)


def _field(change: dict[str, Any], entry: dict[str, Any], value: dict[str, Any]) -> str | None:
    """Some of Meta's samples name the field one level too deep or too high, or not at all."""
    named = text(change.get("field"), 100) or text(value.get("field"), 100) or text(entry.get("field"), 100)
    if named:
        return named
    if "messages" in value or "statuses" in value:
        return "messages"
    return "account_update" if "waba_info" in value else None


def _items(value: dict[str, Any], key: str) -> list[Any]:
    return items_of(value.get(key))


def _guarded(read: Callable[..., Event], raw: Any, place: Place, *more: Any) -> Event:
    try:
        return read(raw, place, *more)
    except Puzzling as puzzle:
        return Unreadable(str(puzzle), raw, place.waba_id, place.phone_number_id)
    except Exception as error:  # noqa: BLE001  whatever is wrong with one item, its neighbours must come out
        return Unreadable("unexpected", raw, place.waba_id, place.phone_number_id, type(error).__name__)


def _messages(value: dict[str, Any], entry: dict[str, Any], place: Place) -> Iterator[Event]:
    contacts = Contacts(value)
    messages, statuses = _items(value, "messages"), _items(value, "statuses")
    for raw in messages:
        yield _guarded(read_message, raw, place, contacts)
    for raw in statuses:
        yield _guarded(read_status, raw, place)
    rest = {key: member for key, member in value.items() if key not in _ENVELOPE}
    if rest or not (messages or statuses):
        yield _other("messages", rest or value, entry, place)


def _echoes(value: dict[str, Any], entry: dict[str, Any], place: Place) -> Iterator[Event]:
    return (_guarded(read_echo, raw, place) for raw in _items(value, "message_echoes"))


def _standby(value: dict[str, Any], entry: dict[str, Any], place: Place) -> Iterator[Event]:
    """Copies of a thread that another app has."""
    copies = mapping(value.get("standby"))
    contacts = Contacts(copies)
    for raw in _items(copies, "messages"):
        event = _guarded(read_message, raw, place, contacts)
        yield replace(event, on_standby=True) if isinstance(event, InboundMessage) else event
    for raw in _items(copies, "message_echoes"):
        yield _guarded(read_standby_echo, raw, place)
    for raw in _items(copies, "statuses"):
        yield _guarded(read_status, raw, place)
    if not any(_items(copies, name) for name in ("messages", "message_echoes", "statuses")):
        yield _other("standby", value, entry, place)


def _handovers(value: dict[str, Any], entry: dict[str, Any], place: Place) -> Iterator[Event]:
    yield _guarded(read_thread_control, value, place)


def _address_book(value: dict[str, Any], entry: dict[str, Any], place: Place) -> Iterator[Event]:
    return (_guarded(read_address_book_entry, raw, place) for raw in _items(value, "state_sync"))


def _account(value: dict[str, Any], entry: dict[str, Any], place: Place) -> Iterator[Event]:
    yield _guarded(_account_update, value, place, entry)


def _history(value: dict[str, Any], entry: dict[str, Any], place: Place) -> Iterator[Event]:
    """Threads in chunks; the files of their messages come apart from them, with the messages they belong to."""
    shown_number = text(mapping(value.get("metadata")).get("display_phone_number"), 40) or ""
    business = "".join(filter(str.isdecimal, shown_number)) or None
    for chunk in _items(value, "history"):
        for thread in map(mapping, _items(mapping(chunk), "threads")):
            customer = identifier(thread.get("id"))
            for raw in _items(thread, "messages"):
                yield _guarded(read_historic, raw, place, customer, business)
        yield _guarded(read_history_progress, chunk, place)
    for raw in _items(value, "messages"):
        yield _guarded(read_historic, raw, place, None, business)


def _calls(value: dict[str, Any], entry: dict[str, Any], place: Place) -> Iterator[Event]:
    """Each call once, however often one change speaks of it; what comes beside the calls is stored as it is."""
    calls: dict[Any, dict[str, Any]] = {}
    for item in map(mapping, _items(value, "calls")):
        id = identifier(item.get("id"))
        began = calls.get(id, item).get("timestamp")
        calls[id] = {**calls.get(id, {}), **item, "timestamp": began}
    contacts = Contacts(value)
    for raw in calls.values():
        yield _guarded(read_call, raw, place, contacts)
    if "statuses" in value or not calls:
        yield _other("calls", {key: part for key, part in value.items() if key != "calls"}, entry, place)


def _groups(field: str) -> Callable[[dict[str, Any], dict[str, Any], Place], Iterator[Event]]:
    """What groups are called now, and the change as it is: nothing here uses more of it."""

    def read(value: dict[str, Any], entry: dict[str, Any], place: Place) -> Iterator[Event]:
        for raw in filter(names_group, _items(value, "groups")):
            yield _guarded(read_group_change, raw, place)
        yield _other(field, value, entry, place)

    return read


def _account_update(value: dict[str, Any], place: Place, entry: dict[str, Any]) -> AccountUpdate:
    event = text(value.get("event"), 100)
    if event is None:
        raise Puzzling("no_event")
    waba_info = mapping(value.get("waba_info"))
    certified = mapping(value.get("partner_client_certification_info")) or mapping(
        value.get("partner_client_certification_needed_info")
    )
    return AccountUpdate(
        event=event,
        waba_id=identifier(waba_info.get("waba_id")) or _entry_waba(event, value, place),
        owner_business_id=identifier(waba_info.get("owner_business_id"))
        or identifier(certified.get("client_business_id")),
        timestamp=moment(entry.get("time"), place.received_at),
        value=value,
    )


def _entry_waba(event: str, value: dict[str, Any], place: Place) -> str | None:
    """For partner events the entry's id is the partner's portfolio, unless a coexistence number left."""
    if "phone_number" in value or "disconnection_info" in value:
        return place.waba_id
    to_partner = event.startswith("PARTNER_") or event in _SENT_TO_PARTNERS
    return None if to_partner else place.waba_id


def _other(field: str, value: dict[str, Any], entry: dict[str, Any], place: Place) -> OtherChange:
    waba_id = place.waba_id
    if field == "partner_solutions":
        waba_id = identifier(mapping(value.get("waba_info")).get("waba_id"))
    happened_at = moment(entry.get("time"), place.received_at)
    return OtherChange(field, waba_id, place.phone_number_id, happened_at, value)


# Every field that holds more than one event, or one that is applied. Any other is stored whole.
_FIELDS: dict[str, Callable[[dict[str, Any], dict[str, Any], Place], Iterator[Event]]] = {
    "messages": _messages,
    "smb_message_echoes": _echoes,
    "standby": _standby,
    "messaging_handovers": _handovers,
    "history": _history,
    "smb_app_state_sync": _address_book,
    "account_update": _account,
    "calls": _calls,
    "group_lifecycle_update": _groups("group_lifecycle_update"),
    "group_settings_update": _groups("group_settings_update"),
}
