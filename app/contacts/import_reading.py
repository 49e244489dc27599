"""Reads the rows of an import: each cell for what its column holds, with the mistakes of each row."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any

from sqlalchemy import delete, select, text

from app.folding import fold
from app.meta import written_numbers
from app.meta.spellings import other_spellings
from app.meta.written_numbers import NotRead
from app.spreadsheets import as_imported
from app.tenancy import current_tenant_id, db, uuid7
from app.words import N_

from .exports import COLUMNS
from .fields import ContactField, read_yes_no
from .imports import ContactImport, ImportRow, count_rows
from .models import ContactIdentity
from .names import plain
from .refusals import Refusal
from .tables import Row, looks_like_header, read_table
from .tables.columns import guess_columns, is_mobile, mentions_phone, simplified
from .tags import LONGEST_TAG

AT_ONCE = 2_000
MOST_TAGS = 20
# Columns of one row that are read for its number.
MOST_PHONES = 10
# Google's own groups, which say nothing about a person.
SYSTEM_GROUPS = {"mycontacts", "starred", "other contacts", "coworkers", "friends", "family"}

# Titles of a column that says what kind of number the next one holds.
LABELS = re.compile(r"\b(?:label|type|typ|tipo|etikett|etiqueta|libelle|тип)\b")


def read_file(contact_import: ContactImport) -> None:
    """Stores the rows of the file and guesses what the columns hold. Raises `Unreadable`."""
    options = contact_import.options
    table = read_table(
        contact_import.data or b"",
        encoding=options.get("encoding", ""),
        delimiter=options.get("delimiter", ""),
        sheet=options.get("sheet", ""),
        country=contact_import.country,
    )
    contact_import.format, contact_import.encoding, contact_import.guessed_encoding = (
        table.format,
        table.encoding,
        table.guessed_encoding,
    )
    contact_import.delimiter, contact_import.sheet, contact_import.sheets = table.delimiter, table.sheet, table.sheets
    first = table.rows[0].cells
    contact_import.has_header = (
        table.has_header or options.get("first_row", "header" if looks_like_header(first) else "") == "header"
    )
    width = max(len(row.cells) for row in table.rows[:200])
    contact_import.header = [*first, *[""] * (width - len(first))] if contact_import.has_header else [""] * width
    contact_import.mapping = guessed_mapping(contact_import.header, table.rows)
    db.session.execute(delete(ImportRow).where(ImportRow.import_id == contact_import.id))
    rows = table.rows[1:] if contact_import.has_header else table.rows
    for start in range(0, len(rows), AT_ONCE):
        insert_rows(contact_import, rows[start : start + AT_ONCE])


def guessed_mapping(header: list[str], rows: list[Row]) -> dict[str, Any]:
    """Guesses the mapping from titles; without a phone title, takes the column with phone numbers."""
    fields = {simplified(each.name): each for each in ContactField.all()}
    guesses = guess_columns(header)
    for column, title in enumerate(header):
        if not guesses[column] and (own := fields.get(simplified(title))) and title:
            guesses[column] = f"field:{own.id}"
        if not guesses[column] and mentions_phone(title) and holds_phones(column, rows[1:]):
            guesses[column] = "phone"
    if "phone" not in guesses:
        likely = [
            sum(written_numbers.looks_like_one(row.cells[column]) for row in rows[:50] if column < len(row.cells))
            for column in range(len(header))
        ]
        if max(likely, default=0):
            guesses[likely.index(max(likely))] = "phone"
    return {str(column): target for column, target in enumerate(guesses) if target}


def holds_phones(column: int, rows: list[Row]) -> bool:
    """Whether most of a column's first cells that hold something are phone numbers."""
    filled = list(islice((row.cells[column] for row in rows if any(row.cells[column : column + 1])), 50))
    return sum(map(written_numbers.looks_like_one, filled)) * 2 > len(filled)


def insert_rows(contact_import: ContactImport, rows: list[Row]) -> None:
    values = [
        {
            "id": str(uuid7()),
            "number": row.number,
            "cells": row.cells,
            "damage": row.problem.as_dict() if row.problem else {},
        }
        for row in rows
    ]
    db.session.execute(
        INSERT_ROWS, {"rows": json.dumps(values), "tenant": current_tenant_id(), "import": contact_import.id}
    )


