from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from app.contacts.refusals import Refusal
from app.words import N_

MOST_BYTES = 10_000_000
MOST_ROWS = 20_000
MOST_COLUMNS = 100
LONGEST_CELL = 5_000


class Unreadable(Refusal):
    """The file holds no table that can be read."""


@dataclass(slots=True)
class Row:
    """One row, with the number that a spreadsheet shows for it, and what is wrong with it as a row."""

    number: int
    cells: list[str]
    problem: Refusal | None = None


@dataclass(slots=True)
class Table:
    """`format` is csv, xlsx or vcard. `delimiter`, `sheet` and `encoding` are empty where the format has none."""

    format: str
    rows: list[Row]
    delimiter: str = ""
    sheet: str = ""
    sheets: list[str] = field(default_factory=list)
    encoding: str = ""
    guessed_encoding: str = ""
    # Whether the format itself says that the first row names the columns.
    has_header: bool | None = None


def bounded(rows: Iterable[Row]) -> list[Row]:
    """The rows that hold something. Raises `Unreadable` for more than an import may have."""
    bounded_rows: list[Row] = []
    for row in rows:
        row.cells = [cell.strip() for cell in row.cells]
        if not any(row.cells):
            continue
        if len(bounded_rows) > MOST_ROWS:
            raise Unreadable(N_("The file has more than {count} rows. Split it into several files."), count=MOST_ROWS)
        if len(row.cells) > MOST_COLUMNS and not bounded_rows:
            raise Unreadable(N_("The file has more than {count} columns."), count=MOST_COLUMNS)
        bounded_rows.append(shortened(row))
    if not bounded_rows:
        raise Unreadable(N_("The file is empty."))
    return bounded_rows


def shortened(row: Row) -> Row:
    if len(row.cells) > MOST_COLUMNS:
        row.problem = Refusal(N_("This row has more than {count} columns."), count=MOST_COLUMNS)
        row.cells = row.cells[:MOST_COLUMNS]
    if any(len(cell) > LONGEST_CELL for cell in row.cells):
        row.problem = row.problem or Refusal(N_("A cell has more than {count} characters."), count=LONGEST_CELL)
        row.cells = [cell[:LONGEST_CELL] for cell in row.cells]
    return row
