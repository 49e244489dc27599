"""Reading one message, echo or status of a webhook."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from .errors import ReportedError
from .event_types import (
    AddressBookEntry,
    Context,
    GroupChange,
    HistoricMessage,
    HistoryProgress,
    InboundMessage,
    MessageEcho,
    Pricing,
    StatusUpdate,
    ThreadControl,
)
from .message_types import content_under, type_in, words_of
from .payload import identifier, items_of, mapping, text

# Seven days since September 2026, and a little for clocks that differ.
_LONGEST_FREE = timedelta(days=8)


class Puzzling(Exception):
    """An item lacks what it must have; its argument is the reason (`app/meta/unreadable.py`)."""


class Place(NamedTuple):
    """Where an item was found, and when its delivery reached us."""

    waba_id: str | None
    phone_number_id: str | None
    received_at: datetime


class From(NamedTuple):
    """Who sent a message, by its own ids, and what the change says of them."""

    wa_id: str | None
    user_id: str | None
    contact: dict[str, Any]

    @property
    def profile(self) -> dict[str, Any]:
        return mapping(self.contact.get("profile"))


class Contacts:
    """What a change says beside its messages: who the people are, and what was wrong."""

    def __init__(self, value: dict[str, Any]) -> None:
        self.listed = [contact for contact in map(mapping, items_of(value.get("contacts"))) if contact]
        self.by_id = {id: contact for contact in self.listed for id in self._ids(contact) if id}
        self.only_one = self.listed[0] if len(set(map(self._ids, self.listed))) == 1 else {}
        self.errors = _errors(value)

    def sender_of(self, item: dict[str, Any]) -> From:
        """Matched by its ids, which never look alike. One that names none comes from the only contact there is."""
        wa_id, user_id = number_in(item.get("from")), identifier(item.get("from_user_id"))
        contact = self.by_id.get(user_id or "") or self.by_id.get(wa_id or "") or {}
        if not (wa_id or user_id or item.get("type") == "system"):
            contact = self.only_one
        listed_wa_id, listed_user_id = self._ids(contact)
        return From(wa_id or listed_wa_id, user_id or listed_user_id, contact)

    @staticmethod
    def _ids(contact: dict[str, Any]) -> tuple[str | None, str | None]:
        return number_in(contact.get("wa_id")), identifier(contact.get("user_id"))


def number_in(raw: Any) -> str | None:
    """A wa_id, with or without the plus before it."""
    id = identifier(raw)
    return id[1:] if id and id[0] == "+" and id[1:].isdecimal() else id


def read_message(raw: Any, place: Place, contacts: Contacts) -> InboundMessage:
    item = _object(raw)
    kind = type_in(item)
    sender = contacts.sender_of(item)
    if not (sender.wa_id or sender.user_id or kind == "system"):
        raise Puzzling("no_sender")
    content = content_under(item, kind)
    return InboundMessage(
        phone_number_id=_number(place),
        waba_id=place.waba_id,
        wamid=_wamid(item),
        from_=sender.wa_id,
        user_id=sender.user_id,
        parent_user_id=identifier(item.get("from_parent_user_id")) or identifier(sender.contact.get("parent_user_id")),
        username=text(sender.profile.get("username"), 100),
        profile_name=text(sender.profile.get("name"), 300),
        group_id=identifier(item.get("group_id")),
        timestamp=within_second(item.get("timestamp"), place.received_at),
        type=kind,
        text=words_of(kind, content),
        context=_context(item.get("context")),
        content=content,
        referral=mapping(item.get("referral")) or None,
        errors=_errors(item) or contacts.errors,
    )


def read_echo(raw: Any, place: Place) -> MessageEcho:
    item = _object(raw)
    to, to_user_id = number_in(item.get("to")), identifier(item.get("to_user_id"))
    if not (to or to_user_id):
        raise Puzzling("no_recipient")
    kind = type_in(item)
    content = content_under(item, kind)
    return MessageEcho(
        phone_number_id=_number(place),
        waba_id=place.waba_id,
        wamid=_wamid(item),
        to=to,
        to_user_id=to_user_id,
        to_parent_user_id=identifier(item.get("to_parent_user_id")),
        timestamp=moment(item.get("timestamp"), place.received_at),
        type=kind,
        text=words_of(kind, content),
        context=_context(item.get("context")),
        content=content,
        errors=_errors(item),
    )


def read_standby_echo(raw: Any, place: Place) -> MessageEcho:
    """What another app sent: its request, beside the id that Meta gave it."""
    item = _object(raw)
    sent = mapping(item.get("message"))
    named = {"id": item.get("id"), "timestamp": item.get("timestamp"), "type": text(sent.get("type"), 40) or "text"}
    recipient = {"to": sent.get("to") or item.get("to"), "to_user_id": sent.get("recipient") or item.get("to_user_id")}
    # As finely as a customer's, so that an answer within the same second is below its question.
    at = within_second(item.get("timestamp"), place.received_at)
    return replace(read_echo({**sent, **named, **recipient}, place), by_other_app=True, timestamp=at)


def read_thread_control(value: dict[str, Any], place: Place) -> ThreadControl:
    """A value of `messaging_handovers`."""
    kind = text(value.get("type"), 40) or ""
    change, customer = mapping(value.get(kind)), mapping(value.get("sender"))
    wa_id = identifier(customer.get("phone_number")) or identifier(customer.get("wa_id"))
    user_id = identifier(customer.get("user_id"))
    if kind not in ("control_passed", "control_taken"):
        raise Puzzling("no_type")
    if not (wa_id or user_id):
        raise Puzzling("no_sender")
    role = text(change.get("new_owner_role"), 40) or ""
    summary_text = mapping(mapping(change.get("conversation_context")).get("summary")).get("text") or change.get(
        "metadata"
    )
    number = identifier(mapping(value.get("recipient")).get("phone_number_id")) or place.phone_number_id
    return ThreadControl(
        phone_number_id=_number(place._replace(phone_number_id=number)),
        waba_id=place.waba_id,
        wa_id=wa_id,
        user_id=user_id,
        timestamp=moment(value.get("timestamp"), place.received_at),
        is_ours=kind == "control_passed" and role != "ai_agent",
        role=role,
        summary=text(summary_text, 2_000) or "",
    )


def read_historic(raw: Any, place: Place, customer: str | None, business: str | None) -> HistoricMessage:
    """A message of a customer's history. Its `from` is the customer, or else the business."""
    item = _object(raw)
    sender = identifier(item.get("from"))
    is_ours = sender == business if customer is None else sender != customer
    status = text(mapping(item.get("history_context")).get("status"), 40)
    if is_ours:
        echo = read_echo({"to": customer, **item}, place)
        return HistoricMessage(echo, status and status.lower())
    return HistoricMessage(read_message({"from": customer, **item}, place, Contacts({})), None)