@dataclass(slots=True)
class Reading:
    """What one row comes to."""

    id: str
    wa_id: str = ""
    name: str = ""
    tags: list[str] = field(default_factory=list)
    marketing: bool | None = None
    field_values: dict[str, str] = field(default_factory=dict)
    problems: list[dict[str, Any]] = field(default_factory=list)

    def blame(self, title: str, refusal: Refusal) -> None:
        self.problems.append({"column": title} | refusal.as_dict())


class Reader:
    """Reads the rows of one import in order; a number that comes twice is a mistake of the later row."""

    def __init__(self, contact_import: ContactImport) -> None:
        self.contact_import, self.header = contact_import, contact_import.header
        self.fields = {f"field:{each.id}": each for each in ContactField.all()}
        self.columns = contact_import.columns
        phones = [column for column, target in self.columns.items() if target == "phone"]
        self.phones = sorted(phones)
        # Our own exports hold whole numbers in digits, since a plus would begin a formula.
        self.is_own = tuple(self.header[: len(COLUMNS)]) == COLUMNS
        self.numbers: dict[str, int] = {}
        self.several = self.with_consent = self.without_country = 0

    def title(self, column: int) -> str:
        return self.header[column] if column < len(self.header) else ""

    def read(self, row: ImportRow) -> Reading:
        reading = Reading(str(row.id))
        if row.damage:
            reading.blame("", Refusal.from_dict(row.damage))
        cells = {column: as_imported(row.cells[column]) if column < len(row.cells) else "" for column in self.columns}
        if any(row.cells[len(self.header) :]):
            reading.blame("", Refusal(N_("This row has more cells than there are columns.")))
        self.read_name(reading, cells)
        self.read_phone(reading, cells, row)
        for column, target in self.columns.items():
            try:
                self.read_cell(reading, column, target, cells[column])
            except Refusal as refusal:
                reading.blame(self.title(column), refusal)
        self.with_consent += reading.marketing is not None
        return reading

    def read_name(self, reading: Reading, cells: dict[int, str]) -> None:
        by_target = {target: cells[column].strip() for column, target in self.columns.items()}
        name, first, last = (by_target.get(target, "") for target in ("name", "first_name", "last_name"))
        # Beside “Vorname” or “Prénom” alone, “Name” is the family's; beside “Apellidos” alone, “Nombre” is the first.
        if name and first and "last_name" not in by_target and fold(first) not in fold(name):
            name, last = "", name
        elif name and last and "first_name" not in by_target and fold(last) not in fold(name):
            name, first = "", name
        reading.name = plain(name) or plain(whole_name(first, last))

    def is_mobile_by_label(self, column: int, row: ImportRow) -> bool:
        """Whether a column is for mobiles, or its row says so in the column before, as in “Phone 1 - Label”."""
        has_label = 0 < column <= len(row.cells) and LABELS.search(simplified(self.title(column - 1)))
        return is_mobile(self.title(column)) or bool(has_label and is_mobile(row.cells[column - 1]))

    def read_phone(self, reading: Reading, cells: dict[int, str], row: ImportRow) -> None:
        phones = sorted(self.phones, key=lambda column: not self.is_mobile_by_label(column, row))
        written = [(column, cells[column]) for column in phones if cells[column]][:MOST_PHONES]
        if not written:
            title = self.title(self.phones[0]) if self.phones else ""
            reading.blame(title, Refusal(N_("The phone number is missing.")))
            return
        numbers: list[str] = []
        refusals: list[tuple[int, NotRead]] = []
        for column, cell in written:
            try:
                numbers += written_numbers.read_all(cell, self.contact_import.country, is_whole=self.is_own)
            except NotRead as problem:
                refusals.append((column, problem))
        numbers = list(dict.fromkeys(numbers))
        if not numbers:
            column, refusal = refusals[0]
            self.without_country += refusal.reason == "no_country"
            reading.blame(self.title(column), Refusal.of(refusal))
            return
        self.several += len(numbers) > 1
        if len(numbers) > 1 and self.contact_import.number_choice == "refuse":
            several = NotRead("several", written_numbers.shown(written[0][1]), *numbers)
            reading.blame(self.title(written[0][0]), Refusal.of(several))
            return
        reading.wa_id = numbers[0]
        first = self.numbers.setdefault(min(numbers[0], *other_spellings(numbers[0]), numbers[0]), row.number)
        if first != row.number:
            reading.blame(
                self.title(written[0][0]), Refusal(N_("The same number is in row {number} already."), number=first)
            )

    def read_cell(self, reading: Reading, column: int, target: str, cell: str) -> None:
        match target:
            case "tags":
                reading.tags = list(dict.fromkeys([*reading.tags, *read_tags(cell)]))[:MOST_TAGS]
            case "marketing":
                word = read_yes_no(cell.strip())
                reading.marketing = None if not word else word == "yes"
            case "new":
                if value := cell.replace("\x00", "").strip()[:1_000]:
                    reading.field_values[f"new:{column}"] = value
            case _ if target in self.fields:
                if value := self.fields[target].read(cell):
                    reading.field_values[target] = value


