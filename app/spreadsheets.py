"""Tables as CSV that a spreadsheet opens as they are: any letters, numbers as numbers, nothing calculated."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from flask import Response

# What spreadsheets would calculate (OWASP: CSV injection).
GUARDED = ("=", "+", "-", "@", "\t", "\r", "\0", "＝", "＋", "－", "＠")
# Without it, Excel reads the file in the encoding of the country it was bought in.
MARK = "\ufeff"


class Number(str):
    """An amount in digits of ours, which may begin with a minus."""

    __slots__ = ()


def as_csv(rows: Iterable[Iterable[object]]) -> str:
    """Lines of CSV, every cell in quotes; None is empty. Text is guarded, also where it looks like a number."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerows([as_text(cell) if type(cell) is str else cell for cell in row] for row in rows)
    return out.getvalue()


def as_text(cell: str) -> str:
    """A cell that a spreadsheet takes for text."""
    return f"'{cell}" if cell.lstrip(" ").startswith(GUARDED) else cell


def as_imported(cell: str) -> str:
    """A cell without the apostrophe that `as_text` puts before what a spreadsheet would calculate."""
    return cell[1:] if cell.startswith("'") and cell[1:].lstrip(" ").startswith(GUARDED) else cell


def csv_download(name: str, pieces: Iterable[str]) -> Response:
    """The response that downloads lines of `as_csv` as `name`.csv."""
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response(marked(pieces), content_type="text/csv; charset=utf-8", headers=headers)


def marked(pieces: Iterable[str]) -> Iterable[str]:
    yield MARK
    yield from pieces
