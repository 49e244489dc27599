"""Reads a feed as a stream of rows, whatever it is: CSV in any dialect and encoding, JSON, JSON lines, Excel.

At most a few hundred kilobytes of it are in memory. A row that can't be read is a row with a refusal; a file that
breaks off raises `Broken`, with what came before already given.
"""

from __future__ import annotations

import codecs
import io
import itertools
import json
import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from app.contacts.refusals import Refusal
from app.contacts.tables import ENCODINGS, Unreadable, read_table
from app.contacts.tables.encodings import decoded as decoded_as
from app.contacts.tables.encodings import guess_encoding, oddness, sample_of
from app.contacts.tables.workbooks import is_workbook
from app.words import N_

from .feed_columns import guess_columns

SAMPLE, CHUNK = 64 * 1024, 64 * 1024
MOST_WORKBOOK = 10_000_000
LONGEST_ROW, MOST_LINES = 200_000, 200
LATIN = ("cp1250", "cp1254", "iso8859_2", "mac_roman", "cp850")
DELIMITERS = (",", ";", "\t", "|")
QUOTE_MISSING = N_('A quotation mark (") is missing: this row runs on over the rows below it.')
TOO_LONG = N_("This row is longer than {count} characters.")
NOT_AN_OBJECT = N_("This is not an object with the fields of a listing.")
NOT_JSON = N_("This line is not JSON.")
# Half of an emoji, which JSON can write and no database stores.
HALF = re.compile("[\ud800-\udfff]")


class Broken(Unreadable):
    """The file ends in the middle, or is damaged from here on."""


@dataclass(slots=True)
class FeedRow:
    """One row as the file has it: the value of each field by its name, or why it can't be read."""

    number: int
    values: dict[str, Any]
    problem: Refusal | None = None


@dataclass
class Feed:
    """What was understood of the file, and its rows, which can be read once."""

    format: str
    encoding: str
    delimiter: str = ""
    columns: dict[str, str] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)
    rows: Iterator[FeedRow] = field(default_factory=lambda: iter(()))


def open_feed(chunks: Iterable[bytes]) -> Feed:
    """Raises `Unreadable` for a file of another kind."""
    # A generator stays at its end; what storage gives does not.
    source = (chunk for chunk in chunks)
    start = next(source, b"")
    while len(start) < SAMPLE and (more := next(source, b"")):
        start += more
    if is_workbook(start):
        return open_workbook(start, source)
    encoding = "utf-8" if is_utf8(start) else encoding_of(start[: len(start) - len(start) % 2])
    text = decoded(start, source, encoding)
    head = next(text, "").lstrip("\ufeff \t\r\n")
    if not head:
        raise Unreadable(N_("The file is empty."))
    if head[0] == "[" or (head[0] == "{" and is_wrapped(head)):
        return Feed("json", encoding, rows=json_rows(joined(head, text)))
    if head[0] == "{":
        return Feed("json lines", encoding, rows=json_lines(lines_of(joined(head, text))))
    if head[0] == "<":
        raise Unreadable(N_("This looks like XML or a web page. Export your listings as CSV or JSON."))
    return open_delimited(head, text, encoding)


def encoding_of(start: bytes) -> str:
    """Of Latin ones that make as much sense, that of Western Europe: a feed has no numbers that show its country."""
    try:
        guessed = guess_encoding(start)
        sample = sample_of(start)
        western = decoded_as(sample, "cp1252") if guessed in LATIN else None
        other = decoded_as(sample, guessed)
        return "cp1252" if western and other and oddness(western) <= oddness(other) else guessed
    except Unreadable:
        raise Unreadable(N_("This isn't a CSV, JSON or Excel file. Export your listings as one of these.")) from None


def is_utf8(start: bytes) -> bool:
    """Whether a file begins with UTF-8, which may break off within a character."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        return False
    return not start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and b"\x00" not in start[:2_000]


def decoded(start: bytes, source: Iterator[bytes], encoding: str) -> Iterator[str]:
    """The text in pieces. What can't be decoded shows as �."""
    name = encoding if encoding in ENCODINGS else "utf-8"
    if name == "utf-16" and not start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        name = "utf-16-be" if start[:2_000:2].count(0) > start[1:2_000:2].count(0) else "utf-16-le"
    decoder = codecs.getincrementaldecoder("utf-8-sig" if name == "utf-8" else name)("replace")
    for chunk in itertools.chain([start], source):
        yield decoder.decode(chunk).replace("\x00", "")
    yield decoder.decode(b"", final=True).replace("\x00", "")


