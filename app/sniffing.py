"""What a file is, by its first bytes. Only what is listed here is ever shown in a page; the rest is downloaded."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Iterator
from typing import IO

SHOWN = ("image/", "video/", "audio/")
UNKNOWN = "application/octet-stream"
# Readers of PDF look for its mark in the first 1,024 bytes: a byte order mark or an HTTP header may come before it.
HEAD = 1024

ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
PDF = b"%PDF-"
# A text in UTF-16 or UTF-32 says so by its first bytes, which would pass for the beginning of MPEG sound.
TEXT_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff", b"\xef\xbb\xbf")
MOST_BOXES, LARGEST_INDEX = 500, 8 * 1024 * 1024

SIGNATURES = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"OggS", "audio/ogg"),
    (b"#!AMR", "audio/amr"),
    (b"ID3", "audio/mpeg"),
    (b"%PDF-", "application/pdf"),
)
EXTENSIONS = {
    "application/pdf": ".pdf",
    "audio/aac": ".aac",
    "audio/amr": ".amr",
    "audio/mp4": ".m4a",
    "audio/mpeg": ".mp3",
    "audio/ogg": ".ogg",
    "image/gif": ".gif",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "video/3gpp": ".3gp",
    "video/mp4": ".mp4",
}
LONGEST_NAME = 200
# Control characters, and those that turn the direction of writing: `gpj.exe` must not be read as `exe.jpg`.
DISGUISE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
VIDEO_BRANDS = (b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"dash", b"M4V ", b"MSNV")


def sniff(head: bytes, kind: str) -> str:
    """The type to serve a file as. `kind` decides between sound and film where one container holds both."""
    for signature, content_type in SIGNATURES:
        if head.startswith(signature):
            return content_type
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:8] == b"ftyp":
        return mp4(head[8:12], kind)
    format = UNKNOWN if head.startswith(TEXT_MARKS) else mpeg_audio(head)
    if format == UNKNOWN and PDF in head[:HEAD] and not head.startswith((ZIP, OLE)):
        return "application/pdf"
    return format


def mp4(brand: bytes, kind: str) -> str:
    if brand.startswith((b"M4A", b"M4B")) or (kind == "audio" and (brand in VIDEO_BRANDS or brand.startswith(b"3g"))):
        return "audio/mp4"
    if brand.startswith(b"3g"):
        return "video/3gpp"
    return "video/mp4" if brand in VIDEO_BRANDS else UNKNOWN


def mpeg_audio(head: bytes) -> str:
    """Frames begin with eleven set bits, then the version and the layer; AAC has layer 0."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return UNKNOWN
    if head[1] & 0xF6 == 0xF0:
        return "audio/aac"
    has_layer, has_version = head[1] & 0x06, head[1] & 0x18 != 0x08
    return "audio/mpeg" if has_layer and has_version and head[2] & 0xF0 != 0xF0 else UNKNOWN


def is_shown(content_type: str) -> bool:
    """Whether a browser may show it inline."""
    return content_type.startswith(SHOWN)


def is_text(head: bytes) -> bool:
    """Whether it may be plain text, marked as such or without a NUL in it."""
    return head.startswith(TEXT_MARKS) or b"\x00" not in head


def is_web_page(head: bytes) -> bool:
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return start.startswith((b"<!doctype html", b"<html", b"<head", b"<body", b"<table", b"<meta"))


def has_sound_only(file: IO[bytes]) -> bool:
    """Whether an MP4 file has sound and no picture: its tracks say so (ISO 14496-12, `hdlr`), its brand does not."""
    index = track_index(file)
    kinds = {index[at + 12 : at + 16] for at in places(index, b"hdlr")}
    return b"soun" in kinds and b"vide" not in kinds


def track_index(file: IO[bytes]) -> bytes:
    """The position of the `moov` box. Looks at a few hundred boxes and reads eight megabytes at most."""
    start = 0
    for _ in range(MOST_BOXES):
        file.seek(start)
        head = file.read(16)
        size = int.from_bytes(head[:4], "big")
        if len(head) == 16 and size == 1:
            size = int.from_bytes(head[8:16], "big")
        if head[4:8] == b"moov":
            file.seek(start)
            return file.read(min(size or LARGEST_INDEX, LARGEST_INDEX))
        if size < 8:
            break
        start += size
    return b""


def places(index: bytes, name: bytes) -> Iterator[int]:
    at = index.find(name)
    while at >= 0:
        yield at
        at = index.find(name, at + 4)


def readable_name(name: str) -> str:
    """Returns a file name without its path and without characters that disguise it; cut, it keeps its extension."""
    plain = DISGUISE.sub("", re.split(r"[/\\]", name)[-1]).strip()
    if len(plain) <= LONGEST_NAME:
        return plain
    path = pathlib.PurePosixPath(plain)
    return path.stem[: LONGEST_NAME - 10] + path.suffix[:10]
