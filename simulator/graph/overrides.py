from typing import Any

from simulator.errors import invalid
from simulator.graph.call import Call
from simulator.webhooks.handshake import verifies


def verify_override(call: Call, params: dict[str, Any]) -> str | None:
    """Verifies the new callback and returns it, or None when it is removed."""
    url = params.get("override_callback_uri") or ""
    if not url:
        return None
    if len(url) > 200:
        raise invalid("Param override_callback_uri must be at most 200 characters long.")
    if not verifies(url, params.get("verify_token") or "", call.world.transport):
        raise invalid("Webhook callback URL is not reachable or invalid")
    return url
