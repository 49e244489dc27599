"""Unpausing, comparing and migrating templates."""

from typing import Any

from simulator import template_events, template_life
from simulator.errors import invalid
from simulator.graph.call import Call
from simulator.graph.edges import Answer, edge
from simulator.graph.parameters import decode
from simulator.message_templates import MessageTemplate
from simulator.messages import Message
from simulator.wabas import Waba

WAIT, DAY = 300, 86400
PERIODS = (7, 30, 60, 90)
FEWEST_SENDS = 1000
A_PAGE = 500


@edge(MessageTemplate, "POST", "unpause")
def unpause(call: Call, template: MessageTemplate) -> Answer:
    """Ends a pause that pacing began; a pause for low quality ends by itself."""
    if template.status != "PAUSED":
        return {"success": False, "reason": "The template is not paused."}
    if template.pause != template_events.RATE_LIMITING_PAUSE:
        return {"success": False, "reason": "A template that is paused for its quality is unpaused by itself."}
    if call.world.clock.now() < (template.paused_at or 0) + WAIT:
        return {"success": False, "reason": "Wait at least five minutes before you unpause the template."}
    template_events.change_status(template, "APPROVED")
    return {"success": True, "reason": "The template has been unpaused."}


@edge(MessageTemplate, "GET", "compare")
def compare(call: Call, template: MessageTemplate) -> Answer:
    """How often two templates were sent, and which was blocked less often."""
    other = _other(call, template)
    start, end = (_seconds(call, name) for name in ("start", "end"))
    if round((end - start) / DAY) not in PERIODS:
        raise invalid("The period must be 7, 30, 60 or 90 days.")
    pair = (template, other)
    sends = {one.id: _sends(one, start, end) for one in pair}
    if min(sends.values()) < FEWEST_SENDS:
        raise invalid(f"Both templates must have been sent at least {FEWEST_SENDS} times in the period.")
    by_rate = sorted(pair, key=lambda one: template_events.QUALITIES.index(one.quality))
    reason = {"GREEN": "UNKNOWN_BLOCK_REASON", "UNKNOWN": "UNKNOWN_BLOCK_REASON", "YELLOW": "NO_LONGER_NEEDED"}
    return {
        "data": [
            {"metric": "BLOCK_RATE", "type": "RELATIVE", "order_by_relative_metric": [one.id for one in by_rate]},
            {
                "metric": "MESSAGE_SENDS",
                "type": "NUMBER_VALUES",
                "number_values": [{"key": id, "value": count} for id, count in sends.items()],
            },
            {
                "metric": "TOP_BLOCK_REASON",
                "type": "STRING_VALUES",
                "string_values": [{"key": one.id, "value": reason.get(one.quality, "SPAM")} for one in pair],
            },
        ]
    }


@edge(Waba, "POST", "migrate_message_templates")
def migrate(call: Call, waba: Waba) -> Answer:
    """Copies approved GREEN templates of another account of the same business; each is reviewed again."""
    source = Waba.find(call.world, str(call.require("source_waba_id")))
    if source is None or source.business_id != waba.business_id or source.id == waba.id:
        raise invalid("Param source_waba_id must be another account of the same business.")
    wanted = decode(call.params.get("template_ids"))
    chosen = [str(id) for id in wanted] if isinstance(wanted, list) else None
    page, count = (int(call.params.get(name) or usual) for name, usual in (("page_number", 0), ("count", A_PAGE)))
    candidates = [one for one in MessageTemplate.of_waba(source) if chosen is None or one.id in chosen]
    migrated: list[str] = []
    failed: dict[str, str] = {}
    for template in candidates[page * A_PAGE :][: min(count, A_PAGE)]:
        if trouble := _obstacle(template, waba):
            failed[template.id] = trouble
        else:
            migrated.append(_copy(template, waba).id)
    return {"migrated_templates": migrated, "failed_templates": failed}


def _other(call: Call, template: MessageTemplate) -> MessageTemplate:
    given = decode(call.require("template_ids"))
    ids = given if isinstance(given, list) else str(given).split(",")
    other = MessageTemplate.find(call.world, str(ids[0])) if len(ids) == 1 else None
    if other is None or other.waba_id != template.waba_id:
        raise invalid("Param template_ids must be an array with one template of the same account.")
    return other


def _seconds(call: Call, name: str) -> float:
    value = str(call.require(name))
    if not value.isdecimal():
        raise invalid(f"Param {name} must be a UNIX timestamp.")
    # Meta's own sample has milliseconds.
    return int(value) / (1000 if len(value) > len("9999999999") else 1)


def _sends(template: MessageTemplate, start: float, end: float) -> int:
    sql = "template_id = ? and created_at between ? and ? and status not in ('accepted', 'failed')"
    return len(Message.where(template.world, sql, template.id, start, end))


def _obstacle(template: MessageTemplate, waba: Waba) -> str | None:
    if template.status != "APPROVED" or template.quality not in ("GREEN", "UNKNOWN"):
        return "Only approved templates of high quality can be migrated."
    if MessageTemplate.by_name(waba.world, waba.id, template.name, template.language):
        return "The account has a template of this name in this language."
    return None


def _copy(template: MessageTemplate, waba: Waba) -> MessageTemplate:
    columns: dict[str, Any] = {
        name: getattr(template, name)
        for name in ("category", "parameter_format", "message_send_ttl_seconds", "library_template_name")
    }
    copy = MessageTemplate.save(
        waba.world, waba, template.name, template.language, components=template.parts, status="PENDING", **columns
    )
    template_life.submit(copy)
    return copy
