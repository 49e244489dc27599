from simulator import template_reviews
from simulator.errors import invalid
from simulator.graph import direct_messages
from simulator.graph.call import Call
from simulator.graph.edges import Answer, edge
from simulator.graph.parameters import decode
from simulator.wabas import Waba


@edge(Waba, "POST", "message_samples")
def add(call: Call, _: Waba) -> Answer:
    """Says which category Meta would give a message like the sample."""
    kind = str(call.require("type"))
    if kind not in ("text", "interactive"):
        raise invalid("Param type must be one of {TEXT, INTERACTIVE}")
    content = decode(call.require(kind))
    if not isinstance(content, dict):
        raise invalid(f"Param {kind} must be a JSON object.")
    body = content.get("body")
    text = body if isinstance(body, str) else str((body or {}).get("text") or "")
    if not text.strip() or len(text) > direct_messages.LONGEST_BODY:
        raise invalid(f"Param {kind} must have a body of 1 to {direct_messages.LONGEST_BODY} characters.")
    promotional = template_reviews.looks_promotional([{"type": "BODY", "text": text}])
    return {"success": True, "category": "MARKETING" if promotional else "UTILITY"}
