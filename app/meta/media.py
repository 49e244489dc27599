"""Files that customers send: Meta keeps them for 7 days, under an id, at an address that lives 5 minutes."""

import base64
import binascii
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from app.meta.errors import FileGone, GraphError
from app.meta.graph import GraphClient
from app.meta.payload import identifier, text

KINDS = ("image", "video", "audio", "document", "sticker")
LARGEST = 100 * 1024 * 1024
KEPT = timedelta(days=7)

# (code, subcode) of "there is nothing with this id".
_NOTHING_THERE = {(100, 33), (131052, None)}
_URL_SAFE = str.maketrans("-_", "+/")


@dataclass(frozen=True, slots=True)
class File:
    """What a message says of the file it carries."""

    id: str | None
    kind: str
    mime_type: str
    sha256: str
    name: str
    is_voice: bool

    @classmethod
    def carried_by(cls, kind: str, content: dict[str, Any]) -> "File | None":
        if kind not in KINDS:
            return None
        return cls(
            id=identifier(content.get("id")),
            kind=kind,
            mime_type=text(content.get("mime_type"), 200) or "",
            sha256=text(content.get("sha256"), 200) or "",
            name=text(content.get("filename"), 1_000) or "",
            is_voice=content.get("voice") is True,
        )


@dataclass(frozen=True, slots=True)
class Location:
    """Where a file is for the next minutes, and what it should be."""

    url: str
    sha256: str
    size: int | None


def locate(graph: GraphClient, token: str, media_id: str, phone_number_id: str) -> Location:
    """Raises `FileGone` when Meta has it no more, and the errors of any call to Meta."""
    try:
        answer = graph.get(media_id, token=token, params={"phone_number_id": phone_number_id})
    except GraphError as error:
        if (error.code, error.subcode) in _NOTHING_THERE:
            raise FileGone(error.details or "unknown id") from None
        raise
    except ValueError:
        raise FileGone("not an id") from None
    size = text(answer.get("file_size"), 20) or ""
    return Location(
        url=text(answer.get("url")) or "",
        sha256=text(answer.get("sha256"), 200) or "",
        size=int(size) if size.isdecimal() else None,
    )


def is_digest(told: str, digest: bytes) -> bool:
    """Whether a SHA-256 as Meta writes it (base64 in webhooks, hex elsewhere) is this one."""
    if told.lower() == digest.hex():
        return True
    try:
        return base64.b64decode(told.translate(_URL_SAFE), validate=True) == digest
    except (binascii.Error, ValueError):
        return False
