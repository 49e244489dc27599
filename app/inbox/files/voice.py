"""Converts recordings to voice notes in a sandboxed subprocess (voice_maker.py)."""

from __future__ import annotations

import importlib.util
import pathlib
from dataclasses import dataclass
from typing import BinaryIO

from . import sandbox

PROGRAM = pathlib.Path(__file__).with_name("voice_maker.py")
MEMORY = 1500 * 1024 * 1024
SECONDS = 40


@dataclass(frozen=True, slots=True)
class VoiceNote:
    """OGG/Opus in one channel, and its length in seconds."""

    seconds: int
    data: bytes


def can_make_voice_notes() -> bool:
    """Whether PyAV is installed (the extra `voice`)."""
    return importlib.util.find_spec("av") is not None


def make_voice_note(file: BinaryIO) -> VoiceNote | None:
    """Returns None where the file holds no sound, is broken, or takes too much memory or time."""
    seconds, _, data = (sandbox.run(PROGRAM, file, memory=MEMORY, seconds=SECONDS) or b"").partition(b"\n")
    return VoiceNote(int(seconds), data) if data else None
