"""Excel workbooks (.xlsx), read by python-calamine once it is certain that they hold no more than fits."""

from __future__ import annotations

import datetime as dt
import io
import re
import struct
import zipfile
import zlib
from collections import Counter
from itertools import islice
from typing import Any

from python_calamine import CalamineWorkbook

from app.contacts.refusals import Refusal
from app.words import N_

from .table import MOST_COLUMNS, MOST_ROWS, Row, Table, Unreadable, bounded

MOST_INFLATED = 100_000_000
MOST_PARTS = 2_000
# Sheets are held as rectangles: one cell far away makes a small file a huge one.
MOST_CELLS = 4_000_000
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# Linear in whatever a file holds: what they match ends at the next bracket, or is possessive.
CELL = re.compile(rb"<(?:\w{1,20}:)?c[\s/>]")
ROW = re.compile(rb"<(?:\w{1,20}:)?row[\s/>]")
# Where a cell or a row is, such as r="B12" and r="12", in whatever way its tag is written.
PLACE = re.compile(rb"(?<![\w:.-])r\s*+=\s*+[\"']([A-Za-z]{0,4})(\d{1,8})")
EMPTY_FORMULA = re.compile(
    rb'<(?:\w{1,20}:)?c(?>[^<>]*?\br="([A-Z]{1,3})(\d{1,7})")[^<>]*+>\s*+<(?:\w{1,20}:)?f\b[^<>]*+'
    rb"(?:(?<=/)>|(?<!/)>[^<]*+</(?:\w{1,20}:)?f>)\s*+"
    rb"(?:<(?:\w{1,20}:)?v\s*+/>|<(?:\w{1,20}:)?v></(?:\w{1,20}:)?v>)?+\s*+</(?:\w{1,20}:)?c>"
)
# Texts are stored once and named by their places.
SHARED = re.compile(rb"=\s*+[\"']s[\"']")
SHARED_PLACE = re.compile(rb">\s*+(\d{1,9})\s*+<")
SHARED_TEXT = re.compile(rb"<(?:\w{1,20}:)?si[\s/>]")
# Of the other formats that the reader knows: what is checked here has to be what it reads.
OF_OTHERS = {"mimetype", "content.xml", "xl/workbook.bin"}
DAMAGED = N_("This workbook is damaged or protected by a password. Save it again as .xlsx without a password.")
OLD = N_("This is an old or password-protected Excel file. Save it as .xlsx without a password, or as CSV.")
OTHER = N_("This isn't an Excel workbook. Save it as .xlsx, or as CSV.")


def is_workbook(data: bytes) -> bool:
    if data.startswith(OLE):
        raise Unreadable(OLD)
    return data.startswith(b"PK\x03\x04")


def read_workbook(data: bytes, sheet: str = "") -> Table:
    parts = inspect(data)
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        names = [each.name for each in book.sheets_metadata if str(each.typ).endswith("WorkSheet")]
        filled = [name for name in names if book.get_sheet_by_name(name).end] if names else []
        if not filled:
            raise Unreadable(N_("The file is empty."))
        used = sheet if sheet in filled else filled[0]
        content = book.get_sheet_by_name(used)
        first_row, first_column = content.start or (0, 0)
        rows = content.to_python(skip_empty_area=True)
    except Unreadable:
        raise
    except Exception as error:
        raise Unreadable(DAMAGED) from error
    empty = formulas_without_value(parts, len(names), names.index(used))
    table_rows = [
        row_of(number, cells, first_column, empty) for number, cells in enumerate(rows[: MOST_ROWS + 2], first_row + 1)
    ]
    return Table("xlsx", bounded(table_rows), sheet=used, sheets=filled)


def row_of(number: int, cells: list[Any], first_column: int, empty: set[tuple[int, int]]) -> Row:
    row = Row(number, [text_of(cell) for cell in cells[: MOST_COLUMNS + 1]])
    column = next((c for c in range(len(row.cells)) if (number, first_column + c + 1) in empty), None)
    if column is not None:
        words = N_("Cell {cell} is a formula without a result. Open the file in your spreadsheet and save it again.")
        row.problem = Refusal(words, cell=f"{letters_of(first_column + column + 1)}{number}")
        row.cells[column] = row.cells[column] or "="
    return row


def text_of(cell: Any) -> str:
    """A cell as people see it: whole numbers without a fraction, dates as year-month-day."""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        return f"{cell:.0f}" if cell.is_integer() and abs(cell) < 10**15 else repr(cell)
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat() if cell.time() == dt.time() else cell.isoformat(" ", "minutes")
    if isinstance(cell, dt.date | dt.time):
        return cell.isoformat()
    return str(cell).replace("\x00", "")


