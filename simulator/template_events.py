"""Meta's decisions about a template, each with its webhook."""

from typing import Any

from simulator.message_templates import MessageTemplate
from simulator.webhooks import publishing

Json = dict[str, Any]
HOUR, DAY = 3600, 86400
QUALITIES = ("GREEN", "YELLOW", "RED", "UNKNOWN")
FIRST_PAUSE, SECOND_PAUSE, RATE_LIMITING_PAUSE = PAUSES = ("FIRST_PAUSE", "SECOND_PAUSE", "RATE_LIMITING_PAUSE")
# A pause for pacing ends only by hand.
PAUSE_LASTS = {FIRST_PAUSE: 3 * HOUR, SECOND_PAUSE: 6 * HOUR}
REASONS = (
    "ABUSIVE_CONTENT",
    "CATEGORY_NOT_AVAILABLE",
    "INCORRECT_CATEGORY",
    "INVALID_FORMAT",
    "NONE",
    "PROMOTIONAL",
    "SCAM",
    "TAG_CONTENT_MISMATCH",
)
ADVICE = {
    "reason": "The template is not formatted as required.",
    "recommendation": "Check the variables and their examples, then submit the template again.",
}
DESCRIPTIONS = {
    FIRST_PAUSE: "Your WhatsApp message template is paused for 3 hours because it got too much negative feedback.",
    SECOND_PAUSE: "Your WhatsApp message template is paused for 6 hours because it got too much negative feedback.",
    RATE_LIMITING_PAUSE: "Your WhatsApp message template has been paused because of feedback on its first messages.",
    "UNPAUSE": "Your WhatsApp message template has been unpaused.",
    "DISABLED": "Your WhatsApp message template has been disabled because it got too much negative feedback.",
}


def change_status(
    template: MessageTemplate,
    status: str,
    reason: str | None = None,
    title: str | None = None,
    advice: Json | None = None,
    event: str = "",
) -> None:
    """Changes the status. `reason` is of a rejection, `title` of a pause; the third pause disables the template."""
    with template.world.store.transaction():
        if status == "PAUSED":
            title = title or _next_pause(template)
            status = status if title else "DISABLED"
        reason = reason or ("INVALID_FORMAT" if status == "REJECTED" else "NONE")
        value: Json = {
            "event": event or status,
            "reason": reason,
            "message_template_category": template.category,
        } | _additions(template, status, reason, title, advice)
        template.update(status=status, rejected_reason=reason, **_pause_columns(template, status, title))
        _plan_end(template, status, title)
        _publish(template, "message_template_status_update", value)


def _next_pause(template: MessageTemplate) -> str | None:
    """The title of the first or second pause; None if there have been both."""
    return PAUSES[template.pauses] if template.pauses < len(PAUSE_LASTS) else None


def _additions(template: MessageTemplate, status: str, reason: str, title: str | None, advice: Json | None) -> Json:
    """What the webhook holds for this status only."""
    if status == "REJECTED" and reason == "INVALID_FORMAT":
        return {"rejection_info": advice or ADVICE}
    if status == "APPROVED" and template.status == "PAUSED":
        return {"other_info": _info("UNPAUSE")}
    if status in ("PAUSED", "LOCKED"):
        return {"other_info": _info(title or RATE_LIMITING_PAUSE)}
    if status in ("DISABLED", "FLAGGED"):
        moment = template.world.clock.now() + (DAY if status == "FLAGGED" else 0)
        other = {"other_info": _info(title or "DISABLED")} if status == "DISABLED" else {}
        return {"disable_info": {"disable_date": str(int(moment))}} | other
    return {}


def _info(title: str) -> Json:
    return {"title": title, "description": DESCRIPTIONS.get(title, DESCRIPTIONS["DISABLED"])}


def _pause_columns(template: MessageTemplate, status: str, title: str | None) -> Json:
    if status != "PAUSED":
        return {}
    counted = title in PAUSE_LASTS
    return {"pauses": template.pauses + counted, "paused_at": template.world.clock.now(), "pause": title}


