"""Recognising who wrote, by any of the names WhatsApp gives them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from sqlalchemy import text

from app.meta.events import AddressBookEntry
from app.tenancy import current_tenant_id, db, happened_each, uuid7

from .models import international
from .names import plain
from .search import index
from .spellings import RESPELT, other_spellings
from .suggestions import suggest, suggest_namesakes

Identity = tuple[str, str]


@dataclass(slots=True)
class Sender:
    """How Meta describes the person behind a message. Any of the ids may be missing (business-scoped user IDs)."""

    wa_id: str | None
    bsuid: str | None
    parent_bsuid: str | None
    username: str | None
    name: str
    formerly: tuple[Identity, ...] = ()
    # Numbers on a contact card that they sent in their own name. Anybody may write such a card.
    cards: tuple[str, ...] = ()

    @property
    def identities(self) -> Iterator[Identity]:
        """What the person is known by, surest first. A username may change hands, so it identifies nobody.

        Somebody whose number changed is known by what they were before.
        """
        yield from self.formerly
        for kind in ("bsuid", "wa_id", "parent_bsuid"):
            if value := getattr(self, kind):
                yield kind, value

    @property
    def respelt(self) -> Iterator[Identity]:
        """The other ways WhatsApp may have written the person's number."""
        for value in (self.wa_id, *(value for kind, value in self.formerly if kind == "wa_id")):
            if value and value.startswith(RESPELT):
                yield from (("wa_id", spelling) for spelling in other_spellings(value))

    def __post_init__(self) -> None:
        self.name = plain(self.name)

    @property
    def described(self) -> str:
        """Its ids as people may read them."""
        number = international(self.wa_id) if self.wa_id else ""
        return " · ".join(filter(None, (self.name, number, self.username and f"@{self.username}"))) or "–"

    @property
    def shown_name(self) -> str:
        return self.name or (international(self.wa_id) if self.wa_id else self.username or "")


class Nameless(Exception):
    """A message that does not say who sent it."""