def inspect(data: bytes) -> dict[str, bytes]:
    """The sheets of the workbook, inflated. Raises `Unreadable` for more than fits: what a zip says of its own size may
    be a lie, so each part is inflated up to the limit."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, struct.error) as error:
        raise Unreadable(DAMAGED) from error
    names = {info.filename for info in infos}
    if not any(name.endswith("workbook.xml") for name in names) or OF_OTHERS & {name.lower() for name in names}:
        raise Unreadable(OTHER)
    if len(infos) > MOST_PARTS:
        raise too_big()
    left, sheets, texts = MOST_INFLATED, dict[str, bytes](), list[int]()
    for info in infos:
        part = inflated(data, info, left)
        left -= len(part)
        # A workbook may call its parts what it likes.
        if b"sheetData" in part:
            refuse_far_cells(part)
            sheets[info.filename] = part
        elif (many := count_of(SHARED_TEXT, part)) > MOST_CELLS:
            raise too_big()
        elif many:
            texts = list(map(len, SHARED_TEXT.split(part)[1:]))
    for part in sheets.values():
        refuse_long_texts(part, texts)
    return sheets


def inflated(data: bytes, info: zipfile.ZipInfo, most: int) -> bytes:
    start = info.header_offset
    if data[start : start + 4] != b"PK\x03\x04" or info.flag_bits & 1:
        raise Unreadable(DAMAGED)
    name_size, extra_size = struct.unpack("<HH", data[start + 26 : start + 30])
    begin = start + 30 + name_size + extra_size
    packed = data[begin : begin + info.compress_size]
    if info.compress_type == zipfile.ZIP_STORED:
        part = packed
    elif info.compress_type == zipfile.ZIP_DEFLATED:
        try:
            part = zlib.decompressobj(-15).decompress(packed, most + 1)
        except zlib.error as error:
            raise Unreadable(DAMAGED) from error
    else:
        raise Unreadable(DAMAGED)
    if len(part) > most:
        raise too_big()
    return part


def refuse_far_cells(sheet: bytes) -> None:
    """Of a sheet that is held as a rectangle, wherever its cells are said to be."""
    cells, rows = count_of(CELL, sheet), count_of(ROW, sheet)
    if max(cells, rows) > MOST_CELLS:
        raise too_big()
    columns, last, placed_cells, placed_rows = {b""}, 1, 0, 0
    for place in PLACE.finditer(sheet):
        columns.add(place[1])
        last = max(last, int(place[2]))
        placed_cells += bool(place[1])
        placed_rows += not place[1]
    width = max(1, *map(number_of, columns))
    # Cells and rows without a place follow the one before.
    if placed_rows < rows:
        last += rows
    if placed_cells < cells:
        width += max(count_of(CELL, row) for row in ROW.split(sheet))
    if last > 1_048_576 or width > 16_384 or width * last > MOST_CELLS:
        raise too_big()


def refuse_long_texts(sheet: bytes, texts: list[int]) -> None:
    """Of a sheet whose cells name so many long texts that all of them together are too long. `texts` are lengths."""
    if count_of(SHARED, sheet) * max(texts, default=0) <= MOST_INFLATED:
        return
    uses = Counter(int(place[1]) for place in SHARED_PLACE.finditer(sheet))
    if sum(times * texts[place] for place, times in uses.items() if place < len(texts)) > MOST_INFLATED:
        raise too_big()


def count_of(pattern: re.Pattern[bytes], part: bytes) -> int:
    """How often it is there, counted up to more than any workbook may have."""
    return sum(1 for _match in islice(pattern.finditer(part), MOST_CELLS + 1))


def too_big() -> Unreadable:
    return Unreadable(
        N_("The workbook is too big: at most {rows} rows. Delete empty rows and columns, or save the sheet as CSV."),
        rows=MOST_ROWS,
    )


def formulas_without_value(sheets: dict[str, bytes], count: int, position: int) -> set[tuple[int, int]]:
    """Where a program has written a formula and no result, as (row, column)."""
    ordered = sorted(sheets, key=lambda name: [int(part) if part.isdigit() else 0 for part in re.split(r"(\d+)", name)])
    if len(ordered) != count:
        return set()
    cells = EMPTY_FORMULA.findall(sheets[ordered[position]])
    return {(int(number), number_of(letters)) for letters, number in cells}


def number_of(letters: bytes) -> int:
    total = 0
    for letter in letters.upper():
        total = total * 26 + letter - 64
    return total


def letters_of(number: int) -> str:
    column = ""
    while number:
        number, rest = divmod(number - 1, 26)
        column = chr(65 + rest) + column
    return column
