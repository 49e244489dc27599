from simulator import template_life
from simulator.graph.call import Call
from simulator.graph.edges import Answer
from simulator.graph.parameters import decode
from simulator.message_templates import MessageTemplate
from simulator.wabas import Waba

FROM = {"archive": "APPROVED", "unarchive": "ARCHIVED"}


def move(call: Call, waba: Waba, act: str) -> Answer:
    """Archives or unarchives templates; each that cannot be moved is named with the reason."""
    given = decode(call.require("hsm_ids"))
    ids = [str(one).strip() for one in (given if isinstance(given, list) else str(given).split(","))]
    moved: list[str] = []
    failed: dict[str, str] = {}
    for id in ids:
        template = MessageTemplate.find(call.world, id)
        if template is None or template.waba_id != waba.id:
            failed[id] = "The template does not exist."
        elif template.status != FROM[act]:
            failed[id] = f"A template in status {template.status} cannot be {act}d."
        else:
            {"archive": template_life.archive, "unarchive": template_life.unarchive}[act](template)
            moved.append(id)
    return {f"{act}d_templates": moved, "failed_templates": failed}
