"""Files: which types WhatsApp takes, how large they may be, and as what kind of message they go."""

from __future__ import annotations

from typing import Any

from app.words import N_

from .kinds import Outgoing, Refused, within

KB, MB = 1024, 1024 * 1024
LONGEST_CAPTION = 1024
_OFFICE = "application/vnd.openxmlformats-officedocument"

TAKEN = {
    "image": ("image/jpeg", "image/png"),
    "video": ("video/mp4", "video/3gpp"),
    "audio": ("audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"),
    "sticker": ("image/webp",),
    "document": (
        "application/pdf",
        "text/plain",
        "application/msword",
        f"{_OFFICE}.wordprocessingml.document",
        "application/vnd.ms-excel",
        f"{_OFFICE}.spreadsheetml.sheet",
        "application/vnd.ms-powerpoint",
        f"{_OFFICE}.presentationml.presentation",
    ),
}
LARGEST = {"image": 5 * MB, "video": 16 * MB, "audio": 16 * MB, "sticker": 500 * KB, "document": 100 * MB}
LARGEST_STILL_STICKER = 100 * KB
# The first bytes of documents are not enough to tell their type.
EXTENSIONS = {
    "csv": "text/plain",
    "doc": "application/msword",
    "docx": f"{_OFFICE}.wordprocessingml.document",
    "pdf": "application/pdf",
    "ppt": "application/vnd.ms-powerpoint",
    "pptx": f"{_OFFICE}.presentationml.presentation",
    "txt": "text/plain",
    "xls": "application/vnd.ms-excel",
    "xlsx": f"{_OFFICE}.spreadsheetml.sheet",
}
_TOO_LARGE = {
    "image": N_("“{name}” has {size}. WhatsApp takes photos up to {most}, so it is {over} too large."),
    "video": N_("“{name}” has {size}. WhatsApp takes videos up to {most}, so it is {over} too large."),
    "audio": N_("“{name}” has {size}. WhatsApp takes sound up to {most}, so it is {over} too large."),
    "sticker": N_("“{name}” has {size}. WhatsApp takes stickers up to {most}, so it is {over} too large."),
    "document": N_("“{name}” has {size}. WhatsApp takes files up to {most}, so it is {over} too large."),
}
_CAPTION = N_("The words below a file may have {most:,} characters. Shorten them by {over}.")
CAPTIONED = ("image", "video", "document")


def kind_of(mime: str) -> str | None:
    """As what WhatsApp sends a file of this type, if it does."""
    return next((kind for kind, types in TAKEN.items() if mime in types), None)


def check_size(kind: str, size: int, name: str, *, moves: bool = True) -> None:
    """`moves`: an animated sticker, which may be larger than a still one."""
    most = LARGEST_STILL_STICKER if kind == "sticker" and not moves else LARGEST[kind]
    if not size:
        raise Refused(N_("“{name}” is empty."), name=name)
    if size > most:
        raise Refused(_TOO_LARGE[kind], name=name, size=_size(size), most=_size(most), over=_size(size - most))


def file(kind: str, caption: str = "", name: str = "", *, voice: bool = False) -> Outgoing:
    """The message around a file. Its id is added when Meta has given it one (`content_of`)."""
    raw: dict[str, Any] = {}
    if kind in CAPTIONED and (caption := within(caption, LONGEST_CAPTION, _CAPTION)):
        raw["caption"] = caption
    if kind == "document":
        raw["filename"] = name
    if voice:
        raw["voice"] = True
    return Outgoing(kind, raw.get("caption", ""), raw)


def _size(size: int) -> str:
    if size < MB:
        return f"{max(1, round(size / KB))} KB"
    return f"{size / MB:.1f} MB".replace(".0 ", " ")
