"""Contacts from a table that somebody exported elsewhere: looked through first, then taken in whole or not at all."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select, text
from sqlalchemy.orm import Mapped, mapped_column

from app.meta import written_numbers
from app.meta.spellings import other_spellings
from app.meta.written_numbers import NotRead, formatted
from app.tenancy import TenantModel, User, current_tenant_id, db, now, of_tenant, one_of, uuid7

from . import search
from .consents import Consent
from .fields import YES, ContactField, Wrong
from .models import ContactIdentity, alone
from .names import fold, plain
from .tags import LONGEST_TAG, Tag

MOST_ROWS = 20_000
MOST_COLUMNS = 60
GUARDED = ("=", "+", "-", "@", "\t", "\r", "\0", "＝", "＋", "－", "＠")
GUESSES = {
    "name": ("name", "full name", "contact", "nombre", "nome", "nom"),
    "phone": ("phone", "phone number", "number", "mobile", "whatsapp", "telephone", "telefon", "tel", "telefono"),
    "tags": ("tags", "tag", "labels", "label", "groups"),
    "marketing": ("marketing", "marketing consent", "consent", "opt in", "optin", "opt-in", "subscribed"),
}


class Unreadable(Exception):
    """The file is no table; the words say why."""


@dataclass
class Line:
    """One row of the file as it would be taken in."""

    number: int
    name: str = ""
    wa_id: str = ""
    tags: list[str] = field(default_factory=list)
    marketing: bool | None = None
    values: dict[str, str] = field(default_factory=dict)
    problems: list[tuple[str, str]] = field(default_factory=list)


class ContactImport(TenantModel):
    __table_args__ = (of_tenant(), one_of("state", ("draft", "done")))

    filename: Mapped[str]
    body: Mapped[str]
    mapping: Mapped[dict[str, Any]] = mapped_column(default=dict)
    evidence: Mapped[str] = mapped_column(default="")
    state: Mapped[str] = mapped_column(default="draft")
    outcome: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_by_id: Mapped[uuid.UUID]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    finished_at: Mapped[dt.datetime | None]

    @classmethod
    def begin(cls, filename: str, data: bytes, *, by: User) -> ContactImport:
        """Keeps a file to be looked through. Raises `Unreadable`."""
        made = cls(id=uuid7(), filename=plain(filename), body=decoded(data), created_by_id=by.id)
        made.check_shape()
        made.mapping = {str(column): to for column, to in enumerate(map(made.guess, made.header)) if to}
        db.session.add(made)
        return made

    def check_shape(self) -> None:
        if not self.header or not any(self.header):
            raise Unreadable(_("The file is empty. Its first row should name the columns."))
        if len(self.header) > MOST_COLUMNS:
            raise Unreadable(_("The file has more than %(count)s columns.", count=MOST_COLUMNS))
        if not self.rows:
            raise Unreadable(_("The file has a first row with the columns’ names, and nothing below it."))
        if len(self.rows) > MOST_ROWS:
            raise Unreadable(_("The file has more than %(count)s rows. Split it.", count=MOST_ROWS))

    @cached_property
    def table(self) -> list[list[str]]:
        try:
            dialect: Any = csv.Sniffer().sniff(self.body[:20_000], delimiters=",;\t|")
        except csv.Error:
            dialect = csv.excel
        try:
            rows = list(csv.reader(io.StringIO(self.body, newline=""), dialect))
        except csv.Error:
            raise Unreadable(_("This is no CSV file that can be read. Export it again as CSV (UTF-8).")) from None
        return [[cell.strip() for cell in row] for row in rows]

    @property
    def header(self) -> list[str]:
        return self.table[0] if self.table else []

    @property
    def rows(self) -> list[tuple[int, list[str]]]:
        """What stands below the header, with the line numbers that a spreadsheet shows. Empty ones are left out."""
        return [(number, row) for number, row in enumerate(self.table[1:], 2) if any(row)]

    def guess(self, title: str) -> str:
        """What a column probably holds."""
        word = fold(title)
        known = next((to for to, names in GUESSES.items() if word in names), "")
        found = ContactField.named(title) if word and not known else None
        return known or (f"field:{found.id}" if found else "")

    def remap(self, mapping: dict[str, str], evidence: str) -> None:
        self.mapping, self.evidence = {column: to for column, to in mapping.items() if to}, evidence
        self.__dict__.pop("lines", None)

    @property
    def problem(self) -> str:
        """What is wrong with the choice of columns, in words."""
        chosen = list(self.mapping.values())
        if "phone" not in chosen:
            return str(_("Say which column holds the phone number."))
        if any(chosen.count(each) > 1 for each in chosen):
            return str(_("Two columns are meant for the same thing. Choose one of them."))
        if not self.evidence and any(line.marketing is not None for line in self.lines):
            return str(_("Say where and how these people agreed: it is kept with each consent as evidence."))
        return ""

    @cached_property
    def lines(self) -> list[Line]:
        fields = {f"field:{each.id}": each for each in ContactField.all()}
        seen: dict[str, int] = {}
        return [self.line(number, row, fields, seen) for number, row in self.rows]

    def line(self, number: int, row: list[str], fields: dict[str, ContactField], seen: dict[str, int]) -> Line:
        line = Line(number)
        for column, to in self.mapping.items():
            cell = unguarded(row[int(column)]) if int(column) < len(row) else ""
            title = self.header[int(column)]
            try:
                take(line, to, cell, fields)
            except Wrong as wrong:
                line.problems.append((title, str(wrong)))
        if line.wa_id:
            first = seen.setdefault(min(line.wa_id, *other_spellings(line.wa_id), line.wa_id), number)
            if first != number:
                line.problems.append(("", _("The same number is in row %(number)s already.", number=first)))
        return line

    @property
    def good(self) -> list[Line]:
        return [line for line in self.lines if not line.problems]

    @property
    def bad(self) -> list[Line]:
        return [line for line in self.lines if line.problems]

    @cached_property
    def known(self) -> dict[str, uuid.UUID]:
        """Which of the numbers are here already, by the number as the file has it."""
        spelt = {s: line.wa_id for line in self.good for s in (line.wa_id, *other_spellings(line.wa_id))}
        query = select(ContactIdentity.value, ContactIdentity.contact_id).where(ContactIdentity.kind == "wa_id")
        found = db.session.execute(query.where(ContactIdentity.value.in_(list(spelt))))
        return {spelt[value]: contact_id for value, contact_id in found}

    def run(self, *, by: User) -> None:
        """Takes the good rows in, all of them in this transaction. A contact that is here keeps its name."""
        alone()
        self.refresh_locked()
        if self.state == "done":
            return
        self.__dict__.pop("known", None)
        known, lines = self.known, self.good
        contacts = {line.wa_id: known.get(line.wa_id) or uuid7() for line in lines}
        fresh = [line for line in lines if line.wa_id not in known]
        self.add_contacts(fresh, contacts, by)
        self.add_belongings(lines, contacts, by)
        search.index(contacts[line.wa_id] for line in fresh)
        self.outcome = {"created": len(fresh), "known": len(lines) - len(fresh), "left_out": len(self.bad)}
        self.state, self.finished_at, self.body = "done", now(), ""

    def add_contacts(self, fresh: list[Line], contacts: dict[str, uuid.UUID], by: User) -> None:
        rows = [
            {"id": str(contacts[line.wa_id]), "identity": str(uuid7()), "event": str(uuid7()), "wa_id": line.wa_id}
            | {"name": line.name or formatted(line.wa_id), "is_saved": bool(line.name)}
            for line in fresh
        ]
        told = {"filename": self.filename}
        given = {"rows": json.dumps(rows), "by": by.id, "details": json.dumps(told), "tenant": current_tenant_id()}
        for statement in (NEW_CONTACTS, NEW_NUMBERS, NEW_EVENTS):
            db.session.execute(statement, given)

    def add_belongings(self, lines: list[Line], contacts: dict[str, uuid.UUID], by: User) -> None:
        tags = {name: Tag.get_or_make(name) for line in lines for name in line.tags}
        fields = {f"field:{each.id}": each for each in ContactField.all()}
        for line in lines:
            contact_id = contacts[line.wa_id]
            for name in line.tags:
                tags[name].put_on(contact_id, by=by)
            for key, value in line.values.items():
                fields[key].put_on(contact_id, value)
            if line.marketing is not None:
                given = {"is_granted": line.marketing, "source": "import", "evidence": self.evidence, "by_id": by.id}
                db.session.add(Consent(contact_id=contact_id, purpose="marketing", **given))


def take(line: Line, to: str, cell: str, fields: dict[str, ContactField]) -> None:
    """Puts a cell where its column belongs. Raises `Wrong`."""
    match to:
        case "name":
            line.name = plain(cell)
        case "phone":
            try:
                line.wa_id = written_numbers.read(cell)
            except NotRead as problem:
                raise Wrong(problem.explain(_)) from None
        case "tags":
            line.tags = list(read_tags(cell))
        case "marketing":
            line.marketing = read_consent(cell)
        case _ if to in fields:
            if value := fields[to].read(cell):
                line.values[to] = value


def read_tags(cell: str) -> Iterator[str]:
    for part in cell.replace("|", ";").replace(",", ";").split(";"):
        if name := plain(part):
            if len(name) > LONGEST_TAG:
                raise Wrong(_("A tag has at most %(count)s characters.", count=LONGEST_TAG))
            yield name


def read_consent(cell: str) -> bool | None:
    word = cell.casefold()
    if not word:
        return None
    if word not in (*YES, "no", "false", "0", "n"):
        raise Wrong(_("Write yes or no, or leave it empty."))
    return word in YES


def unguarded(cell: str) -> str:
    """A cell without the apostrophe that our own export puts before what a spreadsheet would calculate."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(GUARDED) else cell


def decoded(data: bytes) -> str:
    """The text of a file, in the encodings that spreadsheets write."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace").replace("\x00", "")
    if b"\x00" in data[:1000] or data.startswith(b"PK"):
        raise Unreadable(_("This is no CSV file. In your spreadsheet choose “Save as” and then CSV."))
    try:
        return data.decode("utf-8-sig").replace("\x00", "")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace").replace("\x00", "")


NEW_CONTACTS = text("""
    insert into contacts (tenant_id, id, name, name_is_saved, created_at)
    select :tenant, id, name, is_saved, clock_timestamp()
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, name text, is_saved boolean)
""")
NEW_NUMBERS = text("""
    insert into contact_identities (tenant_id, id, contact_id, kind, value, created_at)
    select :tenant, identity, id, 'wa_id', wa_id, clock_timestamp()
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, identity uuid, wa_id text)
""")
NEW_EVENTS = text("""
    insert into contact_events (tenant_id, id, contact_id, kind, details, by_id, created_at)
    select :tenant, event, id, 'imported', cast(:details as jsonb), :by, clock_timestamp()
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, event uuid)
""")
