"""Files at Meta: customers' are stored for 7 days, at an address valid for 5 minutes; ours for 30 days."""

import base64
import binascii
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, BinaryIO

from .errors import FileGone, GraphError, Kind, MetaError, NotUploaded
from .graph import GraphClient
from .payload import identifier, text

KINDS = ("image", "video", "audio", "document", "sticker")
LARGEST = 100 * 1024 * 1024
LIFETIME = timedelta(days=7)
UPLOAD_LIFETIME = timedelta(days=30)

# What Meta may answer to a message whose file's id it does not know (any more).
FILE_CODES = (100, 131009, 131052, 131053)
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


def upload(graph: GraphClient, token: str, phone_number_id: str, *, file: BinaryIO, name: str, mime: str) -> str:
    """Uploads a file; returns its id, valid for 30 days. Sends nothing, so it can always be repeated:
    where it stays unknown whether Meta has the file, that is `NotUploaded`. Raises MetaError."""
    fields = {"messaging_product": "whatsapp", "type": mime}
    try:
        answer = graph.upload(f"{phone_number_id}/media", token=token, fields=fields, file=file, name=name, mime=mime)
    except MetaError as error:
        if error.kind is Kind.UNKNOWN_OUTCOME:
            raise NotUploaded(error.details, error.http_status) from None
        raise
    if (id := identifier(answer.get("id"))) is None:
        raise NotUploaded("Meta's answer does not name the file", 200)
    return id


def is_digest(announced: str, digest: bytes) -> bool:
    """Whether a SHA-256 as Meta writes it (base64 in webhooks, hex elsewhere) is this one."""
    if announced.lower() == digest.hex():
        return True
    try:
        return base64.b64decode(announced.translate(_URL_SAFE), validate=True) == digest
    except (binascii.Error, ValueError):
        return False
