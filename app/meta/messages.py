"""`POST /<phone_number_id>/messages`: sending, and marking as read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .errors import NoAddress, NoAnswer
from .graph import GraphClient
from .payload import identifier, mapping, sequence, text


@dataclass(frozen=True, slots=True)
class Accepted:
    """Meta accepted the message; status webhooks report whether it was sent and delivered."""

    wamid: str
    wa_id: str | None
    user_id: str | None
    message_status: str | None


def send(
    graph: GraphClient,
    token: str,
    phone_number_id: str,
    *,
    to: str | None = None,
    recipient: str | None = None,
    content: Mapping[str, Any],
    callback_data: str | None,
    context_wamid: str | None = None,
) -> Accepted:
    """Send `content` (`{"type": …, "<type>": …}`) to a phone number in international digits, or to a user
    id. `callback_data` (512 characters) comes back in every status. Raises MetaError."""
    envelope = {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        **_addressee(to, recipient),
        **content,
    }
    if callback_data:
        envelope["biz_opaque_callback_data"] = callback_data
    if context_wamid:
        envelope["context"] = {"message_id": context_wamid}
    return _accepted(graph.post(f"{phone_number_id}/messages", token=token, json=envelope))


def mark_read(graph: GraphClient, token: str, phone_number_id: str, wamid: str, typing: bool = False) -> None:
    """Mark this message and all before it as read, and show "typing…" for up to 25 s. Raises MetaError."""
    request: dict[str, Any] = {"messaging_product": "whatsapp", "status": "read", "message_id": wamid}
    if typing:
        request["typing_indicator"] = {"type": "text"}
    graph.post(f"{phone_number_id}/messages", token=token, json=request)


def _addressee(to: str | None, recipient: str | None) -> dict[str, str]:
    """Without its plus sign, Meta may take a number for a local one of the sender's country."""
    if to:
        return {"to": to if to.startswith("+") else f"+{to}"}
    if recipient:
        return {"recipient": recipient}
    raise NoAddress


def _accepted(answer: dict[str, Any]) -> Accepted:
    message = mapping(next(iter(sequence(answer.get("messages"))), None))
    contact = mapping(next(iter(sequence(answer.get("contacts"))), None))
    wamid = identifier(message.get("id"))
    if wamid is None:
        raise NoAnswer("Meta's answer does not name the message", 200)
    return Accepted(
        wamid=wamid,
        wa_id=identifier(contact.get("wa_id")),
        user_id=identifier(contact.get("user_id")),
        message_status=text(message.get("message_status"), 64),
    )
