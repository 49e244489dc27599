"""Applies Meta's webhooks about a tenant's accounts and numbers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import select

from app.meta.events import AccountUpdate, OtherChange
from app.meta.payload import mapping, sequence, text
from app.tenancy import announce, db
from app.words import N_

from .changes import NumberChange
from .models import APPEAL, DISABLED, PhoneNumber, Waba, digits

# What ends our access to a WABA, in words. What still comes in is shown.
ENDINGS = {
    "PARTNER_REMOVED": N_("Your business has stopped sharing this number with us, so nothing can be sent."),
    "PARTNER_APP_UNINSTALLED": N_("Your business has removed our access to this number."),
    "ACCOUNT_OFFBOARDED": N_("This number has left WhatsApp Business Platform."),
    "ACCOUNT_DELETED": N_("This WhatsApp Business Account was deleted at Meta."),
}
# Why a number that is also in the WhatsApp Business app left.
DISCONNECTIONS = {
    "ACCOUNT_DISCONNECTED": N_("This number was disconnected in the WhatsApp Business app."),
    "BUSINESS_DOWNGRADE": N_("This number was moved from the WhatsApp Business app to the ordinary WhatsApp."),
    "CHANGE_NUMBER": N_("The WhatsApp Business app was given another number."),
    "COMPANION_INACTIVITY": N_("This number was not used here for about 30 days, so WhatsApp disconnected it."),
    "PRIMARY_INACTIVITY": N_("The phone was not used for about 14 days, so WhatsApp disconnected this number."),
    "USER_RE_REGISTERED": N_("The WhatsApp Business app was set up anew, which disconnected this number."),
}
TIERS = {-1: "TIER_UNLIMITED", 1000: "TIER_1K", 2000: "TIER_2K", 10_000: "TIER_10K", 100_000: "TIER_100K"}


def apply_account_updates(updates: Sequence[AccountUpdate]) -> None:
    """Applies updates about the current tenant's WABAs, in order."""
    lock_accounts(updates)
    for update in updates:
        if update.waba_id and (waba := Waba.with_meta_id(update.waba_id)):
            apply(waba, update)


def lock_accounts(news: Sequence[AccountUpdate | OtherChange]) -> None:
    meta_ids = {one.waba_id for one in news if one.waba_id}
    if meta_ids:
        Waba.lock(db.session.scalars(select(Waba.id).where(Waba.meta_id.in_(meta_ids))).all())


def apply(waba: Waba, update: AccountUpdate) -> None:
    """Pauses sending where our access ended; for everything else enqueues a check with Meta."""
    numbers, at = affected_numbers(waba, update), update.timestamp
    if reason := DISCONNECTIONS.get(disconnection_reason(update.value)) or ENDINGS.get(update.event):
        for number in numbers:
            number.end(reason, at=at)
        return
    if ban := ban_state(update.value):
        alert(numbers, f"waba {ban}", at)
        if ban == "DISABLE":
            for number in numbers:
                number.end(DISABLED, at=at, fix=APPEAL)
    for word in warnings(update.value):
        alert(numbers, word, at)
    waba.check_later()


def affected_numbers(waba: Waba, update: AccountUpdate) -> list[PhoneNumber]:
    """All of them, unless the update names one (a number shared with the WhatsApp Business app)."""
    named = digits(str(update.value.get("phone_number") or ""))
    return [number for number in waba.phone_numbers if not named or digits(number.display_number) == named]


def disconnection_reason(value: dict[str, Any]) -> str:
    return text(mapping(value.get("disconnection_info")).get("reason"), 60) or ""


def ban_state(value: dict[str, Any]) -> str:
    info = mapping(value.get("ban_info")).get("waba_ban_state")
    return text(sequence(info)[-1] if sequence(info) else info, 40) or ""


def warnings(value: dict[str, Any]) -> list[str]:
    violation = text(mapping(value.get("violation_info")).get("violation_type"), 60)
    restricted = [mapping(one).get("restriction_type") for one in sequence(value.get("restriction_info"))]
    return [word for word in [violation, *(text(kind, 80) for kind in restricted)] if word]


