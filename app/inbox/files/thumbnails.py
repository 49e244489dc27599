"""Having a small picture made, by a process that can do no harm (thumbnailer.py)."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
from dataclasses import dataclass
from typing import BinaryIO

PROGRAM = pathlib.Path(__file__).with_name("thumbnailer.py")
SECONDS = 20
LARGEST = 50_000


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A WebP, and how wide and high the picture it was made of is."""

    width: int
    height: int
    data: bytes


def make_thumbnail(file: BinaryIO) -> Thumbnail | None:
    """None of what is no picture, is broken, or would take too much."""
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(PROGRAM)], stdin=file, capture_output=True, env={}, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return None
    size, _, data = done.stdout.partition(b"\n")
    if done.returncode or not data:
        return None
    width, height = json.loads(size)
    return Thumbnail(min(width, LARGEST), min(height, LARGEST), data)