def _plan_end(template: MessageTemplate, status: str, title: str | None) -> None:
    """A pause for quality ends by itself; every other status drops what was planned for the old one."""
    steps, now = template.world.template_steps, template.world.clock.now()
    for act in ("review", "unpause"):
        steps.forget(template.id, act)
    if status == "PAUSED" and title in PAUSE_LASTS:
        steps.plan(template.id, "unpause", now + PAUSE_LASTS[title])


def change_quality(template: MessageTemplate, quality: str) -> None:
    """Changes the quality score."""
    with template.world.store.transaction():
        value = {"previous_quality_score": template.quality, "new_quality_score": quality}
        template.update(quality=quality, quality_at=template.world.clock.now())
        _publish(template, "message_template_quality_update", value)


def take_bad_feedback(template: MessageTemplate) -> None:
    """Customers block or report: the quality falls one step, and at RED the template is paused or disabled."""
    change_quality(template, "YELLOW" if template.quality in ("GREEN", "UNKNOWN") else "RED")
    if template.quality == "RED":
        change_status(template, "PAUSED")


def announce_category(template: MessageTemplate, category: str) -> None:
    """Announces a category change a day ahead; Meta then sends the current category as `new_category`."""
    with template.world.store.transaction():
        template.update(correct_category=category)
        at = int(template.world.clock.now()) + DAY
        value = {
            "correct_category": category,
            "new_category": template.category,
            "category_update_timestamp": at,
        }
        _publish(template, "template_category_update", value)
        template.world.template_steps.plan(template.id, "category", at)


def change_category(template: MessageTemplate, category: str) -> None:
    """Changes the category."""
    with template.world.store.transaction():
        value = {"previous_category": template.category, "new_category": category}
        template.update(previous_category=template.category, category=category, correct_category=None)
        template.world.template_steps.forget(template.id, "category")
        _publish(template, "template_category_update", value)


def report_misuse(template: MessageTemplate, correct_category: str) -> None:
    """Reports that the content of a message or template is of another category."""
    with template.world.store.transaction():
        template.update(correct_category=correct_category)
        value = {"category": template.category, "correct_category": correct_category}
        _publish(template, "template_correct_category_detection", value)


def change_components(template: MessageTemplate, components: list[Json]) -> None:
    """Replaces the components, as if edited in WhatsApp Manager."""
    with template.world.store.transaction():
        template.change_components(components)
        announce_components(template)


def announce_components(template: MessageTemplate) -> None:
    """Sends the text and buttons that the template has now."""
    value: Json = {"message_template_element": template.text_of("BODY")}
    if header := template.text_of("HEADER"):
        value["message_template_title"] = header
    if footer := template.text_of("FOOTER"):
        value["message_template_footer"] = footer
    if buttons := template.by_type.get("BUTTONS", {}).get("buttons"):
        value["message_template_buttons"] = [_button(button) for button in buttons]
    _publish(template, "message_template_components_update", value)


def delete(template: MessageTemplate) -> None:
    """Deletes the template: an approved one is locked for 30 days, any other is gone at once."""
    with template.world.store.transaction():
        if template.status in ("APPROVED", "REINSTATED", "FLAGGED", "PAUSED", "LOCKED", "ARCHIVED"):
            change_status(template, "PENDING_DELETION")
            template.world.template_steps.plan(template.id, "deletion", template.world.clock.now() + 30 * DAY)
        else:
            finish_deletion(template)


def finish_deletion(template: MessageTemplate) -> None:
    """The template is gone, and its name may be used again."""
    with template.world.store.transaction():
        value = {"event": "DELETED", "reason": "NONE", "message_template_category": template.category}
        template.delete()
        _publish(template, "message_template_status_update", value)


def _button(button: Json) -> Json:
    described = {"message_template_button_type": button["type"], "message_template_button_text": button.get("text", "")}
    for name in ("url", "phone_number"):
        if name in button:
            described[f"message_template_button_{name}"] = button[name]
    return described


def _publish(template: MessageTemplate, field: str, value: Json) -> None:
    about = {
        "message_template_id": int(template.id),
        "message_template_name": template.name,
        "message_template_language": template.language,
    }
    publishing.publish_for_waba(template.waba, field, about | value)
