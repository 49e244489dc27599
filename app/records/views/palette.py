"""Records in the command palette."""

from __future__ import annotations

from flask import url_for
from sqlalchemy import select

from app.inbox.desk.palette_items import PaletteItem, palette_items
from app.records import search
from app.records.models import Record
from app.tenancy import db

MOST = 5


@palette_items("records.view")
def find(words: str) -> list[PaletteItem]:
    """The last changed ones whose title or id has these words."""
    if (ids := search.matching(words)) is None:
        return []
    query = select(Record).where(Record.id.in_(ids)).order_by(Record.staged_at.desc(), Record.id.desc()).limit(MOST)
    return [
        PaletteItem(record.title, url_for("records.show", record_id=record.id), "briefcase", record.stage)
        for record in db.session.scalars(query)
    ]