def alert(numbers: Sequence[PhoneNumber], words: str, at: dt.datetime) -> None:
    for number in numbers:
        NumberChange.record(number.id, "alert", "", words, at)
        announce("number", number.id)


def apply_number_news(changes: Sequence[OtherChange]) -> None:
    """Stores names, quality, limits, alerts and reviews at once, and enqueues a check with Meta."""
    lock_accounts([change for change in changes if change.field in NEWS])
    for change in changes:
        note = NEWS.get(change.field)
        if note and change.waba_id and (waba := Waba.with_meta_id(change.waba_id)):
            note(waba, change)
            waba.check_later()


def shown_numbers(waba: Waba, value: dict[str, Any]) -> list[PhoneNumber]:
    shown = digits(str(value.get("display_phone_number") or ""))
    return [number for number in waba.phone_numbers if shown and digits(number.display_number) == shown]


def note_quality(waba: Waba, change: OtherChange) -> None:
    event, numbers = text(change.value.get("event"), 60), shown_numbers(waba, change.value)
    if event:
        alert(numbers, f"quality {event}", change.timestamp)
    note_limit(numbers, change)


def note_capability(waba: Waba, change: OtherChange) -> None:
    """The limit is the whole portfolio's."""
    note_limit(waba.phone_numbers, change)


def note_limit(numbers: Sequence[PhoneNumber], change: OtherChange) -> None:
    value = change.value.get("max_daily_conversations_per_business") or change.value.get("current_limit")
    limit = TIERS.get(value, f"TIER_{value}") if isinstance(value, int) else text(value, 40)
    for number in numbers:
        if limit:
            number.note("messaging_limit", limit, change.timestamp)


def note_name(waba: Waba, change: OtherChange) -> None:
    decision, requested = text(change.value.get("decision"), 40), text(change.value.get("requested_verified_name"), 300)
    reason = text(change.value.get("rejection_reason"), 60)
    for number in shown_numbers(waba, change.value):
        if decision:
            number.note("name_status", {"REJECTED": "DECLINED"}.get(decision, decision), change.timestamp)
        if reason and decision == "REJECTED":
            alert([number], reason, change.timestamp)
        number.requested_name = requested or number.requested_name
        if decision in ("APPROVED", "REJECTED"):
            number.requested_name = ""


def note_alert(waba: Waba, change: OtherChange) -> None:
    info, entity = mapping(change.value.get("alert_info")), text(change.value.get("entity_id"), 40)
    numbers = [number for number in waba.phone_numbers if number.meta_id == entity] or waba.phone_numbers
    if kind := text(info.get("alert_type"), 80):
        alert(numbers, kind, change.timestamp)


def note_review(waba: Waba, change: OtherChange) -> None:
    waba.review_status = text(change.value.get("decision"), 40) or waba.review_status
    alert(waba.phone_numbers, f"review {waba.review_status}", change.timestamp)


def note_security(waba: Waba, change: OtherChange) -> None:
    """Somebody changed the PIN elsewhere: the stored one no longer registers the number."""
    event = text(change.value.get("event"), 40)
    for number in shown_numbers(waba, change.value):
        alert([number], f"security {event}", change.timestamp)


def note_username(waba: Waba, change: OtherChange) -> None:
    status, username = text(change.value.get("status"), 40), text(change.value.get("username"), 40) or ""
    for number in shown_numbers(waba, change.value):
        number.note("username", "" if status == "deleted" else username, change.timestamp)


NEWS: dict[str, Callable[[Waba, OtherChange], None]] = {
    "account_alerts": note_alert,
    "account_review_update": note_review,
    "business_capability_update": note_capability,
    "business_username_update": note_username,
    "business_username_updates": note_username,
    "phone_number_name_update": note_name,
    "phone_number_quality_update": note_quality,
    "security": note_security,
}
FIELDS = tuple(NEWS)
