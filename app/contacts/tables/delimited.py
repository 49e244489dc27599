"""Comma-separated values in every dialect. A quote is `"`, doubled inside a cell, always; the delimiter is guessed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from app.contacts.refusals import Refusal
from app.meta.written_numbers import looks_like_one
from app.words import N_

from .columns import guess_column
from .table import Row, Table, bounded

DELIMITERS = (",", ";", "\t", "|")
SAMPLE = 60_000
SAMPLE_ROWS = 200
LINE_END = re.compile(r"\r\n|\n|\r")
# Excel's own first line, which names the delimiter.
NAMED = re.compile(r'"?sep=(.)"?(?:\r\n|\n|\r)', re.IGNORECASE)

# A line that is one quoted cell.
WRAPPED = re.compile(r'"(?:[^"]++|"")*+"')


def read_delimited(text: str, delimiter: str = "") -> Table:
    named = NAMED.match(text)
    if named:
        text = text[named.end() :]
    guessed = named[1] if named and named[1] in DELIMITERS else ""
    text = unwrapped(text)
    used = delimiter if delimiter in DELIMITERS else guessed or guess_delimiter(text)
    return Table("csv", bounded(rows_of(text, used)), delimiter=used)


def unwrapped(text: str) -> str:
    """Without the quotes around whole lines, which a spreadsheet adds to lines that it took for one cell each."""
    lines = LINE_END.split(text)
    if not all(WRAPPED.fullmatch(line) for line in lines if line):
        return text
    inner = [line[1:-1].replace('""', '"') for line in lines]
    header = next(filter(None, inner), "")
    titles = (row.cells for delimiter in DELIMITERS for row in rows_of(header, delimiter))
    has_titles = any(len(cells) > 1 and any(map(guess_column, cells[:100])) for cells in titles)
    return "\n".join(inner) if has_titles else text


def guess_delimiter(text: str) -> str:
    """The delimiter by which header and rows make most sense: numbers alone in their cells, titles that are known,
    as many cells in each row."""
    sample = text[:SAMPLE]
    if len(text) > SAMPLE and (end := max(sample.rfind("\n"), sample.rfind("\r"))) > 0:
        sample = sample[:end]
    return max(DELIMITERS, key=lambda delimiter: plausibility(sample, delimiter))


def plausibility(sample: str, delimiter: str) -> float:
    records = []
    for row in rows_of(sample, delimiter):
        records.append([cell.strip() for cell in row.cells])
        if len(records) > SAMPLE_ROWS:
            break
    records = [record for record in records if any(record)]
    if not records:
        return 0.0
    header, rows = records[0], records[1:] or records
    titles = [guess_column(title) for title in header[:100]]
    with_number = sum(any(map(looks_like_one, row[:100])) for row in rows) / len(rows)
    as_wide = sum(len(row) == len(header) for row in records) / len(records)
    by_title = 2.0 * ("phone" in titles) + 0.5 * sum(map(bool, titles))
    return 4.0 * with_number + by_title + 2.0 * as_wide + 0.5 * (len(header) > 1) + 0.01 * min(len(header), 20)


def rows_of(text: str, delimiter: str) -> Iterator[Row]:
    if '"' not in text:
        lines = LINE_END.split(text)
        yield from (Row(number, line.split(delimiter)) for number, line in enumerate(lines, 1) if line)
        return
    # A quote that is never closed, or closed in the middle of a cell, is a character of the cell.
    cell = re.compile(rf' *+"((?:[^"]++|"")*+)" *+(?=[{delimiter}\r\n]|\Z)|([^{delimiter}\r\n]*+)', re.DOTALL)
    number, at, cells, width = 1, 0, list[str](), 0
    problem: Refusal | None = None
    while True:
        match = cell.match(text, at)
        assert match
        quoted = match[1]
        cells.append(match[2] if quoted is None else quoted.replace('""', '"'))
        if quoted and swallows_rows(quoted, delimiter, width or len(cells)):
            problem = Refusal(N_('A quotation mark (") is missing: this row runs on over the rows below it.'))
        at = match.end()
        if text[at : at + 1] == delimiter:
            at += 1
            continue
        yield Row(number, cells, problem)
        width, cells, problem = width or len(cells), [], None
        number += 1
        at += 2 if text.startswith("\r\n", at) else 1
        if at >= len(text):
            return


def swallows_rows(cell: str, delimiter: str, width: int) -> bool:
    """Whether a cell holds whole rows, since its quotation mark is closed by another row's."""
    lines = LINE_END.split(cell)[1:] if "\n" in cell or "\r" in cell else []
    return any(
        line.count(delimiter) >= max(1, width - 2) and any(map(looks_like_one, line.split(delimiter)[:100]))
        for line in lines[:50]
    )
