"""Sample files and locations to send."""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

from simulator.voice import OGG_OPUS, wrap

HERE = Path(__file__).parent / "files"
PLACES = {
    "Harbour Street 4": {"latitude": 51.5072, "longitude": -0.1276, "name": "Harbour Street 4", "address": "London"},
    "Ibirapuera": {"latitude": -23.5874, "longitude": -46.6576, "name": "Parque Ibirapuera", "address": "São Paulo"},
    "Here": {"latitude": 52.52, "longitude": 13.405},
}
PDF = b"""%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]>>endobj
trailer<</Root 1 0 R>>
%%EOF
"""


def png(width: int = 320, height: int = 200) -> bytes:
    """A picture of a sunset."""
    rows = b"".join(
        b"\0" + b"".join(bytes([250 - y // 2, 120 + x // 8, 90 + y // 2]) for x in range(width)) for y in range(height)
    )
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def voice() -> bytes:
    """Half a second of silence as a phone records it: Opus, one channel, in Ogg."""
    header = b"OpusHead" + struct.pack("<BBHIhB", 1, 1, 312, 48000, 0, 0)
    return wrap(header, [b"\xf8\xff\xfe"] * 25)


FILES: dict[str, tuple[str, str, Callable[[], bytes]]] = {
    "image": ("sunset.png", "image/png", png),
    "video": ("clip.mp4", "video/mp4", (HERE / "clip.mp4").read_bytes),
    "audio": ("music.mp3", "audio/mpeg", lambda: b"ID3\x04\0\0\0\0\0\0" + b"\0" * 400),
    "voice": ("voice.ogg", OGG_OPUS, voice),
    "document": ("price-list.pdf", "application/pdf", lambda: PDF),
    "sticker": ("sticker.webp", "image/webp", (HERE / "sticker.webp").read_bytes),
}