def whole_name(first: str, last: str) -> str:
    """In the order of the script: 王 before 小明, and no space between them."""
    letters = "".join((first + last).split())
    if first and last and all(unicodedata.east_asian_width(letter) == "W" for letter in letters):
        return f"{last}{first}"
    return f"{first} {last}"


def check_rows(contact_import: ContactImport) -> None:
    """Reads every row by the mapping and counts what there is."""
    reader, after, existing = Reader(contact_import), 0, 0
    while rows := list(db.session.scalars(ImportRow.of(contact_import.id, after).limit(AT_ONCE))):
        readings = [reader.read(row) for row in rows]
        values = json.dumps([asdict(each) for each in readings])
        db.session.execute(UPDATE_ROWS, {"rows": values, "tenant": current_tenant_id()})
        existing += len(existing_contacts([each.wa_id for each in readings if not each.problems]))
        after = rows[-1].number
        for row in rows:
            db.session.expunge(row)
    bad = count_rows(contact_import.id, ImportRow.is_bad)
    total = count_rows(contact_import.id)
    contact_import.counts = {
        "rows": total,
        "good": total - bad,
        "bad": bad,
        "existing": existing,
        "several": reader.several,
        "with_consent": reader.with_consent,
        "without_country": reader.without_country,
    }


def existing_contacts(wa_ids: list[str]) -> dict[str, Any]:
    """The ids of contacts with these numbers, in this spelling or another, by the number as the file has it."""
    spelled = {spelling: wa_id for wa_id in wa_ids for spelling in (*other_spellings(wa_id), wa_id)}
    here = ContactIdentity.kind == "wa_id", ContactIdentity.value.in_(list(spelled))
    identities = db.session.execute(select(ContactIdentity.value, ContactIdentity.contact_id).where(*here))
    return {spelled[value]: contact_id for value, contact_id in identities}


def read_tags(cell: str) -> Iterator[str]:
    for part in re.split(r":::|[;,|\n]", cell[:2_000]):
        name = plain(part.strip().removeprefix("* "))
        if not name or ((":::" in cell or part.strip().startswith("* ")) and name.casefold() in SYSTEM_GROUPS):
            continue
        if len(name) > LONGEST_TAG:
            raise Refusal(N_("A tag has at most {count} characters."), count=LONGEST_TAG)
        yield name


INSERT_ROWS = text("""
    insert into contact_import_rows (
        tenant_id, id, import_id, number, cells, damage, wa_id, name, tags, field_values, problems)
    select :tenant, id, :import, number, cells, damage, '', '', '[]', '{}', '[]'
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, number bigint, cells jsonb, damage jsonb)
    on conflict do nothing
""")
UPDATE_ROWS = text("""
    update contact_import_rows i
    set wa_id = r.wa_id, name = r.name, tags = r.tags, marketing = r.marketing, field_values = r.field_values,
        problems = r.problems
    from jsonb_to_recordset(cast(:rows as jsonb))
        as r(id uuid, wa_id text, name text, tags jsonb, marketing boolean, field_values jsonb, problems jsonb)
    where i.tenant_id = :tenant and i.id = r.id
""")
