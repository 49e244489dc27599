"""Splits a text into the blocks that WhatsApp shows as such: quotes (`> `), lists (`- `, `* `, `1. `), and the rest."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

CODE = re.compile(r"```(?!`).+?```", re.DOTALL)
QUOTE = re.compile(r"> (?=\S)")
BULLET = re.compile(r"[-*] (?=\S)")
NUMBER = re.compile(r"(\d{1,3})\. (?=\S)")
# A text of more lines is shown as it is.
MOST_LINES = 300


@dataclass(slots=True)
class Block:
    """`kind` is text, quote, bullets or numbers. `parts` are its texts, each with its number in a numbered list."""

    kind: str
    parts: list[tuple[int, str]] = field(default_factory=list)

    def add(self, number: int, line: str, *, is_item: bool) -> None:
        """Begins an item of a list, or goes on with the last text."""
        if is_item or not self.parts:
            self.parts.append((number, line))
        else:
            self.parts[-1] = (self.parts[-1][0], f"{self.parts[-1][1]}\n{line}")


def parse_blocks(text: str) -> list[Block]:
    """The blocks in order. Lines within ``` stay in the block they are in."""
    if text.count("\n") > MOST_LINES:
        return [Block("text", [(0, text)])]
    blocks: list[Block] = []
    for line, is_code in lines_of(text):
        kind, number, words = (blocks[-1].kind, 0, line) if is_code else read_line(line)
        if not blocks or blocks[-1].kind != kind:
            blocks.append(Block(kind))
        blocks[-1].add(number, words, is_item=kind in ("bullets", "numbers") and not is_code)
    return blocks


def lines_of(text: str) -> Iterator[tuple[str, bool]]:
    """Each line, and whether it begins within code."""
    spans = iter([match.span() for match in CODE.finditer(text)])
    start, end, place = *next(spans, (len(text), len(text))), 0
    for line in text.split("\n"):
        while place >= end < len(text):
            start, end = next(spans, (len(text), len(text)))
        yield line, start < place < end
        place += len(line) + 1


def read_line(line: str) -> tuple[str, int, str]:
    """What a line is part of, its number, and its words without the mark."""
    if match := QUOTE.match(line):
        return "quote", 0, line[match.end() :]
    if match := BULLET.match(line):
        return "bullets", 0, line[match.end() :]
    if match := NUMBER.match(line):
        return "numbers", int(match[1]), line[match.end() :]
    return "text", 0, line
