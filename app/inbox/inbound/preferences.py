"""What customers choose in WhatsApp about marketing messages: webhooks of the field `user_preferences`.

Source: Meta, "user_preferences webhooks reference": category `marketing_messages`, value `stop` or `resume`.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import select

from app.contacts.arrival import Sender, recognise
from app.contacts.consents import Consent
from app.meta.events import OtherChange
from app.meta.items import moment, number_in
from app.meta.payload import identifier, mapping
from app.meta.payload import text as text_of
from app.tenancy import exists

log = structlog.get_logger()

FIELDS = ("user_preferences",)
ANSWERS = {"stop": False, "resume": True}
MOST = 1_000


@dataclass(frozen=True, slots=True)
class Preference:
    """One choice of one person. `words` are WhatsApp's."""

    person: Sender
    is_granted: bool
    words: str
    at: dt.datetime


def apply_preferences(changes: Sequence[OtherChange]) -> None:
    """Each becomes a row in the consent log, once however often it comes. What makes no sense is passed over."""
    preferences = [one for change in changes if change.field in FIELDS for one in read(change)]
    if not preferences:
        return
    contacts = recognise([one.person for one in preferences])
    for one, contact_id in sorted(zip(preferences, contacts, strict=True), key=lambda pair: pair[0].at):
        same = Consent.contact_id == contact_id, Consent.purpose == "marketing", Consent.source == "whatsapp"
        if not exists(select(Consent.id).where(*same, Consent.occurred_at == one.at)):
            record(contact_id, one)


def record(contact_id: str, one: Preference) -> None:
    Consent.record(
        uuid.UUID(contact_id), "marketing", is_granted=one.is_granted, source="whatsapp", evidence=one.words, at=one.at
    )


def read(change: OtherChange) -> Iterator[Preference]:
    names = {}
    for contact in map(mapping, items(change.value.get("contacts"))):
        names[number_in(contact.get("wa_id")) or identifier(contact.get("user_id"))] = contact
    for raw in map(mapping, items(change.value.get("user_preferences"))):
        wa_id, bsuid = number_in(raw.get("wa_id")), identifier(raw.get("user_id"))
        answer = ANSWERS.get((text_of(raw.get("value"), 40) or "").lower())
        category = (text_of(raw.get("category"), 60) or "").lower()
        if answer is None or category != "marketing_messages" or not (wa_id or bsuid):
            log.info("preference passed over", category=str(raw.get("category"))[:60], value=str(raw.get("value"))[:60])
            continue
        profile = mapping(mapping(names.get(wa_id) or names.get(bsuid)).get("profile"))
        person = Sender(
            wa_id=wa_id,
            bsuid=bsuid,
            parent_bsuid=identifier(raw.get("parent_user_id")),
            username=None,
            name=text_of(profile.get("name"), 200) or "",
        )
        yield Preference(
            person, answer, text_of(raw.get("detail"), 500) or "", moment(raw.get("timestamp"), change.timestamp)
        )


def items(value: Any) -> list[Any]:
    return (value if isinstance(value, list) else [value] if value else [])[:MOST]
