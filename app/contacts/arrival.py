"""Finds or makes the contact of each sender, by any of the ids WhatsApp gives them."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from sqlalchemy import text

from app.meta.events import AddressBookEntry, GroupChange
from app.meta.spellings import RESPELT, other_spellings
from app.meta.written_numbers import formatted
from app.tenancy import current_tenant_id, database_now, db, happened_each, uuid7

from .names import plain
from .search import index
from .suggestions import suggest, suggest_namesakes

Identity = tuple[str, str]
NEVER = dt.datetime.min.replace(tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)


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
    # When they wrote this themselves; None for what the business wrote, and for what says nothing of the kind.
    seen_at: dt.datetime | None = None
    # A group of several people, which has a name of its own at most.
    group: str | None = None

    @property
    def identities(self) -> Iterator[Identity]:
        """The ids of the person, most reliable first. Not the username, which can pass to another person.

        A person whose number changed is recognised by the earlier ids.
        """
        yield from self.formerly
        for kind in ("group", "bsuid", "wa_id", "parent_bsuid"):
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
        """Name, number and username, for people to read."""
        number = formatted(self.wa_id) if self.wa_id else ""
        return " · ".join(filter(None, (self.name, number, self.username and f"@{self.username}"))) or "–"

    @property
    def shown_name(self) -> str:
        return self.name or (formatted(self.wa_id) if self.wa_id else self.username or "")


class SenderMissing(Exception):
    """A message that names no sender."""


def recognise(senders: Sequence[Sender]) -> list[str]:
    """Returns the id of each sender's contact; new senders become contacts.

    One drain at a time works for a tenant, so no other transaction creates the same contact meanwhile.
    """
    register = Register()
    register.load(senders)
    contacts = [register.contact_of(sender) for sender in senders]
    register.save()
    mark_seen(zip(contacts, senders, strict=True))
    return contacts


class Register:
    """The contacts of one batch: existing ones, and those to be inserted."""

    def __init__(self) -> None:
        self.contact_ids: dict[Identity, str] = {}
        self.usernames: dict[Identity, str] = {}
        # Contact and other contact: the reason, who wrote, and the id that both have.
        self.suspected: dict[tuple[str, str], tuple[str, Sender, str]] = {}
        self.names: dict[str, str] = {}
        self.saved: set[str] = set()
        self.new_contacts: dict[str, Sender] = {}
        self.new_identities: dict[Identity, str] = {}
        self.renamed: dict[str, str] = {}
        self.previous_owners: set[str] = set()

    def load(self, senders: Sequence[Sender]) -> None:
        wanted = {identity for sender in senders for identity in sender.identities}
        wanted.update(identity for sender in senders for identity in sender.respelt)
        wanted.update(("username", sender.username) for sender in senders if sender.username)
        wanted.update(("wa_id", number) for sender in senders for number in sender.cards)
        rows = json.dumps([{"kind": kind, "value": value} for kind, value in sorted(wanted)])
        existing = db.session.execute(IDENTITIES, {"rows": rows, "tenant": current_tenant_id()}).all()
        for kind, value, contact, name, is_saved in existing:
            self.contact_ids[kind, value] = contact
            self.names[contact] = name
            if is_saved:
                self.saved.add(contact)

    def contact_of(self, sender: Sender) -> str:
        identities = list(sender.identities)
        if not identities:
            raise SenderMissing
        names = chain(identities, sender.respelt)
        contact = next((self.contact_ids[name] for name in names if name in self.contact_ids), None)
        if contact is None:
            contact = str(uuid7())
            self.new_contacts[contact] = sender
            self.names[contact] = sender.shown_name
        for identity in identities:
            if identity not in self.contact_ids:
                self.contact_ids[identity] = self.new_identities[identity] = contact
        self.suspect_duplicates(contact, sender, identities)
        if sender.username:
            self.reassign_username(sender, contact)
        if sender.name and self.names[contact] != sender.name and contact not in self.saved:
            self.names[contact] = self.renamed[contact] = sender.name
        return contact

    def suspect_duplicates(self, contact: str, sender: Sender, identities: Iterable[Identity]) -> None:
        """Suspects other contacts that have an id of this sender."""
        for identity in identities:
            self.suspect(contact, identity, "identity", sender)
        for identity in sender.respelt:
            self.suspect(contact, identity, "spelling", sender)
        for number in sender.cards:
            self.suspect(contact, ("wa_id", number), "card", sender)

    def suspect(self, contact: str, identity: Identity, reason: str, sender: Sender) -> None:
        """Notes that two contacts may be one person; an agent decides."""
        other = self.contact_ids.get(identity)
        if other and contact != other:
            self.suspected.setdefault((contact, other), (reason, sender, identity[1]))

    def reassign_username(self, sender: Sender, contact: str) -> None:
        """A username belongs to whoever used it last."""
        username = ("username", sender.username or "")
        before = self.contact_ids.get(username)
        if before == contact:
            return
        self.suspect(contact, username, "username", sender)
        self.contact_ids[username] = self.usernames[username] = contact
        if before:
            self.previous_owners.add(before)

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
        values = {"tenant": current_tenant_id(), "now": database_now()}
        for statement, rows in (
            (NEW_CONTACTS, contacts),
            (NEW_IDENTITIES, identities),
            (REASSIGN_USERNAMES, usernames),
            (RENAME, renamed),
        ):
            if rows:
                db.session.execute(statement, values | {"rows": json.dumps(rows)})
        happened_each("contact.created", [(id, {"source": "message"}) for id in self.new_contacts])
        changed = {*self.new_contacts, *self.renamed, *self.new_identities.values(), *self.usernames.values()}
        index(changed | self.previous_owners)
        suggest([(*pair, why[0], detail_of(*why)) for pair, why in self.suspected.items()])
        suggest_namesakes({id: self.names[id] for id in {*self.new_contacts, *self.renamed}})


def detail_of(reason: str, sender: Sender, value: str) -> str:
    """What an agent reads beside a suggested merge."""
    if reason == "identity":
        return sender.described
    if reason == "spelling":
        return f"{sender.wa_id}, {value}"
    return formatted(value) if reason == "card" else value


def mark_seen(pairs: Iterable[tuple[str, Sender]]) -> None:
    """Notes when each wrote last, to the minute: the row and its index are not written for every message."""
    latest: dict[str, dt.datetime] = {}
    for contact, sender in pairs:
        if sender.seen_at:
            latest[contact] = max(latest.get(contact, NEVER), sender.seen_at)
    rows = [{"id": id, "at": at.isoformat(), "before": (at - MINUTE).isoformat()} for id, at in sorted(latest.items())]
    if rows:
        db.session.execute(SEEN, {"rows": json.dumps(rows), "tenant": current_tenant_id()})


def name_groups(changes: Sequence[GroupChange]) -> None:
    """Saves the names of groups, new groups included."""
    ordered = sorted(changes, key=lambda change: change.timestamp)
    recognise([Sender(None, None, None, None, change.subject, group=change.group_id) for change in ordered])


def save_address_book(entries: Sequence[AddressBookEntry]) -> None:
    """Saves names of the business's own phone. A contact removed from its book keeps the name, but may change it."""
    entries = sorted(entries, key=lambda entry: entry.timestamp)
    senders = [Sender(each.wa_id, each.user_id, None, each.username, each.name) for each in entries]
    named = {
        contact: {"id": contact, "name": entry.name, "is_saved": entry.action != "remove" and bool(entry.name)}
        for contact, entry in zip(recognise(senders), entries, strict=True)
    }
    db.session.execute(NAME, {"rows": json.dumps(list(named.values())), "tenant": current_tenant_id()})


