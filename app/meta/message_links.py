"""Short links, and their QR codes, that open a chat with a number with a text already written."""

from dataclasses import dataclass
from typing import Any

from app.meta.errors import NoAnswer
from app.meta.graph import GraphClient
from app.meta.payload import mapping, sequence, text


@dataclass(frozen=True, slots=True)
class MessageLink:
    code: str
    prefilled_message: str
    deep_link_url: str


def of_number(graph: GraphClient, token: str, phone_number_id: str) -> list[MessageLink]:
    """Every link of a number. Raises MetaError."""
    answer = graph.get(f"{phone_number_id}/message_qrdls", token=token)
    return [link for item in map(mapping, sequence(answer.get("data"))) if (link := _link(item))]


def create(graph: GraphClient, token: str, phone_number_id: str, message: str, code: str = "") -> MessageLink:
    """A new link; with `code` that one gets another text. Raises MetaError."""
    request = {"prefilled_message": message} | ({"code": code} if code else {})
    if (link := _link(graph.post(f"{phone_number_id}/message_qrdls", token=token, json=request))) is None:
        raise NoAnswer("Meta's answer names no link", 200)
    return link


def delete(graph: GraphClient, token: str, phone_number_id: str, code: str) -> None:
    """The link opens nothing any more. Raises MetaError."""
    graph.delete(f"{phone_number_id}/message_qrdls/{code}", token=token)


def _link(item: dict[str, Any]) -> MessageLink | None:
    code, address = text(item.get("code"), 64), text(item.get("deep_link_url"), 500)
    return MessageLink(code, text(item.get("prefilled_message"), 200) or "", address) if code and address else None
