"""Parses WhatsApp's markup (*bold*, _italic_, ~struck~, `code`) and links into runs that a template wraps.

A run is plain text: the template escapes whatever a stranger wrote, and no HTML is built here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from .phones import phones_in

STYLES = {"*": "bold", "_": "italic", "~": "struck"}
BLOCK = re.compile(r"```(?!`)(.+?)```|`([^`\n]+)`", re.DOTALL)
LINK = re.compile(r"https?://[^\s<>\"“”]+|www\.[^\s<>\"“”]+\.[^\s<>\"“”]+", re.IGNORECASE)
# These end a sentence rather than a link.
TRAILING = ".,;:!?'*_~…"


@dataclass(frozen=True, slots=True)
class Run:
    """A piece of text with its styles (values of STYLES, or `code`); `href` where it is a link, `phone` a number."""

    text: str
    styles: frozenset[str] = frozenset()
    href: str = ""
    phone: str = ""


def parse_markup(text: str, country: str | None = None) -> list[Run]:
    """The pieces of a text, in order. Joined they are the text without the marks that took effect.

    With a country phone numbers are found too (see `phones_in`).
    """
    runs: list[Run] = []
    end = 0
    for block in BLOCK.finditer(text):
        runs += parse_prose(text[end : block.start()], country)
        runs.append(Run((block[1] or block[2]).strip("\n"), frozenset({"code"})))
        end = block.end()
    runs += parse_prose(text[end:], country)
    # A text of marks alone is shown as it is.
    return runs if any(run.text for run in runs) else [Run(text)]


def parse_prose(text: str, country: str | None = None) -> Iterator[Run]:
    """The runs of a text without code."""
    links = list(links_of(text))
    phones = phones_between(text, links, country)
    links = sorted([*links, *phones])
    covered = {place for start, end in links for place in (start, end)}
    ranges = [(start, end, style) for start, end, style in styled_ranges(text, links)]
    marks = {place for start, end, _ in ranges for place in (start, end)}
    edges = sorted({0, len(text), *covered, *marks, *(place + 1 for place in marks)})
    open_styles: set[str] = set()
    begins = {start: style for start, _, style in ranges}
    ends = {end: style for _, end, style in ranges}
    starts = dict(links)
    for start, end in pairwise(edges):
        if start in begins:
            open_styles.add(begins[start])
        elif start in ends:
            open_styles.discard(ends[start])
        else:
            piece = text[start:end]
            phone = phones.get((start, end), "")
            href = address(piece) if starts.get(start) == end and not phone else ""
            yield Run(piece, frozenset(open_styles), href, phone)


def phones_between(text: str, links: list[tuple[int, int]], country: str | None) -> dict[tuple[int, int], str]:
    """Where phone numbers start and end, and their wa_ids. What is in a link is part of the link."""
    if country is None:
        return {}
    covered = [False] * (len(text) + 1)
    for start, end in links:
        covered[start:end] = [True] * (end - start)
    return {(start, end): wa_id for start, end, wa_id in phones_in(text, country) if not covered[start]}


def links_of(text: str) -> Iterator[tuple[int, int]]:
    """Where links start and end, without the punctuation and the closing brackets that follow them."""
    for match in LINK.finditer(text):
        link = match[0].rstrip(TRAILING)
        if (unopened := link.count(")") - link.count("(")) > 0:
            closing = len(link) - len(link.rstrip(")"))
            link = link[: len(link) - min(unopened, closing)].rstrip(TRAILING)
        yield match.start(), match.start() + len(link)


def address(link: str) -> str:
    return link if link[:4].lower() == "http" else f"https://{link}"


def styled_ranges(text: str, links: list[tuple[int, int]]) -> Iterator[tuple[int, int, str]]:
    """Pairs of marks with their style: the first before a word, the second after one, both in one line."""
    waiting: dict[str, int] = {}
    upcoming = iter([*links, (len(text) + 1, len(text) + 1)])
    link_start, link_end = next(upcoming)
    for place, character in enumerate(text):
        if place >= link_end:
            link_start, link_end = next(upcoming)
        if character == "\n":
            waiting.clear()
        if character not in STYLES or link_start <= place < link_end:
            continue
        before, after = text[place - 1 : place], text[place + 1 : place + 2]
        began = waiting.get(character)
        if began is not None and place > began + 1 and not before.isspace() and not after.isalnum():
            yield began, place, STYLES[character]
            del waiting[character]
        elif after and not after.isspace() and not before.isalnum():
            waiting[character] = place
