"""Reading one message, echo or status of a webhook."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from .errors import ReportedError
from .event_types import (
    AddressBookEntry,
    Context,
    HistoricMessage,
    HistoryProgress,
    InboundMessage,
    MessageEcho,
    Pricing,
    StatusUpdate,
)
from .payload import identifier, mapping, sequence, text

# Seven days since September 2026, and a little for clocks that differ.
_LONGEST_FREE = timedelta(days=8)
_CAPTIONED = frozenset({"image", "video", "document"})


class Puzzling(Exception):
    """An item lacks what it must have; the message says what."""


class Place(NamedTuple):
    """Where an item was found, and when its delivery reached us."""

    waba_id: str | None
    phone_number_id: str | None
    received_at: datetime


def read_message(raw: Any, place: Place, contacts: dict[str, dict[str, Any]]) -> InboundMessage:
    item = _object(raw)
    wa_id, user_id = identifier(item.get("from")), identifier(item.get("from_user_id"))
    contact = contacts.get(user_id or "") or contacts.get(wa_id or "") or {}
    profile = mapping(contact.get("profile"))
    wa_id = wa_id or identifier(contact.get("wa_id"))
    user_id = user_id or identifier(contact.get("user_id"))
    kind = text(item.get("type"), 64) or "unknown"
    if not (wa_id or user_id or kind == "system"):
        raise Puzzling("a message does not say who sent it")
    content = _content(item, kind)
    return InboundMessage(
        phone_number_id=_number(place),
        waba_id=place.waba_id,
        wamid=_wamid(item),
        from_=wa_id,
        user_id=user_id,
        parent_user_id=identifier(item.get("from_parent_user_id")) or identifier(contact.get("parent_user_id")),
        username=text(profile.get("username"), 100),
        profile_name=text(profile.get("name"), 300),
        group_id=identifier(item.get("group_id")),
        timestamp=within_second(item.get("timestamp"), place.received_at),
        type=kind,
        text=_words(kind, content),
        context=_context(item.get("context")),
        content=content,
        referral=mapping(item.get("referral")) or None,
        errors=_errors(item),
    )


def read_echo(raw: Any, place: Place) -> MessageEcho:
    item = _object(raw)
    to, to_user_id = identifier(item.get("to")), identifier(item.get("to_user_id"))
    if not (to or to_user_id):
        raise Puzzling("a message does not say to whom it went")
    kind = text(item.get("type"), 64) or "unknown"
    content = _content(item, kind)
    return MessageEcho(
        phone_number_id=_number(place),
        waba_id=place.waba_id,
        wamid=_wamid(item),
        to=to,
        to_user_id=to_user_id,
        to_parent_user_id=identifier(item.get("to_parent_user_id")),
        timestamp=moment(item.get("timestamp"), place.received_at),
        type=kind,
        text=_words(kind, content),
        context=_context(item.get("context")),
        content=content,
        errors=_errors(item),
    )


def read_historic(raw: Any, place: Place, customer: str | None, business: str | None) -> HistoricMessage:
    """A message of a thread with a customer. Who sent it, its `from` tells: the customer, or else the business."""
    item = _object(raw)
    sender = identifier(item.get("from"))
    is_ours = sender == business if customer is None else sender != customer
    status = text(mapping(item.get("history_context")).get("status"), 40)
    if is_ours:
        echo = read_echo({"to": customer, **item}, place)
        return HistoricMessage(echo, status and status.lower())
    return HistoricMessage(read_message({"from": customer, **item}, place, {}), None)


def read_history_progress(raw: Any, place: Place) -> HistoryProgress:
    chunk = _object(raw)
    percent = mapping(chunk.get("metadata")).get("progress")
    known = isinstance(percent, int) and 0 <= percent <= 100
    return HistoryProgress(_number(place), place.waba_id, percent if known else None, _errors(chunk))


def read_address_book_entry(raw: Any, place: Place) -> AddressBookEntry:
    entry = _object(raw)
    contact = mapping(entry.get("contact"))
    wa_id, user_id = identifier(contact.get("phone_number")), identifier(contact.get("user_id"))
    wa_id = wa_id and re.sub(r"\D", "", wa_id)
    if not (wa_id or user_id):
        raise Puzzling("an entry of the address book does not say whose it is")
    return AddressBookEntry(
        phone_number_id=_number(place),
        waba_id=place.waba_id,
        action=text(entry.get("action"), 40) or "add",
        wa_id=wa_id,
        user_id=user_id,
        username=text(contact.get("username"), 100),
        name=text(contact.get("full_name"), 300) or text(contact.get("first_name"), 300) or "",
        timestamp=moment(mapping(entry.get("metadata")).get("timestamp"), place.received_at),
    )


def read_status(raw: Any, place: Place) -> StatusUpdate:
    item = _object(raw)
    status = text(item.get("status"), 64)
    if status is None:
        raise Puzzling("a status does not say what it is")
    # Meta's pages spell the parent's key both ways.
    parent = item.get("parent_recipient_user_id") or item.get("recipient_parent_user_id")
    return StatusUpdate(
        phone_number_id=_number(place),
        waba_id=place.waba_id,
        wamid=_wamid(item),
        status=status,
        timestamp=moment(item.get("timestamp"), place.received_at),
        recipient_id=identifier(item.get("recipient_id")),
        recipient_user_id=identifier(item.get("recipient_user_id")),
        recipient_parent_user_id=identifier(parent),
        callback_data=identifier(item.get("biz_opaque_callback_data")),
        pricing=_pricing(item.get("pricing")),
        errors=_errors(item),
        free_until=_free_until(mapping(item.get("conversation")), place.received_at),
    )


def _object(raw: Any) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise Puzzling("an item is not an object")
    return raw


def _number(place: Place) -> str:
    if place.phone_number_id is None:
        raise Puzzling("an item does not say to which phone number it belongs")
    return place.phone_number_id


def _wamid(item: dict[str, Any]) -> str:
    wamid = identifier(item.get("id"))
    if wamid is None:
        raise Puzzling("an item has no id")
    return wamid


def moment(raw: Any, received_at: datetime) -> datetime:
    """Unix seconds, which Meta sends as text or as a number."""
    try:
        found = datetime.fromtimestamp(int(raw), UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return received_at
    plausible = found.year > 2000 and found - received_at <= timedelta(days=1)
    return found if plausible else received_at


def within_second(raw: Any, received_at: datetime) -> datetime:
    """Meta tells whole seconds. Within its second a message came when it reached us, so that quick questions
    and answers keep their order."""
    told = moment(raw, received_at)
    return max(told, min(received_at, told + timedelta(milliseconds=999)))


def _content(item: dict[str, Any], kind: str) -> dict[str, Any]:
    content = item.get(kind)
    if isinstance(content, dict):
        return content
    return {} if content is None else {kind: content}


def _words(kind: str, content: dict[str, Any]) -> str | None:
    """What the person wrote or tapped."""
    if kind == "text":
        return text(content.get("body"))
    if kind in _CAPTIONED:
        return text(content.get("caption"))
    if kind in ("button", "order"):
        return text(content.get("text"))
    if kind == "interactive":
        reply = mapping(content.get(text(content.get("type"), 64) or ""))
        return text(reply.get("title"))
    if kind == "edit":
        edited = mapping(content.get("message"))
        edited_kind = text(edited.get("type"), 64) or "unknown"
        return _words(edited_kind, _content(edited, edited_kind))
    return None


def _context(raw: Any) -> Context | None:
    context = mapping(raw)
    reply_to = identifier(context.get("id"))
    forwarded = bool(context.get("forwarded") or context.get("frequently_forwarded"))
    return Context(reply_to, forwarded) if reply_to or forwarded else None


def _pricing(raw: Any) -> Pricing | None:
    if not isinstance(raw, dict):
        return None
    category, billable = text(raw.get("category"), 64), raw.get("billable")
    return Pricing(
        # One of Meta's pages writes `authentication-international`.
        category=category and category.replace("-", "_"),
        type=text(raw.get("type"), 64),
        subtype=text(raw.get("subtype"), 64),
        billable=billable if isinstance(billable, bool) else None,
        model=text(raw.get("pricing_model"), 64),
    )


def _free_until(conversation: dict[str, Any], received_at: datetime) -> datetime | None:
    """Told with `sent` only, and of free entry points only."""
    if mapping(conversation.get("origin")).get("type") != "referral_conversion":
        return None
    try:
        found = datetime.fromtimestamp(int(conversation["expiration_timestamp"]), UTC)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return None
    return found if found - received_at <= _LONGEST_FREE else None


def _errors(item: dict[str, Any]) -> tuple[ReportedError, ...]:
    return tuple(map(ReportedError.read, sequence(item.get("errors"))))
