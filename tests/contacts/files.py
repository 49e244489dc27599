"""Files of contacts in tests: uploaded, worked on as a worker would, and workbooks made by hand."""

from __future__ import annotations

import io
import zipfile
from xml.sax.saxutils import escape

from sqlalchemy import select

from app.contacts.imports import BUSY, ContactImport
from app.contacts.jobs import advance_import
from app.tenancy import db, tenant_scope
from tests.client import Browser
from tests.world import World


def upload(browser: Browser, world: World, table: str | bytes, name: str = "people.csv") -> str:
    """Uploads a file and has it read; returns the address of the import."""
    data = table.encode() if isinstance(table, str) else table
    answer = browser.post("~/contacts/imports", {"file": (io.BytesIO(data), name)}, content_type="multipart/form-data")
    assert answer.status_code == 303, answer.text
    work(world)
    return answer.location


def work(world: World) -> None:
    """What a worker does with the imports that wait."""
    with tenant_scope(world.bakery.id):
        ids = list(db.session.scalars(select(ContactImport.id).where(ContactImport.state.in_(BUSY))))
    for id in ids:
        advance_import(str(world.bakery.id), str(id))


def run(browser: Browser, world: World, where: str, **form: str) -> None:
    assert browser.post(f"{where}/run", form).status_code == 303
    work(world)


def workbook(rows: list[list[str | int | float]], *, more: str = "", sheets: int = 1) -> bytes:
    """An Excel file whose last sheet has these rows. A text that begins with = is a formula without a result."""
    cells = "".join(
        f'<row r="{number}">{"".join(cell(value, column, number) for column, value in enumerate(row))}</row>'
        for number, row in enumerate(rows, 1)
    )
    space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    links = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    numbers = range(1, sheets + 1)
    listed = "".join(f'<sheet name="Sheet{n}" sheetId="{n}" r:id="rId{n}"/>' for n in numbers)
    related = "".join(
        f'<Relationship Id="rId{n}" Type="{kind}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n in numbers
    )
    first = f'<Relationship Id="r" Type="{kind}/officeDocument" Target="xl/workbook.xml"/>'
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"/>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships">{first}</Relationships>',
        "xl/workbook.xml": f"<workbook {space} {links}><sheets>{listed}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">{related}</Relationships>',
    }
    for n in numbers:
        data = f"{cells}{more}" if n == sheets else ""
        parts[f"xl/worksheets/sheet{n}.xml"] = f"<worksheet {space}><sheetData>{data}</sheetData></worksheet>"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, part in parts.items():
            archive.writestr(path, part)
    return out.getvalue()


def cell(value: str | float, column: int, row: int) -> str:
    place = f"{chr(65 + column)}{row}"
    if isinstance(value, int | float):
        return f'<c r="{place}"><v>{value}</v></c>'
    if value.startswith("="):
        return f'<c r="{place}"><f>{escape(value[1:])}</f></c>'
    return f'<c r="{place}" t="inlineStr"><is><t>{escape(value)}</t></is></c>'
