from typing import Any

from simulator.graph.call import Call
from simulator.graph.edges import Answer, edge
from simulator.graph.health import template_health
from simulator.message_templates import MessageTemplate
from simulator.wabas import Waba

SHOWN = ("name", "parameter_format", "components", "language", "status", "category", "id")
FILTERS = ("status", "category", "language")


@edge(Waba, "GET", "message_templates")
def index(call: Call, waba: Waba) -> Answer:
    templates = MessageTemplate.where(call.world, "waba_id = ? order by created_at", waba.id)
    matching = [described(template, waba) for template in templates if _matches(template, call.params)]
    return call.page(matching, "WhatsAppMessageTemplate", SHOWN)


@edge(MessageTemplate, "GET")
def show(call: Call, template: MessageTemplate) -> Answer:
    (waba,) = Waba.where(call.world, "id = ?", template.waba_id)
    return call.project(described(template, waba), "WhatsAppMessageTemplate", SHOWN)


def _matches(template: MessageTemplate, params: dict[str, Any]) -> bool:
    """Every filter that is given, without regard to case; names and contents match in part."""
    texts = [str(part.get("text", "")) for part in template.parts]
    content = "\n".join(texts).lower()
    wanted = {name: value for name, value in params.items() if value not in (None, "")}
    if any(not _is_one_of(getattr(template, name), wanted[name]) for name in FILTERS if name in wanted):
        return False
    if "quality_score" in wanted and not _is_one_of(template.quality, wanted["quality_score"]):
        return False
    if "name" in wanted and str(wanted["name"]).lower() not in template.name:
        return False
    if "content" in wanted and str(wanted["content"]).lower() not in content:
        return False
    either = str(wanted.get("name_or_content", "")).lower()
    return either in template.name or either in content


def _is_one_of(value: str, wanted: Any) -> bool:
    choices = wanted if isinstance(wanted, list) else str(wanted).split(",")
    return value.lower() in [str(choice).strip().lower() for choice in choices]


def described(template: MessageTemplate, waba: Waba) -> dict[str, Any]:
    return {
        "id": template.id,
        "name": template.name,
        "language": template.language,
        "status": template.status,
        "category": template.category,
        "previous_category": template.previous_category,
        "correct_category": template.correct_category,
        "sub_category": template.sub_category,
        "parameter_format": template.parameter_format,
        "components": template.parts,
        "library_template_name": template.library_template_name,
        "message_send_ttl_seconds": template.message_send_ttl_seconds,
        "cta_url_link_tracking_opted_out": bool(template.cta_url_link_tracking_opted_out),
        "quality_score": {"score": template.quality, "date": int(template.created_at)},
        "rejected_reason": template.rejected_reason,
        "degrees_of_freedom_spec": None,
        "bid_spec": None,
        "health_status": template_health(template, waba),
    }