IDENTITIES = text("""
    select i.kind, i.value, i.contact_id::text, c.name, c.name_is_saved
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(kind text, value text)
    join contact_identities i on i.tenant_id = :tenant and i.kind = r.kind and i.value = r.value
    join contacts c on c.tenant_id = :tenant and c.id = i.contact_id
""")
# `on conflict`: row security keeps a cluster from copying rows in, which it would do with a bare `insert … select`.
NEW_CONTACTS = text("""
    insert into contacts (tenant_id, id, name, created_at)
    select :tenant, id, name, :now
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, name text)
    on conflict do nothing
""")
NEW_IDENTITIES = text("""
    insert into contact_identities (tenant_id, id, contact_id, kind, value, created_at)
    select :tenant, id, contact, kind, value, :now
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, contact uuid, kind text, value text)
    on conflict do nothing
""")
REASSIGN_USERNAMES = text("""
    insert into contact_identities (tenant_id, id, contact_id, kind, value, created_at)
    select :tenant, id, contact, kind, value, :now
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, contact uuid, kind text, value text)
    on conflict (tenant_id, kind, value) do update
        set contact_id = excluded.contact_id, created_at = excluded.created_at
""")
SEEN = text("""
    update contacts c set last_seen_at = r.at
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, at timestamptz, before timestamptz)
    where c.tenant_id = :tenant and c.id = r.id and c.last_seen_at < r.before
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
