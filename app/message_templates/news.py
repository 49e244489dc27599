"""Applies Meta's webhooks about templates at once, and enqueues a refresh, which settles what they leave out."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from app.meta.events import AccountUpdate, OtherChange
from app.meta.payload import bounded, identifier, mapping, sequence, text
from app.meta.template_direct_send import GENERATED
from app.tenancy import announce, db, later, now
from app.wabas.models import Waba

from .direct_send import DirectSendAccess
from .models import MessageTemplate, TemplateList

FIELDS = (
    "message_template_status_update",
    "message_template_quality_update",
    "message_template_components_update",
    "template_category_update",
    "template_correct_category_detection",
)
# Meta's word for an account that may not use Direct Send.
RESTRICTED = "RESTRICTED_DIRECT_SEND_UTILITY_TEMPLATES"
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
        waba = wabas.get(change.waba_id or "")
        if waba and is_misuse(change):
            DirectSendAccess.report_misuse(waba.id, template_name(change), change.timestamp)
        if waba and is_news(waba.id, change):
            for template in templates_named(waba.id, change.value):
                apply(template, change.value, change.timestamp)
    for waba in filter(None, wabas.values()):
        announce("templates", waba.id)
        later("message_templates.fetch", waba.id)


def apply_restrictions(updates: Sequence[AccountUpdate]) -> None:
    """Meta has taken Direct Send from an account, after too many messages that were advertising."""
    for update in updates:
        waba = Waba.with_meta_id(update.waba_id) if update.waba_id else None
        for restriction in map(mapping, sequence(update.value.get("restriction_info"))):
            if waba and restriction.get("restriction_type") == RESTRICTED:
                ends = moment_or_none(restriction.get("expiration"))
                if ends is None or ends > now():
                    DirectSendAccess.restrict(waba.id, ends)


def moment_or_none(seconds: Any) -> dt.datetime | None:
    """Of Meta's seconds since 1970. None where there are none."""
    try:
        return dt.datetime.fromtimestamp(int(seconds), dt.UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def is_misuse(change: OtherChange) -> bool:
    """Whether Meta reports that a message sent directly was no utility message."""
    correct = text(change.value.get("correct_category"), 40) or text(change.value.get("suggested_category"), 40)
    is_report = change.field == "template_correct_category_detection" and correct not in (None, "UTILITY")
    return is_report and template_name(change).startswith(GENERATED)


def template_name(change: OtherChange) -> str:
    return text(change.value.get("message_template_name"), 512) or ""


def is_news(waba_id: uuid.UUID, change: OtherChange) -> bool:
    fetched_at = TemplateList.of(waba_id).fetched_at
    return fetched_at is None or change.timestamp > fetched_at - CLOCKS


def templates_named(waba_id: uuid.UUID, value: dict[str, Any]) -> list[MessageTemplate]:
    """The template that a webhook names: by its id, else by name and language, which Meta writes in two ways.

    One that is on its way to Meta has no id here yet.
    """
    if meta_id := identifier(value.get("message_template_id")):
        by_id = MessageTemplate.waba_id == waba_id, MessageTemplate.meta_id == meta_id
        if matching := db.session.scalars(select(MessageTemplate).where(*by_id).with_for_update(key_share=True)).all():
            return list(matching)
    language = (text(value.get("message_template_language"), 40) or "").replace("-", "_")
    named = MessageTemplate.of(waba_id).where(MessageTemplate.name == text(value.get("message_template_name"), 512))
    alike = db.session.scalars(named.with_for_update(key_share=True))
    return [one for one in alike if one.language.replace("-", "_") == language]


def apply(template: MessageTemplate, value: dict[str, Any], at: dt.datetime) -> None:
    """By what the webhook holds: Meta's samples name some of the fields wrongly."""
    status, meta_id = text(value.get("event"), 40), template.meta_id or identifier(value.get("message_template_id"))
    if status and status not in UNSAID and meta_id:
        template.meta_id = meta_id
        template.turn(status, source="webhook", facts=facts_of(value), at=at)
    if score := text(value.get("new_quality_score"), 20):
        template.rate(score, source="webhook")
    apply_category(template, value)
    if texts := {part: words for key, part in PARTS.items() if (words := text(value.get(key), 4096))}:
        template.components = [reworded(part, texts) for part in template.components]
    if buttons := [mapping(one) for one in sequence(bounded(value.get("message_template_buttons")))]:
        others = [part for part in template.components if str(part.get("type")).upper() != "BUTTONS"]
        template.components = [*others, {"type": "BUTTONS", "buttons": list(map(button, buttons))}]


def apply_category(template: MessageTemplate, value: dict[str, Any]) -> None:
    """Ahead of a change Meta sends the present category as the new one, and the coming one as the correct one."""
    correct = text(value.get("correct_category"), 40) or text(value.get("suggested_category"), 40)
    category = text(value.get("new_category"), 40)
    if correct:
        template.correct_category = correct
    elif category and value.get("previous_category"):
        template.recategorise(category, source="webhook")
        template.correct_category = None


def facts_of(value: dict[str, Any]) -> dict[str, Any] | None:
    """What Meta says about a status, cut to what a page shows."""
    reason = text(value.get("reason"), 60)
    facts: dict[str, Any] = {"reason": reason} if reason and reason != "NONE" else {}
    rejection, other, disabled = (mapping(value.get(key)) for key in ("rejection_info", "other_info", "disable_info"))
    words_by_key = {
        "detail": text(rejection.get("reason"), 2_000),
        "recommendation": text(rejection.get("recommendation"), 2_000),
        "title": text(other.get("title"), 100),
        "description": text(other.get("description"), 2_000),
        "disable_date": text(disabled.get("disable_date"), 40),
    }
    return facts | {key: words for key, words in words_by_key.items() if words} or None


def reworded(part: dict[str, Any], texts: dict[str, str]) -> dict[str, Any]:
    words = texts.get(str(part.get("type")).upper())
    return {**part, "text": words} if words and "text" in part else part


def button(raw: dict[str, Any]) -> dict[str, Any]:
    """A button as templates describe theirs."""
    prefix = "message_template_button_"
    return {key.removeprefix(prefix): value for key, value in raw.items() if key.startswith(prefix)}
