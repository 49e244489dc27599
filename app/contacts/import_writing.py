"""Writes the rows of an import as contacts, set-wise and in one transaction: all of them or none."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import text

from app.meta.written_numbers import formatted
from app.tenancy import current_tenant_id, database_now, db, uuid7

from . import search
from .fields import ContactField
from .import_reading import AT_ONCE, existing_contacts
from .imports import ContactImport, ImportRow, count_rows
from .models import lock_contacts
from .tags import Tag


def write_contacts(contact_import: ContactImport) -> None:
    """An existing contact keeps its name, and gets the tags, fields and consents of its row."""
    lock_contacts()
    writer, after = Writer(contact_import), 0
    while rows := list(
        db.session.scalars(ImportRow.of(contact_import.id, after).where(ImportRow.is_good).limit(AT_ONCE))
    ):
        writer.write(rows)
        after = rows[-1].number
    left_out = count_rows(contact_import.id, ImportRow.is_bad)
    contact_import.finish({"created": writer.created, "updated": writer.updated, "left_out": left_out})


class Writer:
    def __init__(self, contact_import: ContactImport) -> None:
        self.contact_import = contact_import
        self.created = self.updated = 0
        self.tags: dict[str, str] = {}
        self.fields: dict[str, str] = {}

    def write(self, rows: list[ImportRow]) -> None:
        existing = existing_contacts([row.wa_id for row in rows])
        contacts = {row.wa_id: str(existing.get(row.wa_id) or uuid7()) for row in rows}
        fresh = [row for row in rows if row.wa_id not in existing]
        self.created += len(fresh)
        self.updated += len(rows) - len(fresh)
        self.insert(NEW_CONTACTS, [new_contact(row, contacts[row.wa_id]) for row in fresh])
        self.insert(
            TAGS, [{"contact": contacts[row.wa_id], "tag": self.tag(name)} for row in rows for name in row.tags]
        )
        self.insert(
            VALUES,
            [
                {"contact": contacts[row.wa_id], "field": self.field(target), "value": value}
                for row in rows
                for target, value in row.field_values.items()
            ],
        )
        self.insert(
            CONSENTS,
            [{"contact": contacts[row.wa_id], "granted": row.marketing} for row in rows if row.marketing is not None],
        )
        search.mark_outdated(contacts[row.wa_id] for row in rows)

    def insert(self, statement: Any, rows: list[dict[str, Any]]) -> None:
        if not rows:
            return
        details = json.dumps({"filename": self.contact_import.filename})
        values = [row | {"id": str(uuid7())} for row in rows]
        db.session.execute(
            statement,
            {
                "rows": json.dumps(values),
                "tenant": current_tenant_id(),
                "now": database_now(),
                "by": self.contact_import.created_by_id,
                "details": details,
                "evidence": self.contact_import.evidence,
            },
        )

    def tag(self, name: str) -> str:
        key = name.casefold()
        if key not in self.tags:
            self.tags[key] = str(Tag.get_or_make(name).id)
        return self.tags[key]

    def field(self, target: str) -> str:
        """The id of a field; a column that becomes a new one makes it once."""
        if target not in self.fields:
            kind, _, key = target.partition(":")
            self.fields[target] = key if kind == "field" else str(ContactField.get_or_make(self.title(int(key))).id)
        return self.fields[target]

    def title(self, column: int) -> str:
        return self.contact_import.header[column] or f"Column {column + 1}"


def new_contact(row: ImportRow, contact_id: str) -> dict[str, Any]:
    return {
        "contact": contact_id,
        "identity": str(uuid7()),
        "wa_id": row.wa_id,
        "name": row.name or formatted(row.wa_id),
        "is_saved": bool(row.name),
    }


# Creates contacts for numbers that no contact has, each with its identity and a line in its history. Reads no index;
# the unique key of contact_identities refuses a number that somebody else added meanwhile.
NEW_CONTACTS = text("""
    with r as materialized (
        select * from jsonb_to_recordset(cast(:rows as jsonb))
            as r(id uuid, contact uuid, identity uuid, wa_id text, name text, is_saved boolean)
    ), contacts as (
        insert into contacts (tenant_id, id, name, name_is_saved, created_at)
        select :tenant, contact, name, is_saved, :now from r returning id
    ), identities as (
        insert into contact_identities (tenant_id, id, contact_id, kind, value, created_at)
        select :tenant, identity, contact, 'wa_id', wa_id, :now from r returning id
    )
    insert into contact_events (tenant_id, id, contact_id, kind, details, by_id, created_at)
    select :tenant, id, contact, 'imported', cast(:details as jsonb), :by, :now from r
    on conflict do nothing
""")
TAGS = text("""
    insert into contact_tags (tenant_id, id, contact_id, tag_id, added_by_id, created_at)
    select :tenant, id, contact, tag, :by, :now
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, contact uuid, tag uuid)
    on conflict (tenant_id, contact_id, tag_id) do nothing
""")
VALUES = text("""
    insert into contact_field_values (tenant_id, id, contact_id, field_id, value)
    select :tenant, id, contact, field, value
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, contact uuid, field uuid, value text)
    on conflict (tenant_id, contact_id, field_id) do update set value = excluded.value
""")
CONSENTS = text("""
    insert into consents (tenant_id, id, contact_id, purpose, is_granted, source, evidence, by_id, occurred_at,
                          created_at)
    select :tenant, id, contact, 'marketing', granted, 'import', :evidence, :by, :now, :now
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, contact uuid, granted boolean)
    on conflict do nothing
""")
