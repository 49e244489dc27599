"""Draws the waveform of a sound in a sandboxed subprocess (waveform_maker.py)."""

from __future__ import annotations

import pathlib
from dataclasses import dataclass
from typing import BinaryIO

from . import sandbox
from .voice import can_make_voice_notes

PROGRAM = pathlib.Path(__file__).with_name("waveform_maker.py")
MEMORY = 1500 * 1024 * 1024
SECONDS = 40


@dataclass(frozen=True, slots=True)
class Waveform:
    """The loudness of each part of a sound, 0 to 255, and the sound's length in seconds."""

    seconds: int
    levels: bytes


def draw_waveform(file: BinaryIO) -> Waveform | None:
    """Returns None without PyAV, and where the file holds no sound, is broken, or takes too much memory or time."""
    if not can_make_voice_notes():
        return None
    seconds, _, levels = (sandbox.run(PROGRAM, file, memory=MEMORY, seconds=SECONDS) or b"").partition(b"\n")
    return Waveform(int(seconds), levels) if levels else None


def path_of(levels: bytes, height: int) -> str:
    """The bars of a waveform as the path of an SVG: four units apart, in the middle of the height."""
    tall = [max(2, round(level * height / 255)) for level in levels]
    return "".join(f"M{4 * place + 2} {(height - bar) / 2:g}v{bar}" for place, bar in enumerate(tall))
