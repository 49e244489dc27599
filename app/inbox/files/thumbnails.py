"""Makes thumbnails in a sandboxed subprocess (thumbnailer.py)."""

from __future__ import annotations

import json
import pathlib
from dataclasses import dataclass
from typing import BinaryIO

from . import sandbox

PROGRAM = pathlib.Path(__file__).with_name("thumbnailer.py")
MEMORY = 900 * 1024 * 1024
SECONDS = 20
LARGEST = 50_000


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A WebP, and the width and height in pixels of the picture it was made of."""

    width: int
    height: int
    data: bytes


def make_thumbnail(file: BinaryIO) -> Thumbnail | None:
    """Returns None where the file is no picture, is broken, or takes too much memory or time."""
    size, _, data = (sandbox.run(PROGRAM, file, memory=MEMORY, seconds=SECONDS) or b"").partition(b"\n")
    if not data:
        return None
    width, height = json.loads(size)
    return Thumbnail(min(width, LARGEST), min(height, LARGEST), data)