def joined(head: str, rest: Iterator[str]) -> Iterator[str]:
    yield head
    yield from rest


def lines_of(text: Iterator[str]) -> Iterator[str]:
    """Lines with their ends. One that is too long comes in pieces, so that memory stays bounded."""
    held = ""
    for piece in text:
        held += piece
        # A carriage return at the very end may be half of a line's end.
        whole = io.StringIO(held, newline="")
        lines = list(whole)
        held = lines.pop() if lines else ""
        if held.endswith("\n"):
            lines.append(held)
            held = ""
        yield from lines
        while len(held) > LONGEST_ROW:
            yield held[:LONGEST_ROW]
            held = held[LONGEST_ROW:]
    if held:
        yield held


def open_workbook(start: bytes, source: Iterator[bytes]) -> Feed:
    data = bytearray(start)
    for chunk in source:
        data += chunk
        if len(data) > MOST_WORKBOOK:
            raise Unreadable(
                N_("An Excel workbook may have at most {count} MB. Save it as CSV."), count=MOST_WORKBOOK // 10**6
            )
    table = read_table(bytes(data))
    header, body = table.rows[0].cells, table.rows[1:]
    columns, ignored = guess_columns(header)
    rows = (FeedRow(row.number, by_name(header, columns, row.cells), row.problem) for row in body)
    return Feed("xlsx", "", columns=columns, ignored=ignored, rows=rows)


def open_delimited(head: str, text: Iterator[str], encoding: str) -> Feed:
    delimiter = guess_delimiter(head)
    records = records_of(lines_of(joined(head, text)), delimiter)
    _number, header, problem = next(records)
    if problem:
        raise Unreadable(problem.words, **problem.facts)
    header = [cell.strip()[:100] for cell in header]
    columns, ignored = guess_columns(header)
    feed = Feed("csv", encoding, delimiter, columns, ignored)
    feed.rows = table_rows(records, header, columns)
    return feed


def table_rows(
    records: Iterator[tuple[int, list[str], Refusal | None]], header: list[str], columns: dict[str, str]
) -> Iterator[FeedRow]:
    for number, cells, problem in records:
        if problem or any(cell.strip() for cell in cells):
            yield FeedRow(number, by_name(header, columns, cells), problem or wider_than(header, cells))


def wider_than(header: list[str], cells: list[str]) -> Refusal | None:
    if not any(cell.strip() for cell in cells[len(header) :]):
        return None
    return Refusal(
        N_("This row is not as long as the first one. Cells here: {cells}; in the first one: {titles}."),
        cells=len(cells),
        titles=len(header),
    )


def by_name(header: list[str], columns: dict[str, str], cells: list[str]) -> dict[str, Any]:
    """The cells by what they hold; those of other columns by their title, as attributes."""
    values: dict[str, Any] = {}
    attributes = {}
    for place, cell in enumerate(cells[: len(header)]):
        target = columns.get(str(place), "")
        if target:
            values[target] = cell.strip()
        elif header[place] and cell.strip():
            attributes[header[place]] = cell.strip()
    return values | ({"attributes": attributes} if attributes else {})


def guess_delimiter(head: str) -> str:
    """The one by which the first line has most columns that we know, or simply most."""
    line = head.lstrip("\r\n").partition("\n")[0][:5_000]

    def sense(delimiter: str) -> tuple[int, int]:
        titles = [cell.strip().strip('"') for cell in line.split(delimiter)]
        return len(guess_columns(titles)[0]), len(titles)

    return max(DELIMITERS, key=sense)


def records_of(lines: Iterator[str], delimiter: str) -> Iterator[tuple[int, list[str], Refusal | None]]:
    """(number of its first line, cells, what is wrong): a quote that is never closed spoils its own row only."""
    waiting: deque[str] = deque()
    at, width = 0, 0

    def take() -> str | None:
        return waiting.popleft() if waiting else next(lines, None)

    while (line := take()) is not None:
        at += 1
        if not line.strip("\r\n"):
            continue
        taken = [line]
        length, quotes = len(line), line.count('"')
        while quotes % 2 and len(taken) < MOST_LINES and length < LONGEST_ROW and (more := take()) is not None:
            taken.append(more)
            length, quotes = length + len(more), quotes + more.count('"')
        whole = "".join(taken)
        cells = cells_of(whole, delimiter) if not quotes % 2 and length < LONGEST_ROW else None
        if len(taken) > 1 and (cells is None or (width and len(cells) != width)):
            waiting.extendleft(reversed(taken[1:]))
            yield at, [], Refusal(QUOTE_MISSING)
            continue
        if cells is None:
            yield at, [], Refusal(TOO_LONG, count=LONGEST_ROW) if length >= LONGEST_ROW else Refusal(QUOTE_MISSING)
            continue
        width = width or len(cells)
        yield at, cells, None
        at += len(taken) - 1


