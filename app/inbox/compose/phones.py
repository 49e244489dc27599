"""Finds phone numbers in a text, so that a page can offer to write to them or to call them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import phonenumbers

from app.meta.written_numbers import NotRead, is_in_use, read

# Digits with little between them. Each place of a text begins at most one, of bounded length.
CANDIDATE = re.compile(r"(?<![\w+/.@=&#-])(?:\+ ?|00)?\(?\d(?:[  ().\-/]{0,3}\d){6,16}(?![\w@])")
SEPARATOR = re.compile(r"\d[  ().\-/]+\d")
# So many are looked at in one text: a list of numbers takes no longer than a page may.
MOST = 20


def phones_in(text: str, country: str) -> Iterator[tuple[int, int, str]]:
    """Start, end and wa_id of each number. `country` (ISO 3166) is assumed for national ones; "" leaves them out."""
    for tried, match in enumerate(CANDIDATE.finditer(text)):
        if tried == MOST:
            return
        if wa_id := number_of(match[0], country):
            yield match.start(), match.end(), wa_id


def number_of(written: str, country: str) -> str:
    """The number, if it is certainly one: with its country's code, or as people write it within the country."""
    is_whole = written.startswith(("+", "00"))
    if not is_whole and not is_dialled_in(written, country):
        return ""
    try:
        wa_id = read(written, country)
    except NotRead:
        return ""
    return wa_id if is_in_use(wa_id) else ""


def is_dialled_in(written: str, country: str) -> bool:
    """Whether it looks like a number as people dial it within a country: with its 0 in front where it has one."""
    if not country:
        return False
    if phonenumbers.ndd_prefix_for_region(country, True) == "0":
        return written.lstrip("(").startswith("0")
    return bool(SEPARATOR.search(written))
