"""What a file is, by its first bytes. Only what is listed here is ever shown in a page; the rest is downloaded."""

from __future__ import annotations

SHOWN = ("image/", "video/", "audio/")
UNKNOWN = "application/octet-stream"
HEAD = 64

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
    return mpeg_audio(head)


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
    """Whether a browser may show it where it stands."""
    return content_type.startswith(SHOWN)
