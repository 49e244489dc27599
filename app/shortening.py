"""How much of a text or a list a page shows at first: whoever wrote it, it may be of any length."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any

from flask_babel import format_decimal as number
from flask_babel import ngettext

LONGEST = 2_500
LINES = 60
FEW = 10
# How far a cut moves back to the end of a word, or out of a letter of several characters.
BACK = 80
JOINERS = "\u200d\ufe0e\ufe0f"


def too_long(most: int) -> str:
    """What is wrong with a text that has more characters."""
    words = ngettext("Use at most %(count)s character.", "Use at most %(count)s characters.", most, count=number(most))
    return str(words)


def is_long(text: str, most: int = LONGEST) -> bool:
    return len(text) > most or text.count("\n", 0, most) > LINES


def shortened(text: str, most: int = LONGEST) -> str:
    """The beginning of a long text, with an ellipsis; a short one as it is."""
    if not is_long(text, most):
        return text
    end = min(most, line_end(text, most))
    for place in range(end, max(end - BACK, 1), -1):
        if text[place - 1].isspace() or text[place : place + 1].isspace():
            return f"{text[:place].rstrip()}…"
    place = next((place for place in range(end, max(end - BACK, 1), -1) if not is_inside(text, place)), end)
    return f"{text[:place]}…"


def line_end(text: str, most: int) -> int:
    """Where line number LINES ends."""
    place = -1
    for _ in range(LINES):
        place = text.find("\n", place + 1, most)
        if place < 0:
            return most
    return place


def is_inside(text: str, place: int) -> bool:
    """Whether a cut there would part an accent or an emoji from what it belongs to."""
    before, after = text[place - 1], text[place : place + 1]
    is_mark = bool(after) and unicodedata.category(after) in ("Mn", "Me", "Mc", "Sk")
    return is_mark or before in JOINERS or after in JOINERS or "\U0001f1e6" <= after <= "\U0001f1ff"


def few(entries: Sequence[Any], whole: object = False) -> Sequence[Any]:
    """The first of them; all where the page shows the `whole`."""
    return entries if whole else entries[:FEW]