def cells_of(line: str, delimiter: str) -> list[str]:
    """The cells of one record, in one pass; a quote in the middle of a cell is one of its characters."""
    line = line.rstrip("\r\n")
    if '"' not in line:
        return line.split(delimiter)
    cells, at = [], 0
    while True:
        start = at
        while line.startswith(" ", start):
            start += 1
        if line.startswith('"', start):
            cell, at = quoted(line, start + 1)
            end = line.find(delimiter, at)
            cell += line[at : len(line) if end < 0 else end].strip()
        else:
            end = line.find(delimiter, at)
            cell = line[at : len(line) if end < 0 else end]
        cells.append(cell)
        if end < 0:
            return cells
        at = end + 1


def quoted(line: str, at: int) -> tuple[str, int]:
    """A cell in quotes, and where it ends."""
    parts = []
    while (end := line.find('"', at)) >= 0:
        parts.append(line[at:end])
        if not line.startswith('"', end + 1):
            return "".join(parts), end + 1
        parts.append('"')
        at = end + 2
    return "".join([*parts, line[at:]]), len(line)


def is_wrapped(head: str) -> bool:
    """Whether an object holds the list, and is not itself the first of a file of JSON lines."""
    line = head.partition("\n")[0].strip()
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return True
    return any(f'"{name}"' in line[:200] and isinstance(json.loads(line).get(name), list) for name in WRAPPERS)


WRAPPERS = ("listings", "properties", "items", "data", "results")


def json_lines(lines: Iterator[str]) -> Iterator[FeedRow]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield row_of(number, json.loads(line))
        except (ValueError, RecursionError):
            yield FeedRow(number, {}, Refusal(NOT_JSON))


def json_rows(text: Iterator[str]) -> Iterator[FeedRow]:
    """The objects of a list one by one, numbered from 1. Raises `Broken` where the list is damaged or breaks off."""
    held, at, decoder, number = begin_list(text), 0, json.JSONDecoder(), 0
    while True:
        while at < len(held) and held[at] in " \t\r\n,":
            at += 1
        if held.startswith("]", at):
            return
        value, end = None, -1
        if at < len(held):
            try:
                value, end = decoder.raw_decode(held, at)
            except RecursionError:
                raise broken(number) from None
            except ValueError:
                end = -1
        # A number or a word that reaches to the end of what is there may go on.
        if end < 0 or (end == len(held) and not isinstance(value, dict | list)):
            piece = next(text, None)
            if piece is None or len(held) - at > LONGEST_ROW + CHUNK:
                raise broken(number)
            held, at = held[at:] + piece, 0
            continue
        number, at = number + 1, end
        yield row_of(number, value)


def broken(number: int) -> Broken:
    return Broken(N_("The file is damaged after row {number}, or ends in the middle."), number=number)


def begin_list(text: Iterator[str]) -> str:
    """The text behind the bracket that begins the list. Raises `Unreadable`."""
    held = ""
    for piece in text:
        held += piece
        start = held.find("[")
        if start >= 0:
            return held[start + 1 :]
        if len(held) > SAMPLE:
            break
    raise Unreadable(N_("There is no list of listings in this file."))


def row_of(number: int, value: Any) -> FeedRow:
    if not isinstance(value, dict):
        return FeedRow(number, {}, Refusal(NOT_AN_OBJECT))
    cells = [(storable(title)[:100], storable(cell)) for title, cell in itertools.islice(value.items(), 200)]
    columns, _ignored = guess_columns([title for title, _cell in cells])
    values: dict[str, Any] = {}
    attributes: dict[str, Any] = {}
    for place, (title, cell) in enumerate(cells):
        target = columns.get(str(place), "")
        if target == "attributes" and isinstance(cell, dict):
            attributes |= {storable(name): storable(one) for name, one in cell.items()}
        elif target:
            values[target] = cell
        elif isinstance(cell, str | int | float | bool):
            attributes[title] = cell
    return FeedRow(number, values | ({"attributes": attributes} if attributes else {}))


def storable(cell: Any) -> Any:
    """What is read of a cell: of a list the first, and � for half of a character."""
    while isinstance(cell, list):
        cell = cell[0] if cell else None
    return HALF.sub("\ufffd", cell) if isinstance(cell, str) else cell
