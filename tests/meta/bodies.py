"""Webhook bodies as Meta sends them."""

import json
from typing import Any

WABA, NUMBER, PORTFOLIO = "102290129340398", "106540352242922", "506914307656634"
SHEENA = {"profile": {"name": "Sheena", "username": "sheena.n"}, "wa_id": "16505551234", "user_id": "US.134"}


def body(*values: Any, field: str = "messages", waba_id: str = WABA, **entry: Any) -> bytes:
    changes = [{"field": field, "value": value} for value in values]
    envelope = {
        "object": "whatsapp_business_account",
        "entry": [{"id": waba_id, "changes": changes, **entry}],
    }
    return json.dumps(envelope).encode()


def messages_value(*messages: Any, **more: Any) -> dict[str, Any]:
    metadata = {"display_phone_number": "15550783881", "phone_number_id": NUMBER}
    value = {"messaging_product": "whatsapp", "metadata": metadata, **more}
    return {**value, "messages": list(messages)} if messages else value


def message(type: str = "text", **content: Any) -> dict[str, Any]:
    sent = {"from": "16505551234", "from_user_id": "US.134", "id": "wamid.A", "timestamp": "1749416383"}
    return {**sent, "type": type, **(content or {"text": {"body": "Hello"}})}


def status(**more: Any) -> dict[str, Any]:
    return {"id": "wamid.A", "status": "delivered", "timestamp": "1750030073", **more}
