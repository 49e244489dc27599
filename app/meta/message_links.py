"""Short links, and their QR codes, that open a chat with a number with a text already written."""

from dataclasses import dataclass
from io import BytesIO
from typing import Any

from .errors import NoAnswer
from .graph import GraphClient
from .payload import mapping, sequence, text


@dataclass(frozen=True, slots=True)
class MessageLink:
    code: str
    prefilled_message: str
    deep_link_url: str


# A code of a few dozen modules; Meta's files are some kilobytes.
LARGEST, SECONDS = 1024 * 1024, 10.0


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


def picture(graph: GraphClient, token: str, phone_number_id: str, code: str, drawn: str) -> bytes:
    """Meta's own picture of the link's QR code, `drawn` as SVG or PNG. Raises MetaError."""
    wanted = {"fields": f"code,qr_image_url.format({drawn})"}
    answer = graph.get(f"{phone_number_id}/message_qrdls/{code}", token=token, params=wanted)
    link = next(iter(map(mapping, sequence(answer.get("data")))), answer)
    if (address := text(link.get("qr_image_url"), 2_000)) is None:
        raise NoAnswer("Meta's answer names no picture", 200)
    into = BytesIO()
    graph.download(address, into, token=None, limit=LARGEST, seconds=SECONDS)
    content = into.getvalue()
    if not _is_drawn_as(drawn, content):
        raise NoAnswer("what Meta sent is no such picture", 200)
    return content


def delete(graph: GraphClient, token: str, phone_number_id: str, code: str) -> None:
    """The link opens nothing any more. Raises MetaError."""
    graph.delete(f"{phone_number_id}/message_qrdls/{code}", token=token)


def _link(item: dict[str, Any]) -> MessageLink | None:
    code, address = text(item.get("code"), 64), text(item.get("deep_link_url"), 500)
    return MessageLink(code, text(item.get("prefilled_message"), 200) or "", address) if code and address else None


def _is_drawn_as(drawn: str, content: bytes) -> bool:
    return content.startswith(b"\x89PNG\r\n\x1a\n") if drawn == "PNG" else b"<svg" in content[:1_000]
