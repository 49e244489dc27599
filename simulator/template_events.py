"""Meta's decisions about a template, each with its webhook."""

from typing import Any

from simulator.message_templates import MessageTemplate
from simulator.wabas import Waba
from simulator.webhooks import publishing

Json = dict[str, Any]
DAY = 86400
QUALITIES = ("GREEN", "YELLOW", "RED", "UNKNOWN")
PAUSES = ("FIRST_PAUSE", "SECOND_PAUSE", "RATE_LIMITING_PAUSE")


def change_status(template: MessageTemplate, status: str, reason: str | None = None, title: str | None = None) -> None:
    """Changes the status. `reason` is of a rejection, `title` of a pause; values as in Meta's webhook."""
    with template.world.store.transaction():
        reason = reason or ("INVALID_FORMAT" if status == "REJECTED" else "NONE")
        template.update(status=status, rejected_reason=reason)
        value: Json = {"event": status, "reason": reason, "message_template_category": template.category}
        if status == "REJECTED" and reason == "INVALID_FORMAT":
            advice = "Check the variables and their examples, then submit the template again."
            value["rejection_info"] = {"reason": "The template is not formatted as required.", "recommendation": advice}
        if status == "DISABLED":
            value["disable_info"] = {"disable_date": str(int(template.world.clock.now()))}
        if status in ("PAUSED", "DISABLED", "LOCKED"):
            pause_title = title or {"PAUSED": PAUSES[0]}.get(status, "DISABLED")
            value["other_info"] = {"title": pause_title, "description": "The template got too much negative feedback."}
        _publish(template, "message_template_status_update", value)


def change_quality(template: MessageTemplate, quality: str) -> None:
    with template.world.store.transaction():
        value = {"previous_quality_score": template.quality, "new_quality_score": quality}
        template.update(quality=quality)
        _publish(template, "message_template_quality_update", value)


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


def change_category(template: MessageTemplate, category: str) -> None:
    with template.world.store.transaction():
        value = {"previous_category": template.category, "new_category": category}
        template.update(previous_category=template.category, category=category, correct_category=None)
        _publish(template, "template_category_update", value)


def change_components(template: MessageTemplate, components: list[Json]) -> None:
    """Replaces the components, as if edited in WhatsApp Manager."""
    with template.world.store.transaction():
        template.change_components(components)
        parts = {str(part.get("type")).upper(): part for part in components}
        value: Json = {"message_template_element": parts.get("BODY", {}).get("text", "")}
        if header := parts.get("HEADER", {}).get("text"):
            value["message_template_title"] = header
        if footer := parts.get("FOOTER", {}).get("text"):
            value["message_template_footer"] = footer
        if buttons := parts.get("BUTTONS", {}).get("buttons"):
            value["message_template_buttons"] = [_button(button) for button in buttons]
        _publish(template, "message_template_components_update", value)


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
    (waba,) = Waba.where(template.world, "id = ?", template.waba_id)
    publishing.publish_for_waba(waba, field, about | value)
