"""Applies Meta's webhooks about templates at once, and enqueues a refresh, which settles what they leave out."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from app.meta.events import OtherChange
from app.meta.payload import identifier, mapping, sequence, text
from app.tenancy import announce, db, later
from app.wabas.models import Waba

from .models import MessageTemplate, TemplateList

FIELDS = (
    "message_template_status_update",
    "message_template_quality_update",
    "message_template_components_update",
    "template_category_update",
    "template_correct_category_detection",
)
# Says nothing about what the template is now: what it was before it was archived.
UNSAID = ("UNARCHIVED",)
# A webhook's time has no fractions, and clocks differ: only what is older than the last list by more is old news.
CLOCKS = dt.timedelta(minutes=1)
PARTS = {
    "message_template_title": "HEADER",
    "message_template_element": "BODY",
    "message_template_footer": "FOOTER",
}


def apply_template_news(changes: Sequence[OtherChange]) -> None:
    """Applies them in the order of their times; what the last list of templates knew already is only asked again."""
    mine = sorted((one for one in changes if one.field in FIELDS), key=lambda one: one.timestamp)
    wabas = {meta_id: Waba.with_meta_id(meta_id) for one in mine if (meta_id := one.waba_id)}
    for change in mine:
        if (waba := wabas.get(change.waba_id or "")) and is_news(waba.id, change):
            for template in templates_named(waba.id, change.value):
                apply(template, change.value)
    for waba in filter(None, wabas.values()):
        announce("templates", waba.id)
        later("message_templates.fetch", waba.id)


def is_news(waba_id: uuid.UUID, change: OtherChange) -> bool:
    fetched_at = TemplateList.of(waba_id).fetched_at
    return fetched_at is None or change.timestamp > fetched_at - CLOCKS


def templates_named(waba_id: uuid.UUID, value: dict[str, Any]) -> list[MessageTemplate]:
    """The template that a webhook names: by its id, else by name and language, which Meta writes in two ways."""
    if meta_id := identifier(value.get("message_template_id")):
        by_id = MessageTemplate.waba_id == waba_id, MessageTemplate.meta_id == meta_id
        if found := db.session.scalars(select(MessageTemplate).where(*by_id)).all():
            return list(found)
    language = (text(value.get("message_template_language"), 40) or "").replace("-", "_")
    named = MessageTemplate.of(waba_id).where(MessageTemplate.name == text(value.get("message_template_name"), 512))
    return [one for one in db.session.scalars(named) if one.language.replace("-", "_") == language]


def apply(template: MessageTemplate, value: dict[str, Any]) -> None:
    """By what the webhook holds: Meta's samples name some of the fields wrongly."""
    status = text(value.get("event"), 40)
    if status and status not in UNSAID:
        template.status = status
    # Ahead of a change Meta sends the present category as the new one, and the coming one as the correct one.
    category = text(value.get("new_category"), 40)
    if category and value.get("previous_category") and not value.get("correct_category"):
        template.category = category
    if texts := {part: words for key, part in PARTS.items() if (words := text(value.get(key), 4096))}:
        template.components = [reworded(part, texts) for part in template.components]
    if buttons := [mapping(one) for one in sequence(value.get("message_template_buttons"))]:
        others = [part for part in template.components if str(part.get("type")).upper() != "BUTTONS"]
        template.components = [*others, {"type": "BUTTONS", "buttons": list(map(button, buttons))}]


def reworded(part: dict[str, Any], texts: dict[str, str]) -> dict[str, Any]:
    words = texts.get(str(part.get("type")).upper())
    return {**part, "text": words} if words and "text" in part else part


def button(raw: dict[str, Any]) -> dict[str, Any]:
    """A button as templates describe theirs."""
    prefix = "message_template_button_"
    return {key.removeprefix(prefix): value for key, value in raw.items() if key.startswith(prefix)}
