"""What changed in the API, for whoever writes programs for it."""

from __future__ import annotations

from dataclasses import dataclass

from app.words import N_


@dataclass(frozen=True)
class Entry:
    """Of a day. `version` is the version that began with it, or empty where nothing could break."""

    day: str
    version: str
    words: tuple[str, ...]


# The newest first.
ENTRIES = (
    Entry(
        "2026-11-29",
        "2026-11-29",
        (N_("The first version."),),
    ),
)
