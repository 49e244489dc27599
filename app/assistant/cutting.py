"""Cuts a text into passages of a few hundred tokens, at its headings and paragraphs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from app.folding import fold

# A token is about four letters of a European language: 300 to 600 of them.
SHORTEST, LONGEST = 1_200, 2_400
MOST_PIECES = 2_000
LONGEST_HEADING = 300
HEADING = re.compile(r"^(#{1,6})\s+(.{1,200})$")
PARAGRAPH = re.compile(r"\n\s*\n")


# Text that speaks to the assistant instead of to readers. Comments on a page may do so.
ORDERS = re.compile(
    r"(?:ignor\w*|disregard|forget|override|olvid\w+|vergiss|vergessen sie|missachte\w*|esquec\w+|desconsider\w+"
    r"|oubli\w+)"
    r"[^.\n]{0,30}(?:instruc\w*|instruktion\w*|anweisung\w*|rules|reglas|regeln|regras|regles|consignes|prompt)"
    r"|(?:تجاهل|انس)[^.\n]{0,30}(?:تعليمات|التعليمات|اوامر|الاوامر)"
    r"|system prompt|you are now (?:a|an|the)|jailbreak|prompt injection"
)


@dataclass(frozen=True, slots=True)
class Piece:
    """The headings above it, and its text."""

    heading: str
    body: str

    @property
    def gives_orders(self) -> bool:
        """Whether it tells the assistant what to do, which no passage may."""
        return bool(ORDERS.search(fold(f"{self.heading}\n{self.body}")))


def cut(text: str, title: str) -> list[Piece]:
    """Its pieces; a line that begins with # is a heading, as in Markdown."""
    pieces: list[Piece] = []
    for heading, paragraphs in sections(text, title):
        for body in packed(paragraphs):
            pieces.append(Piece(heading, body))
            if len(pieces) == MOST_PIECES:
                return pieces
    return pieces


def sections(text: str, title: str) -> Iterator[tuple[str, list[str]]]:
    """The paragraphs under each heading, with the path of headings that leads there."""
    path: list[tuple[int, str]] = []
    block: list[str] = []
    for line in [*text.splitlines(), "# "]:
        heading = HEADING.match(line.strip())
        if heading or line == "# ":
            if words := "\n".join(block).strip():
                above = " › ".join(filter(None, [title, *(name for _level, name in path)]))
                yield above[:LONGEST_HEADING], PARAGRAPH.split(words)
            block = []
        if heading:
            level = len(heading[1])
            path = [*(step for step in path if step[0] < level), (level, heading[2].strip())]
        elif line != "# ":
            block.append(line)


def packed(paragraphs: list[str]) -> Iterator[str]:
    """Paragraphs together until they are long enough; a very long one in parts that end with a sentence."""
    held = ""
    for part in (part for paragraph in paragraphs for part in split(paragraph.strip())):
        if held and len(held) + len(part) > LONGEST:
            yield held
            held = ""
        held = f"{held}\n\n{part}" if held else part
        if len(held) >= SHORTEST:
            yield held
            held = ""
    if held:
        yield held


def split(paragraph: str) -> Iterator[str]:
    while len(paragraph) > LONGEST:
        ends = [paragraph.rfind(mark, SHORTEST, LONGEST) for mark in (". ", "\n", "; ", ", ", " ")]
        place = next((end + 1 for end in ends if end > 0), LONGEST)
        yield paragraph[:place].strip()
        paragraph = paragraph[place:].strip()
    if paragraph:
        yield paragraph
