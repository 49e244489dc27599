from typing import Any

from simulator.graph.call import Call
from simulator.graph.edges import Answer, edge
from simulator.message_templates import MessageTemplate
from simulator.wabas import Waba

SHOWN = ("name", "parameter_format", "components", "language", "status", "category", "id")
FILTERS = ("name", "status", "category", "language")


@edge(Waba, "GET", "message_templates")
def index(call: Call, waba: Waba) -> Answer:
    templates = [
        described(one) for one in MessageTemplate.where(call.world, "waba_id = ? order by created_at", waba.id)
    ]
    wanted = {name: call.params[name] for name in FILTERS if name in call.params}
    found = [one for one in templates if all(one[name] == value for name, value in wanted.items())]
    return call.page(found, "WhatsAppMessageTemplate", SHOWN)


@edge(MessageTemplate, "GET")
def show(call: Call, template: MessageTemplate) -> Answer:
    return call.project(described(template), "WhatsAppMessageTemplate", SHOWN)


def described(template: MessageTemplate) -> dict[str, Any]:
    return {
        "id": template.id,
        "name": template.name,
        "language": template.language,
        "status": template.status,
        "category": template.category,
        "parameter_format": template.parameter_format,
        "components": template.parts,
        "quality_score": {"score": "UNKNOWN", "date": int(template.created_at)},
        "rejected_reason": "NONE",
    }
