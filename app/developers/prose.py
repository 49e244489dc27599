"""The part of Markdown that our own texts use, as blocks that a page shows: headings, lists, code, paragraphs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

SPAN = re.compile(r"`(?P<code>[^`]+)`|\*\*(?P<strong>[^*]+)\*\*|\[(?P<link>[^\]]+)\]\((?P<address>[^)\s]+)\)")
HEADING = re.compile(r"(#{1,4}) (.+)")
ITEM = re.compile(r"(?:[-*]|(\d+)\.) +(.+)")
FENCE = "```"


@dataclass(frozen=True)
class Span:
    """Text within a line; `kind` is text, code, strong or link."""

    kind: str
    text: str
    address: str = ""


@dataclass(frozen=True)
class Block:
    """`kind` is heading, code, list, steps or paragraph. `lines` are a list's items, or the one line of others."""

    kind: str
    text: str
    level: int = 0
    lines: tuple[tuple[Span, ...], ...] = ()

    @property
    def anchor(self) -> str:
        return re.sub(r"[^\w]+", "-", self.text.lower()).strip("-")


def blocks(markdown: str) -> list[Block]:
    return list(read(markdown.split("\n")))


def read(lines: list[str]) -> Iterator[Block]:
    at = 0
    while at < len(lines):
        line = lines[at].strip()
        at += 1
        if line.startswith(FENCE):
            code, at = until_fence(lines, at)
            yield Block("code", code)
        elif heading := HEADING.fullmatch(line):
            yield Block("heading", heading[2], len(heading[1]), (tuple(spans(heading[2])),))
        elif item := ITEM.fullmatch(line):
            items, at = items_from(lines, at - 1)
            yield Block("steps" if item[1] else "list", "", 0, tuple(tuple(spans(one)) for one in items))
        elif line:
            words, at = words_from(lines, at - 1)
            yield Block("paragraph", words, 0, (tuple(spans(words)),))


def until_fence(lines: list[str], at: int) -> tuple[str, int]:
    end = next((n for n in range(at, len(lines)) if lines[n].strip() == FENCE), len(lines))
    return "\n".join(lines[at:end]), end + 1


def items_from(lines: list[str], at: int) -> tuple[list[str], int]:
    """The items of a list; lines that do not begin with a mark continue the one before."""
    items: list[str] = []
    while at < len(lines) and (line := lines[at].strip()) and not is_other(line):
        if item := ITEM.fullmatch(line):
            items.append(item[2])
        else:
            items[-1] += f" {line}"
        at += 1
    return items, at


def words_from(lines: list[str], at: int) -> tuple[str, int]:
    words: list[str] = []
    while at < len(lines) and (line := lines[at].strip()) and not is_other(line) and not ITEM.fullmatch(line):
        words.append(line)
        at += 1
    return " ".join(words), at


def is_other(line: str) -> bool:
    return line.startswith(FENCE) or HEADING.fullmatch(line) is not None


def spans(text: str) -> Iterator[Span]:
    end = 0
    for match in SPAN.finditer(text):
        if match.start() > end:
            yield Span("text", text[end : match.start()])
        kind = match.lastgroup if match.lastgroup != "address" else "link"
        yield Span(kind or "text", match[kind or 0], match["address"] or "")
        end = match.end()
    if end < len(text):
        yield Span("text", text[end:])
