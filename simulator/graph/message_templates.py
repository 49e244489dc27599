import re
from typing import Any

from simulator.errors import GraphError, invalid
from simulator.graph.call import Call
from simulator.graph.edges import SUCCESS, Answer, edge
from simulator.graph.health import template_health
from simulator.graph.parameters import decode
from simulator.message_templates import CATEGORIES, MessageTemplate
from simulator.wabas import Waba

SHOWN = ("name", "parameter_format", "components", "language", "status", "category", "id")
EDITABLE = ("APPROVED", "REJECTED", "PAUSED")
NAME = re.compile(r"[a-z0-9_]{1,512}")
MOST_TEMPLATES = 250
FILTERS = ("status", "category", "language")


@edge(Waba, "GET", "message_templates")
def index(call: Call, waba: Waba) -> Answer:
    templates = MessageTemplate.where(call.world, "waba_id = ? order by created_at", waba.id)
    matching = [describe(template, waba) for template in templates if _matches(template, call.params)]
    answer = call.page(matching, "WhatsAppMessageTemplate", SHOWN)
    if summary := call.params.get("summary"):
        counts = {
            "total_count": len(matching),
            "message_template_count": len(templates),
            "message_template_limit": MOST_TEMPLATES,
            "are_translations_complete": True,
        }
        answer["summary"] = {name: counts[name] for name in str(summary).split(",") if name in counts}
    return answer


@edge(Waba, "POST", "message_templates")
def create(call: Call, waba: Waba) -> Answer:
    """A new template waits for Meta's review."""
    name, language, category = (str(call.require(field)) for field in ("name", "language", "category"))
    if not NAME.fullmatch(name):
        raise invalid("Param name must consist of lower case letters, digits and underscores.")
    if category.upper() not in CATEGORIES:
        raise invalid(f"Param category must be one of {{{', '.join(CATEGORIES)}}}")
    components = _components(call)
    if MessageTemplate.by_name(call.world, waba.id, name, language):
        raise GraphError(100, "Content in this language already exists for this template.", subcode=2388024)
    if len(MessageTemplate.where(call.world, "waba_id = ?", waba.id)) >= MOST_TEMPLATES:
        raise GraphError(100, "The account has reached its limit of message templates.", subcode=2388019)
    template = MessageTemplate.save(
        call.world,
        waba,
        name,
        language,
        category=category.upper(),
        status="PENDING",
        parameter_format=str(call.params.get("parameter_format") or "POSITIONAL").upper(),
        components=components,
        message_send_ttl_seconds=call.params.get("message_send_ttl_seconds"),
    )
    return {"id": template.id, "status": template.status, "category": template.category}


@edge(MessageTemplate, "POST")
def change(call: Call, template: MessageTemplate) -> Answer:
    """New components replace all; then the template is reviewed again."""
    if template.status not in EDITABLE:
        raise GraphError(100, f"A template in status {template.status} cannot be edited.", subcode=2388003)
    if category := str(call.params.get("category") or "").upper():
        if category not in CATEGORIES or (template.status == "APPROVED" and category != template.category):
            raise invalid("Param category cannot be changed to this value.")
        template.update(category=category)
    if "components" in call.params:
        template.change_components(_components(call))
        template.update(status="PENDING")
    if ttl := call.params.get("message_send_ttl_seconds"):
        template.update(message_send_ttl_seconds=ttl)
    return SUCCESS | {"id": template.id, "name": template.name, "category": template.category}


@edge(Waba, "DELETE", "message_templates")
def delete(call: Call, waba: Waba) -> Answer:
    """By name in every language, or with `hsm_id` in one."""
    name, one = str(call.require("name")), str(call.params.get("hsm_id") or "")
    templates = MessageTemplate.where(call.world, "waba_id = ? and name = ?", waba.id, name)
    matching = [template for template in templates if one in ("", template.id)]
    if not matching:
        raise GraphError(100, "The template does not exist.", subcode=2593002)
    for template in matching:
        template.delete()
    return SUCCESS


def _components(call: Call) -> list[dict[str, Any]]:
    components = [part for part in map(decode, call.require_list("components")) if isinstance(part, dict)]
    if "BODY" not in {str(part.get("type")).upper() for part in components}:
        raise invalid("Param components must contain a component of type BODY.")
    return [part | {"type": str(part["type"]).upper()} for part in components]


@edge(MessageTemplate, "GET")
def show(call: Call, template: MessageTemplate) -> Answer:
    (waba,) = Waba.where(call.world, "id = ?", template.waba_id)
    return call.project(describe(template, waba), "WhatsAppMessageTemplate", SHOWN)


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


def describe(template: MessageTemplate, waba: Waba) -> dict[str, Any]:
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
