"""Reads contacts exported by other programs (CSV, XLSX, vCard) as one table of text.

What was understood (format, encoding, delimiter, sheet) is part of the table, so that a person can see and correct it.
Every row of the file is a row of the table. Plain Python, linear in the size of the file, and bounded.
"""

import re

from app.words import N_

from .columns import looks_like_header
from .delimited import DELIMITERS, read_delimited
from .encodings import ENCODINGS, decode, guess_encoding
from .table import MOST_BYTES, MOST_COLUMNS, MOST_ROWS, Row, Table, Unreadable
from .vcards import is_vcard, read_vcards, unfolded_bytes
from .workbooks import is_workbook, read_workbook

__all__ = [
    "DELIMITERS",
    "ENCODINGS",
    "MOST_BYTES",
    "MOST_COLUMNS",
    "MOST_ROWS",
    "Row",
    "Table",
    "Unreadable",
    "looks_like_header",
    "read_table",
]

MARKUP = re.compile(r"\s*<(?:!doctype|\?xml|html|head|meta|style|table|body)\b", re.IGNORECASE)
# PDF, RTF and JSON.
OTHER = re.compile(r"%PDF-|\{\\rtf|\s*(?:\[\s*)?\{\s*\"")


def read_table(data: bytes, *, encoding: str = "", delimiter: str = "", sheet: str = "", country: str = "") -> Table:
    """The table that a file holds. What is given wins over what would be guessed. Raises `Unreadable`."""
    if is_workbook(data):
        return read_workbook(data, sheet)
    data = unfolded_bytes(data)
    guessed = guess_encoding(data, country)
    used = encoding if encoding in ENCODINGS else guessed
    text = decode(data, used)
    if MARKUP.match(text):
        raise Unreadable(
            N_("This is a web page, whatever its name says. Open it in your spreadsheet and save it as .xlsx or CSV.")
        )
    if OTHER.match(text):
        raise Unreadable(N_("This isn't a CSV, XLSX or vCard file. Export your contacts as one of these."))
    table = read_vcards(text) if is_vcard(text) else read_delimited(text, delimiter)
    table.encoding, table.guessed_encoding = used, guessed
    return table
