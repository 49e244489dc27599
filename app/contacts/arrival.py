"""Recognising who wrote, by any of the names WhatsApp gives them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import text

from app.tenancy import current_tenant_id, db, uuid7

from .models import international

Identity = tuple[str, str]


@dataclass(slots=True)
class Sender:
    """How Meta describes the person behind a message. Any of the ids may be missing (business-scoped user IDs)."""

    wa_id: str | None
    bsuid: str | None
    parent_bsuid: str | None
    username: str | None
    name: str

    @property
    def identities(self) -> Iterator[Identity]:
        """What the person is known by, surest first. A username may change hands, so it identifies nobody."""
        for kind in ("bsuid", "wa_id", "parent_bsuid"):
            if value := getattr(self, kind):
                yield kind, value

    @property
    def shown_name(self) -> str:
        return self.name or (international(self.wa_id) if self.wa_id else self.username or "")


class Nameless(Exception):
    """A message that does not say who sent it."""


class Register:
    """The contacts of one batch: those known already, and those to be made."""

    def __init__(self) -> None:
        self.known: dict[Identity, str] = {}
        self.names: dict[str, str] = {}
        self.new_contacts: dict[str, Sender] = {}
        self.new_identities: dict[Identity, str] = {}
        self.renamed: dict[str, str] = {}

    def load(self, senders: Sequence[Sender]) -> None:
        wanted = {identity for sender in senders for identity in sender.identities}
        rows = json.dumps([{"kind": kind, "value": value} for kind, value in sorted(wanted)])
        for kind, value, contact, name in db.session.execute(KNOWN, {"rows": rows, "tenant": current_tenant_id()}):
            self.known[kind, value] = contact
            self.names[contact] = name

    def contact_of(self, sender: Sender) -> str:
        contact = next((self.known[known] for known in sender.identities if known in self.known), None)
        if not any(sender.identities):
            raise Nameless
        if contact is None:
            contact = str(uuid7())
            self.new_contacts[contact] = sender
            self.names[contact] = sender.shown_name
        for identity in sender.identities:
            if identity not in self.known:
                self.known[identity] = self.new_identities[identity] = contact
        if sender.name and self.names[contact] != sender.name:
            self.names[contact] = self.renamed[contact] = sender.name
        return contact

    def save(self) -> None:
        contacts = [{"id": id, "name": self.names[id]} for id in self.new_contacts]
        identities = [
            {"id": str(uuid7()), "contact": contact, "kind": kind, "value": value}
            for (kind, value), contact in self.new_identities.items()
        ]
        renamed = [{"id": id, "name": name} for id, name in self.renamed.items() if id not in self.new_contacts]
        for statement, rows in ((NEW_CONTACTS, contacts), (NEW_IDENTITIES, identities), (RENAME, renamed)):
            if rows:
                db.session.execute(statement, {"rows": json.dumps(rows), "tenant": current_tenant_id()})


def recognise(senders: Sequence[Sender]) -> list[str]:
    """The id of each sender's contact; strangers become contacts. One drain at a time works for a tenant, so nobody
    else makes the same contact meanwhile."""
    register = Register()
    register.load(senders)
    contacts = [register.contact_of(sender) for sender in senders]
    register.save()
    return contacts


KNOWN = text("""
    select i.kind, i.value, i.contact_id::text, c.name
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(kind text, value text)
    join contact_identities i on i.tenant_id = :tenant and i.kind = r.kind and i.value = r.value
    join contacts c on c.tenant_id = :tenant and c.id = i.contact_id
""")
NEW_CONTACTS = text("""
    insert into contacts (tenant_id, id, name, created_at)
    select :tenant, id, name, clock_timestamp()
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, name text)
""")
NEW_IDENTITIES = text("""
    insert into contact_identities (tenant_id, id, contact_id, kind, value, created_at)
    select :tenant, id, contact, kind, value, clock_timestamp()
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, contact uuid, kind text, value text)
""")
RENAME = text("""
    update contacts c set name = r.name
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, name text)
    where c.tenant_id = :tenant and c.id = r.id
""")