class Register:
    """The contacts of one batch: those known already, and those to be made."""

    def __init__(self) -> None:
        self.known: dict[Identity, str] = {}
        self.usernames: dict[Identity, str] = {}
        self.suspected: dict[tuple[str, str], tuple[str, str]] = {}
        self.names: dict[str, str] = {}
        self.saved: set[str] = set()
        self.new_contacts: dict[str, Sender] = {}
        self.new_identities: dict[Identity, str] = {}
        self.renamed: dict[str, str] = {}
        self.passed_on: set[str] = set()

    def load(self, senders: Sequence[Sender]) -> None:
        wanted = {identity for sender in senders for identity in sender.identities}
        wanted.update(identity for sender in senders for identity in sender.respelt)
        wanted.update(("username", sender.username) for sender in senders if sender.username)
        wanted.update(("wa_id", number) for sender in senders for number in sender.cards)
        rows = json.dumps([{"kind": kind, "value": value} for kind, value in sorted(wanted)])
        for kind, value, contact, name, is_saved in db.session.execute(
            KNOWN, {"rows": rows, "tenant": current_tenant_id()}
        ):
            self.known[kind, value] = contact
            self.names[contact] = name
            if is_saved:
                self.saved.add(contact)

    def contact_of(self, sender: Sender) -> str:
        identities = list(sender.identities)
        if not identities:
            raise Nameless
        names = chain(identities, sender.respelt)
        contact = next((self.known[known] for known in names if known in self.known), None)
        if contact is None:
            contact = str(uuid7())
            self.new_contacts[contact] = sender
            self.names[contact] = sender.shown_name
        for identity in identities:
            if identity not in self.known:
                self.known[identity] = self.new_identities[identity] = contact
        self.doubt(contact, sender)
        if sender.username:
            self.hand_over(("username", sender.username), contact)
        if sender.name and self.names[contact] != sender.name and contact not in self.saved:
            self.names[contact] = self.renamed[contact] = sender.name
        return contact

    def doubt(self, contact: str, sender: Sender) -> None:
        """Whether somebody else of ours goes by a name of this sender."""
        for identity in sender.identities:
            self.suspect(contact, self.known[identity], "told", sender.described)
        for identity in sender.respelt:
            self.suspect(contact, self.known.get(identity), "spelling", f"{sender.wa_id}, {identity[1]}")
        for number in sender.cards:
            self.suspect(contact, self.known.get(("wa_id", number)), "card", international(number))

    def suspect(self, contact: str, other: str | None, reason: str, detail: str) -> None:
        """Two contacts of ours may be one. Whether they are, a person decides."""
        if other and contact != other:
            self.suspected.setdefault((contact, other), (reason, detail))

    def hand_over(self, username: Identity, contact: str) -> None:
        """A username belongs to whoever used it last."""
        before = self.known.get(username)
        if before == contact:
            return
        self.known[username] = self.usernames[username] = contact
        if before:
            self.passed_on.add(before)
            self.suspect(contact, before, "username", username[1])

    def save(self) -> None:
        contacts = [{"id": id, "name": self.names[id]} for id in self.new_contacts]
        identities = [
            {"id": str(uuid7()), "contact": contact, "kind": kind, "value": value}
            for (kind, value), contact in self.new_identities.items()
        ]
        usernames = [
            {"id": str(uuid7()), "contact": contact, "kind": kind, "value": value}
            for (kind, value), contact in self.usernames.items()
        ]
        renamed = [{"id": id, "name": name} for id, name in self.renamed.items() if id not in self.new_contacts]
        for statement, rows in (
            (NEW_CONTACTS, contacts),
            (NEW_IDENTITIES, identities),
            (HAND_OVER, usernames),
            (RENAME, renamed),
        ):
            if rows:
                db.session.execute(statement, {"rows": json.dumps(rows), "tenant": current_tenant_id()})
        happened_each("contact.created", [(id, {"source": "message"}) for id in self.new_contacts])
        changed = {*self.new_contacts, *self.renamed, *self.new_identities.values(), *self.usernames.values()}
        index(changed | self.passed_on)
        suggest([(*pair, *why) for pair, why in self.suspected.items()])
        suggest_namesakes({id: self.names[id] for id in {*self.new_contacts, *self.renamed}})


def recognise(senders: Sequence[Sender]) -> list[str]:
    """The id of each sender's contact; strangers become contacts. One drain at a time works for a tenant, so nobody
    else makes the same contact meanwhile."""
    register = Register()
    register.load(senders)
    contacts = [register.contact_of(sender) for sender in senders]
    register.save()
    return contacts


def keep_address_book(entries: Sequence[AddressBookEntry]) -> None:
    """Names from the business's own phone. Who was taken out of the book there keeps the name, but may rename."""
    entries = sorted(entries, key=lambda entry: entry.timestamp)
    senders = [Sender(each.wa_id, each.user_id, None, each.username, each.name) for each in entries]
    named = {
        contact: {"id": contact, "name": entry.name, "is_saved": entry.action != "remove" and bool(entry.name)}
        for contact, entry in zip(recognise(senders), entries, strict=True)
    }
    db.session.execute(NAME, {"rows": json.dumps(list(named.values())), "tenant": current_tenant_id()})


KNOWN = text("""
    select i.kind, i.value, i.contact_id::text, c.name, c.name_is_saved
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
HAND_OVER = text("""
    insert into contact_identities (tenant_id, id, contact_id, kind, value, created_at)
    select :tenant, id, contact, kind, value, clock_timestamp()
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, contact uuid, kind text, value text)
    on conflict (tenant_id, kind, value) do update
        set contact_id = excluded.contact_id, created_at = excluded.created_at
""")
RENAME = text("""
    update contacts c set name = r.name
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, name text)
    where c.tenant_id = :tenant and c.id = r.id
""")
NAME = text("""
    update contacts c set name = case when r.is_saved then r.name else c.name end, name_is_saved = r.is_saved
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, name text, is_saved boolean)
    where c.tenant_id = :tenant and c.id = r.id
""")
