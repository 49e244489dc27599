"""Reads the text of a document from stdin and writes it to stdout: PDF, DOCX, CSV or plain text.

Run by `app.inbox.files.sandbox` in a process of its own; imports nothing of the app.
"""

from __future__ import annotations

import csv
import io
import sys
import zipfile
from collections.abc import Iterator
from xml.parsers import expat

MOST_PAGES = 300
MOST_LETTERS = 2_000_000
MOST_XML = 30_000_000
MOST_ROWS = 20_000
W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def main() -> None:
    data = sys.stdin.buffer.read()
    if data.startswith(b"%PDF") or b"%PDF-" in data[:1024]:
        parts = pdf(data)
    elif data.startswith(b"PK\x03\x04"):
        parts = docx(data)
    else:
        parts = plain(data)
    written = 0
    out = io.TextIOWrapper(sys.stdout.buffer, "utf-8", errors="replace")
    for part in parts:
        out.write(part[: MOST_LETTERS - written])
        written += len(part)
        if written >= MOST_LETTERS:
            break
    out.flush()


def pdf(data: bytes) -> Iterator[str]:
    from pypdf import PdfReader  # noqa: PLC0415  only for those who send one

    reader = PdfReader(io.BytesIO(data))
    for number, page in enumerate(reader.pages, 1):
        if number > MOST_PAGES:
            return
        if words := page.extract_text().strip():
            yield f"{words}\n\n"


def docx(data: bytes) -> Iterator[str]:
    """The paragraphs of a Word document; those in a heading style begin with #."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        info = archive.getinfo("word/document.xml")
        if info.file_size > MOST_XML:
            raise ValueError("too large")
        with archive.open(info) as file:
            xml = file.read(MOST_XML + 1)
    if len(xml) > MOST_XML or b"<!DOCTYPE" in xml[:4096] or b"<!ENTITY" in xml[:4096]:
        raise ValueError("too large")
    yield from paragraphs(xml)


class Paragraphs:
    """Collects the paragraphs of a Word document as its parser reads it."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.words: list[str] = []
        self.level = 0
        self.is_text = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        match name.removeprefix(f"{W} "):
            case "p":
                self.level = 0
                self.words.clear()
            case "pStyle":
                self.level = level_of(attributes.get(f"{W} val", ""))
            case "t":
                self.is_text = True
            case "tab" | "br" | "tc":
                self.words.append(" ")

    def end(self, name: str) -> None:
        match name.removeprefix(f"{W} "):
            case "t":
                self.is_text = False
            case "p":
                if line := " ".join("".join(self.words).split()):
                    self.pieces.append(f"{'#' * self.level} {line[:200]}\n\n" if self.level else f"{line}\n\n")
                self.words.clear()

    def text(self, data: str) -> None:
        if self.is_text:
            self.words.append(data)


def level_of(style: str) -> int:
    """The level of a heading by its style, 0 where it is none."""
    if not style.lower().startswith(("heading", "title", "berschrift", "titre", "tulo")):
        return 0
    digits = "".join(letter for letter in style if letter.isdigit())
    return min(int(digits[:1] or 1), 6) or 1


def paragraphs(xml: bytes) -> list[str]:
    reading = Paragraphs()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = reading.start, reading.end
    parser.CharacterDataHandler = reading.text
    parser.Parse(xml, True)
    return reading.pieces


def plain(data: bytes) -> Iterator[str]:
    if b"\x00" in data[:4096] and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ValueError("not a text")
    words = decoded(data)
    lines = words.splitlines()
    separator = separator_of(lines)
    if not separator:
        yield words
        return
    rows = csv.reader(lines, delimiter=separator)
    header = next(rows, [])
    for number, row in enumerate(rows):
        if number >= MOST_ROWS:
            return
        pairs = [f"{name.strip()}: {value.strip()}" for name, value in zip(header, row, strict=False) if value.strip()]
        if pairs:
            yield "\n".join(pairs) + "\n\n"


def separator_of(lines: list[str]) -> str:
    """The separator between the columns of a table; "" where the first lines are no table."""
    head = [line for line in lines[:6] if line.strip()]
    for mark in (";", "\t", ","):
        widths = {len(row) for row in csv.reader(head, delimiter=mark)}
        if len(head) > 1 and len(widths) == 1 and widths.pop() > 1:
            return mark
    return ""


def decoded(data: bytes) -> str:
    for encoding in ("utf-8-sig", "utf-16") if data[:2] not in (b"\xff\xfe", b"\xfe\xff") else ("utf-16",):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("cp1252", "replace")


if __name__ == "__main__":
    main()