def read_history_progress(raw: Any, place: Place) -> HistoryProgress:
    chunk = _object(raw)
    percent = mapping(chunk.get("metadata")).get("progress")
    is_percent = isinstance(percent, int) and 0 <= percent <= 100
    return HistoryProgress(_number(place), place.waba_id, percent if is_percent else None, _errors(chunk))


def read_address_book_entry(raw: Any, place: Place) -> AddressBookEntry:
    entry = _object(raw)
    contact = mapping(entry.get("contact"))
    wa_id, user_id = identifier(contact.get("phone_number")), identifier(contact.get("user_id"))
    wa_id = wa_id and re.sub(r"\D", "", wa_id)
    if not (wa_id or user_id):
        raise Puzzling("no_person")
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
        raise Puzzling("no_status")
    # Meta's pages spell the parent's key both ways.
    parent = item.get("parent_recipient_user_id") or item.get("recipient_parent_user_id")
    # Of a group, `recipient_id` is the group and the person has a key of their own, which is spelt both ways too.
    is_group = item.get("recipient_type") == "group"
    person = item.get("recipient_participant_id") or item.get("participant_recipient_id")
    if is_group:
        parent = item.get("recipient_participant_parent_user_id")
    return StatusUpdate(
        phone_number_id=_number(place),
        waba_id=place.waba_id,
        wamid=_wamid(item),
        status=status,
        timestamp=moment(item.get("timestamp"), place.received_at),
        recipient_id=number_in(person if is_group else item.get("recipient_id")),
        recipient_user_id=identifier(item.get("recipient_participant_user_id" if is_group else "recipient_user_id")),
        recipient_parent_user_id=identifier(parent),
        callback_data=identifier(item.get("biz_opaque_callback_data")),
        pricing=_pricing(item.get("pricing")),
        errors=_errors(item),
        free_until=_free_until(mapping(item.get("conversation")), place.received_at),
        group_id=identifier(item.get("recipient_id")) if is_group else None,
    )


