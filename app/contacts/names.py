"""Cleans names as people type them."""

from __future__ import annotations

import re
import unicodedata

LONGEST_NAME = 200
# Line ends and control characters, and those that turn the direction of writing for all that follows.
DISGUISE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\\s]+")
INVISIBLE = ("Cf", "Cc", "Cs", "Co", "Mn", "Zs", "Zl", "Zp")


def plain(name: str) -> str:
    """A name on one line, without characters that disguise other text; empty if nothing is visible."""
    cleaned = DISGUISE.sub(" ", name[: LONGEST_NAME * 4]).strip()[:LONGEST_NAME].strip()
    return cleaned if any(unicodedata.category(each) not in INVISIBLE for each in cleaned) else ""
