"""The people who write to a tenant. A contact is recognised by its identities, never by a phone column."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Self

from sqlalchemy import Index, Text, UniqueConstraint, false, select, text
from sqlalchemy.orm import Mapped, mapped_column, relationship, selectinload
from sqlalchemy.orm.attributes import set_committed_value

from app.meta.spellings import other_spellings
from app.meta.written_numbers import formatted
from app.tenancy import (
    Actor,
    TenantModel,
    among,
    belongs_to,
    current_tenant_id,
    db,
    happened,
    later,
    now,
    of_tenant,
    one_of,
    uuid7,
)

from . import search
from .names import plain
from .records import ContactEvent
from .tags import Tag

# Merged and erased contacts stay as rows, and are listed nowhere.
IS_LISTED = "merged_into_id is null and erased_at is null"
NEVER = dt.datetime.fromtimestamp(0, dt.UTC)
# Before a first name: Dr. Ana, Mr Smith.
HONORIFICS = {
    "dr",
    "prof",
    "mr",
    "mrs",
    "ms",
    "miss",
    "herr",
    "frau",
    "sr",
    "sra",
    "srta",
    "mme",
    "m",
    "sig",
    "ing",
    "dipl",
}

# `external_id` is the business's own, of its shop or CRM; the others are WhatsApp's.
IDENTITY_KINDS = ("wa_id", "bsuid", "parent_bsuid", "username", "group", "external_id")

# Contacts are found by their identities before they are made, so only one may look and make at a time. The drain holds
# this lock while it writes for a tenant; whoever makes, merges or erases contacts by hand takes it first.
LOCK = text("select pg_advisory_xact_lock(hashtextextended('drain', 0) # hashtextextended(:tenant, 0))")
# Takes the free locks of the first `most` of these tenants, without waiting.
LOCK_FREE = text("""
    select t.id from unnest(cast(:tenants as text[])) with ordinality t(id, place)
    where pg_try_advisory_xact_lock(hashtextextended('drain', 0) # hashtextextended(t.id, 0)) limit :most
""")


def lock_contacts() -> None:
    """Locks the creation of contacts of this tenant, by imports and arriving messages, until the transaction ends."""
    db.session.execute(LOCK, {"tenant": str(current_tenant_id())})
    # What arrives meanwhile does not wait for this lock.
    later("webhooks.drain")


def lock_free(tenants: Sequence[str], most: int) -> list[str]:
    """Locks the creation of contacts of those tenants that are free, until the transaction ends. Returns them."""
    return list(db.session.scalars(LOCK_FREE, {"tenants": list(tenants), "most": most}))


class NumberTaken(Exception):
    """Another contact has this phone number, in this spelling or another, or this identity."""

    def __init__(self, contact: Contact) -> None:
        super().__init__(contact.id)
        self.contact = contact


class Contact(TenantModel):
    __table_args__ = (
        of_tenant(),
        belongs_to("contacts", "merged_into_id"),
        Index("ix_contacts_sort_name", "tenant_id", "sort_name", "id", postgresql_where=text(IS_LISTED)),
        Index(
            "ix_contacts_last_seen",
            "tenant_id",
            text("last_seen_at desc"),
            text("id desc"),
            postgresql_where=text(IS_LISTED),
        ),
        Index("ix_contacts_terms_version", "tenant_id", "id", postgresql_where=text(search.OUTDATED)),
    )

    name: Mapped[str] = mapped_column(default="")
    # Whether the business chose the name, in its address book or here; then the customer's own profile name is ignored.
    name_is_saved: Mapped[bool] = mapped_column(default=False, server_default=false())
    # The contact that this one was merged into.
    merged_into_id: Mapped[uuid.UUID | None]
    erased_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    # When they last wrote to one of the numbers.
    last_seen_at: Mapped[dt.datetime] = mapped_column(default=NEVER, server_default=text("to_timestamp(0)"))
    # The folded name, and which version of `search` wrote it and the terms.
    sort_name: Mapped[str] = mapped_column(Text(collation="C"), default="", server_default="")
    terms_version: Mapped[int] = mapped_column(default=0, server_default="0")
    identities: Mapped[list[ContactIdentity]] = relationship(
        viewonly=True, order_by="ContactIdentity.created_at, ContactIdentity.id"
    )
    tags: Mapped[list[Tag]] = relationship(viewonly=True, secondary="contact_tags", order_by=(Tag.position, Tag.name))

    @classmethod
    def find(cls, id: object) -> Self | None:
        """Follows merges: the id of a merged contact finds the one that stays."""
        contact = super().find(id)
        return cls.find(contact.merged_into_id) if contact and contact.merged_into_id else contact

    @property
    def persons(self) -> list[Self]:
        """The contact, and all that were merged into it, directly or not."""
        everyone, fresh = [self], [self]
        while fresh:
            into = select(type(self)).where(Contact.merged_into_id.in_([each.id for each in fresh]))
            fresh = list(db.session.scalars(into))
            everyone += fresh
        return everyone

    @classmethod
    def with_number(cls, wa_id: str) -> Self | None:
        """The contact with this number, in whatever spelling."""
        spellings = [wa_id, *other_spellings(wa_id)]
        matching = select(ContactIdentity.contact_id).where(
            ContactIdentity.kind == "wa_id", ContactIdentity.value.in_(spellings)
        )
        return db.session.scalar(select(cls).where(cls.id.in_(matching)).limit(1))

    @classmethod
    def with_identity(cls, kind: str, value: str) -> Self | None:
        """The contact with this identity; of a number, in whatever spelling."""
        if kind == "wa_id":
            return cls.with_number(value)
        matching = ContactIdentity.kind == kind, ContactIdentity.value == value
        return cls.find(db.session.scalar(select(ContactIdentity.contact_id).where(*matching)))

    @classmethod
    def create(cls, name: str, value: str, *, kind: str = "wa_id", by: Actor) -> Self:
        """Adds a contact by hand, known by a number or by another identity. Raises `NumberTaken`."""
        lock_contacts()
        if (taken := cls.with_identity(kind, value)) is not None:
            raise NumberTaken(taken)
        shown = formatted(value) if kind == "wa_id" else ""
        contact = cls(id=uuid7(), name=plain(name) or shown, name_is_saved=bool(plain(name)))
        db.session.add(contact)
        db.session.flush()
        db.session.add(ContactIdentity(contact_id=contact.id, kind=kind, value=value))
        ContactEvent.record(contact.id, "created", by=by)
        happened("contact.created", contact.id, by=by, source=by.source)
        search.index([contact.id])
        return contact

    def identify(self, kind: str, value: str) -> None:
        """Adds an identity; called with `lock_contacts`. Raises `NumberTaken` where another contact has it.

        Of the business's own ids the one that was given last counts, also where it had been given before.
        """
        taken = type(self).with_identity(kind, value)
        if taken is None:
            db.session.add(ContactIdentity(contact_id=self.id, kind=kind, value=value))
            db.session.flush()
            db.session.expire(self, ["identities"])
            search.index([self.id])
        elif taken.id != self.id:
            raise NumberTaken(taken)
        elif kind == "external_id" and self.identity(kind) != value:
            next(one for one in self.identities if (one.kind, one.value) == (kind, value)).created_at = now()
            db.session.flush()
            db.session.expire(self, ["identities"])

    def rename(self, name: str, *, by: Actor) -> None:
        """Saves a name of the business's choice; the contact's own profile name no longer changes it."""
        if name != self.name or not self.name_is_saved:
            ContactEvent.record(self.id, "renamed", by=by, before=self.name, after=name)
            self.name, self.name_is_saved = name, True
            search.index([self.id])

    @classmethod
    def matching(cls, query: str, limit: int = 20) -> list[Self]:
        """The contacts that a search finds, best first, whether or not they ever had a conversation."""
        ids = [place.id for place in search.find(query, limit)]
        rows = db.session.scalars(select(cls).where(cls.id.in_(ids)).options(selectinload(cls.identities)))
        by_id = {contact.id: contact for contact in rows} if ids else {}
        return [by_id[id] for id in ids if id in by_id]

    def tag(self, name: str, *, by: Actor) -> None:
        Tag.get_or_make(name).put_on(self.id, by=by)
        db.session.expire(self, ["tags"])

    def identity(self, kind: str) -> str | None:
        return next((identity.value for identity in reversed(self.identities) if identity.kind == kind), None)

    @property
    def phone(self) -> str | None:
        """The number as people write it; None where WhatsApp hides it."""
        wa_id = self.identity("wa_id")
        return wa_id and formatted(wa_id)

    @property
    def phones(self) -> list[str]:
        """Every number they have had, the current one first."""
        return [formatted(identity.value) for identity in reversed(self.identities) if identity.kind == "wa_id"]

    @property
    def username(self) -> str | None:
        return self.identity("username")

    @property
    def has_name(self) -> bool:
        """Whether the name is one, and not the number or username that is shown where there is none."""
        name = self.name.strip()
        is_number = not any(map(str.isalpha, name)) and any(map(str.isdecimal, name))
        return bool(name) and not is_number and name.lstrip("@") != self.username

    @property
    def first_name(self) -> str | None:
        """What to call them in a message; None where there is only a number or a username."""
        if not self.has_name:
            return None
        # “Mendes, Carla” is how address books write it.
        family, comma, given = self.name.partition(",")
        words = (given if comma and given.strip() else family).split()
        named = [word for word in words if any(map(str.isalpha, word))]
        chosen = next((word for word in named if word.strip(".").casefold() not in HONORIFICS), None)
        return chosen.strip(",;:") if chosen else None

    @property
    def seen_at(self) -> dt.datetime | None:
        """When they last wrote; None where they never did."""
        return self.last_seen_at if self.last_seen_at and self.last_seen_at > NEVER else None

    @property
    def hides_number(self) -> bool:
        """Whether WhatsApp hides the number: we can reply, and ask for it."""
        return self.identity("wa_id") is None and self.identity("bsuid") is not None

    @property
    def is_erased(self) -> bool:
        return self.erased_at is not None

    @property
    def initials(self) -> str:
        words = [word for word in self.name.split() if word[:1].isalpha()]
        return "".join(word[0] for word in words[:2]).upper()


class ContactIdentity(TenantModel):
    """One id by which WhatsApp (meta: business-scoped user IDs) or the business names a contact. Latest last."""

    __tablename__ = "contact_identities"
    __table_args__ = (
        UniqueConstraint("tenant_id", "kind", "value"),
        belongs_to("contacts", "contact_id", ondelete="CASCADE"),
        one_of("kind", IDENTITY_KINDS),
        Index("ix_contact_identities_contact", "tenant_id", "contact_id"),
    )

    contact_id: Mapped[uuid.UUID]
    kind: Mapped[str]
    value: Mapped[str]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)


def load_identities(contacts: Sequence[Contact]) -> None:
    """Reads the identities of these contacts at once, by their ids alone (`selectinload` compares whole keys)."""
    mine: dict[uuid.UUID, list[ContactIdentity]] = {contact.id: [] for contact in contacts}
    query = select(ContactIdentity).where(among(ContactIdentity.contact_id, mine))
    for identity in db.session.scalars(query.order_by(ContactIdentity.created_at, ContactIdentity.id)):
        mine[identity.contact_id].append(identity)
    for contact in contacts:
        set_committed_value(contact, "identities", mine[contact.id])