def _object(raw: Any) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise Puzzling("not_an_object")
    return raw


def _number(place: Place) -> str:
    if place.phone_number_id is None:
        raise Puzzling("no_number")
    return place.phone_number_id


def _wamid(item: dict[str, Any]) -> str:
    wamid = identifier(item.get("id"))
    if wamid is None:
        raise Puzzling("no_id")
    return wamid


def moment(raw: Any, received_at: datetime) -> datetime:
    """Unix seconds, which Meta sends as text or as a number."""
    try:
        time = datetime.fromtimestamp(int(raw), UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return received_at
    plausible = time.year > 2000 and time - received_at <= timedelta(days=1)
    return time if plausible else received_at


def within_second(raw: Any, received_at: datetime) -> datetime:
    """Meta reports whole seconds. Within that second, the time it reached us decides, so that quick questions
    and answers keep their order."""
    sent_at = moment(raw, received_at)
    return max(sent_at, min(received_at, sent_at + timedelta(milliseconds=999)))


def _context(raw: Any) -> Context | None:
    context = mapping(raw)
    reply_to = identifier(context.get("id"))
    forwarded = bool(context.get("forwarded") or context.get("frequently_forwarded"))
    product = mapping(context.get("referred_product")) or None
    return Context(reply_to, forwarded, product) if reply_to or forwarded or product else None


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
    """The end of a free entry point; Meta reports it with `sent` only."""
    if mapping(conversation.get("origin")).get("type") != "referral_conversion":
        return None
    try:
        ends_at = datetime.fromtimestamp(int(conversation["expiration_timestamp"]), UTC)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return None
    return ends_at if ends_at - received_at <= _LONGEST_FREE else None


def _errors(item: dict[str, Any]) -> tuple[ReportedError, ...]:
    return tuple(map(ReportedError.read, items_of(item.get("errors"))))


def read_call(raw: Any, place: Place, contacts: Contacts) -> InboundMessage | MessageEcho:
    """A line in the thread, at the time the call began: the customer's, or one from this number."""
    item = _object(raw)
    # Some of Meta's pages put the status into a list.
    values = {name: next(iter(items_of(item.get(name))), None) for name in _OF_A_CALL}
    facts = {name: value for name, value in values.items() if isinstance(value, str | int)}
    began = item.get("start_time") or item.get("timestamp")
    line = item | {"type": "call", "call": facts, "timestamp": began}
    if item.get("direction") == "BUSINESS_INITIATED":
        return read_echo(line, place)
    return read_message(line, place, contacts)


# Never the session: it holds addresses of the caller's network.
_OF_A_CALL = ("event", "direction", "status", "duration")


def names_group(raw: Any) -> bool:
    return bool(_subject(mapping(raw)))


def read_group_change(raw: Any, place: Place) -> GroupChange:
    """What a group is called now."""
    item = _object(raw)
    group_id = identifier(item.get("group_id"))
    if group_id is None:
        raise Puzzling("no_group")
    happened_at = moment(item.get("timestamp"), place.received_at)
    return GroupChange(_number(place), place.waba_id, group_id, _subject(item), happened_at)


def _subject(item: dict[str, Any]) -> str:
    changed = mapping(item.get("group_subject"))
    renamed = text(changed.get("text"), 300) if changed.get("update_successful") else None
    return text(item.get("subject"), 300) or renamed or ""
