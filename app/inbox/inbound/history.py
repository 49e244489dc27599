"""Messages from before a number was here: they come quietly, and the files of some come later."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy import text

from app.contacts.arrival import recognise
from app.meta.events import HistoricMessage, HistoryProgress
from app.tenancy import current_tenant_id, db
from app.wabas.models import numbers_by_meta_id

from .incoming import Incoming
from .placing import Placed, place
from .rising import fetch_files, show
from .storing import row_of, store


def import_history(messages: Sequence[HistoricMessage]) -> None:
    """Nothing becomes unread, no window opens, nothing newer is hidden."""
    numbers = numbers_by_meta_id({each.phone_number_id for each in messages})
    incoming = [Incoming.historic(each) for each in messages if each.phone_number_id in numbers]
    placed = place(incoming, numbers, recognise([one.person for one in incoming]))
    show(store(placed))
    fill_placeholders([one for one in placed if one.message.type != "media_placeholder"])


def note_progress(reports: Sequence[HistoryProgress]) -> None:
    numbers = numbers_by_meta_id({report.phone_number_id for report in reports})
    for report in reports:
        if number := numbers.get(report.phone_number_id):
            refusal = next((error.details or error.summary or "" for error in report.errors), "")
            number.note_history(report.percent, refusal)


def fill_placeholders(placed: Sequence[Placed]) -> None:
    """What history promised as "a file" comes later, under the same id."""
    rows = json.dumps(list(map(row_of, placed)))
    filled = db.session.execute(FILL, {"rows": rows, "tenant": current_tenant_id()})
    ids = {row.wamid: row.id for row in filled}
    fetch_files((ids[one.message.wamid], one.message) for one in placed if one.message.wamid in ids)


# Turns placeholders into the messages they announce, by the unique index (tenant_id, phone_number_id, wamid).
FILL = text("""
    update messages m set type = r.type, body = r.body, content = r.content
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(phone_number_id uuid, wamid text, type text, body text,
                                                       content jsonb)
    where m.tenant_id = :tenant and m.phone_number_id = r.phone_number_id and m.wamid = r.wamid
      and m.type = 'media_placeholder'
    returning m.wamid, m.id::text
""")
