"""What Meta posts, as bytes and signed."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import time
from typing import Any

from dev.environment import SIMULATED_META
from tests.world import BAKERY_NUMBER, BAKERY_WABA

numbers = itertools.count(1)


def post(*changes: dict[str, Any], waba: str = BAKERY_WABA) -> bytes:
    return json.dumps(
        {"object": "whatsapp_business_account", "entry": [{"id": waba, "changes": list(changes)}]}
    ).encode()


def change(number: str, **value: Any) -> dict[str, Any]:
    metadata = {"display_phone_number": "15550783881", "phone_number_id": number}
    return {"field": "messages", "value": {"messaging_product": "whatsapp", "metadata": metadata, **value}}


def message(
    body: str = "Hello",
    *,
    number: str = BAKERY_NUMBER,
    wa_id: str = "16505551234",
    name: str = "Carla",
    wamid: str = "",
    at: float | None = None,
    **more: Any,
) -> dict[str, Any]:
    """A change with one message from a customer; a text unless `more` says otherwise."""
    bsuid = f"US.{wa_id}"
    content = more or {"type": "text", "text": {"body": body}}
    item = {
        "from": wa_id,
        "from_user_id": bsuid,
        "id": wamid or f"wamid.{next(numbers)}.{time.time_ns()}",
        "timestamp": str(int(at or time.time())),
        **content,
    }
    contact = {"profile": {"name": name}, "wa_id": wa_id, "user_id": bsuid}
    return change(number, contacts=[contact], messages=[item])


def status(
    wamid: str, state: str, *, number: str = BAKERY_NUMBER, at: float | None = None, **more: Any
) -> dict[str, Any]:
    item = {"id": wamid, "status": state, "timestamp": str(int(at or time.time())), "recipient_id": "16505551234"}
    return change(number, statuses=[item | more])


def signed(body: bytes, secret: str = SIMULATED_META["META_APP_SECRETS"]) -> dict[str, str]:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {"X-Hub-Signature-256": f"sha256={digest}", "Content-Type": "application/json"}
