"""Having a voice note made of a recording, by a process that can do no harm (voice_maker.py)."""

from __future__ import annotations

import importlib.util
import pathlib
import subprocess
import sys
from dataclasses import dataclass
from typing import BinaryIO

PROGRAM = pathlib.Path(__file__).with_name("voice_maker.py")
SECONDS = 40


@dataclass(frozen=True, slots=True)
class VoiceNote:
    """OGG/Opus in one channel, and how long it takes to listen to."""

    seconds: int
    data: bytes


def can_make_voice_notes() -> bool:
    """Whether PyAV is installed (the extra `voice`)."""
    return importlib.util.find_spec("av") is not None


def make_voice_note(file: BinaryIO) -> VoiceNote | None:
    """None of what holds no sound, is broken, or would take too much."""
    file.seek(0)
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(PROGRAM)], stdin=file, capture_output=True, env={}, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return None
    seconds, _, data = done.stdout.partition(b"\n")
    if done.returncode or not data:
        return None
    return VoiceNote(int(seconds), data)
