"""The people who write to a tenant. A contact is known by its identities, never by a phone column."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Self

import phonenumbers
from sqlalchemy import Index, UniqueConstraint, false, select, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.tenancy import (
    Actor,
    TenantModel,
    User,
    belongs_to,
    current_tenant_id,
    db,
    happened,
    now,
    of_tenant,
    one_of,
    uuid7,
)

from . import search
from .names import plain
from .records import ContactEvent
from .spellings import other_spellings
from .tags import Tag

IDENTITY_KINDS = ("wa_id", "bsuid", "parent_bsuid", "username")

# Contacts are found by their identities before they are made, so only one may look and make at a time. The drain holds
# this lock while it writes for a tenant; whoever makes, merges or erases contacts by hand takes it first.
ALONE = text("select pg_advisory_xact_lock(hashtextextended('drain', 0) # hashtextextended(:tenant, 0))")


def alone() -> None:
    """Until the transaction ends nobody else makes contacts, and no message arrives."""
    db.session.execute(ALONE, {"tenant": str(current_tenant_id())})


class NumberTaken(Exception):
    """A contact with this phone number, in this spelling or another, is here already."""

    def __init__(self, contact: Contact) -> None:
        super().__init__(contact.id)
        self.contact = contact


class Contact(TenantModel):
    __table_args__ = (
        of_tenant(),
        belongs_to("contacts", "merged_into_id"),
    )

    name: Mapped[str] = mapped_column(default="")
    # Whether the business gave the name in its own address book; then what the customer calls themselves is ignored.
    name_is_saved: Mapped[bool] = mapped_column(default=False, server_default=false())
    # The contact that this one turned out to be.
    merged_into_id: Mapped[uuid.UUID | None]
    erased_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    identities: Mapped[list[ContactIdentity]] = relationship(
        viewonly=True, order_by="ContactIdentity.created_at, ContactIdentity.id"
    )
    tags: Mapped[list[Tag]] = relationship(viewonly=True, secondary="contact_tags", order_by=(Tag.position, Tag.name))

    @classmethod
    def find(cls, id: object) -> Self | None:
        """One that was merged into another is found there."""
        found = super().find(id)
        return cls.find(found.merged_into_id) if found and found.merged_into_id else found

    @classmethod
    def with_number(cls, wa_id: str) -> Self | None:
        """Whoever has this number, in whatever spelling."""
        spellings = [wa_id, *other_spellings(wa_id)]
        known = select(ContactIdentity.contact_id).where(
            ContactIdentity.kind == "wa_id", ContactIdentity.value.in_(spellings)
        )
        return db.session.scalar(select(cls).where(cls.id.in_(known)).limit(1))

    @classmethod
    def create(cls, name: str, wa_id: str, *, by: User) -> Self:
        """A contact made by hand. Raises `NumberTaken`."""
        alone()
        if (known := cls.with_number(wa_id)) is not None:
            raise NumberTaken(known)
        contact = cls(id=uuid7(), name=plain(name) or international(wa_id), name_is_saved=bool(plain(name)))
        db.session.add(contact)
        db.session.flush()
        db.session.add(ContactIdentity(contact_id=contact.id, kind="wa_id", value=wa_id))
        ContactEvent.record(contact.id, "created", by=by)
        happened("contact.created", contact.id, by=Actor.agent(by), source="inbox")
        search.index([contact.id])
        return contact

    def rename(self, name: str, *, by: User) -> None:
        """A name the business gives; what the contact calls themselves does not change it any more."""
        if name != self.name or not self.name_is_saved:
            ContactEvent.record(self.id, "renamed", by=by, before=self.name, after=name)
            self.name, self.name_is_saved = name, True
            search.index([self.id])

    def tag(self, name: str, *, by: User) -> None:
        Tag.get_or_make(name).put_on(self.id, by=by)
        db.session.expire(self, ["tags"])

    def identity(self, kind: str) -> str | None:
        return next((known.value for known in reversed(self.identities) if known.kind == kind), None)

    @property
    def phone(self) -> str | None:
        """The number as people write it, or none where WhatsApp hides it."""
        wa_id = self.identity("wa_id")
        return wa_id and international(wa_id)

    @property
    def phones(self) -> list[str]:
        """Every number they were known by, the present one first."""
        return [international(known.value) for known in reversed(self.identities) if known.kind == "wa_id"]

    @property
    def username(self) -> str | None:
        return self.identity("username")

    @property
    def hides_number(self) -> bool:
        """Whether only WhatsApp knows the number: they can be answered, and asked for it."""
        return self.identity("wa_id") is None and self.identity("bsuid") is not None

    @property
    def is_erased(self) -> bool:
        return self.erased_at is not None

    @property
    def initials(self) -> str:
        words = [word for word in self.name.split() if word[:1].isalpha()]
        return "".join(word[0] for word in words[:2]).upper()


class ContactIdentity(TenantModel):
    """One way WhatsApp names a contact (meta: business-scoped user IDs). Latest last."""

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


def international(wa_id: str) -> str:
    try:
        number = phonenumbers.parse(f"+{wa_id}")
    except phonenumbers.NumberParseException:
        return f"+{wa_id}"
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


class NoNumber(ValueError):
    """What was typed is no phone number with its country."""


def wa_id_of(typed: str) -> str:
    """The digits of a number typed with its country's code: +1 650 555 1234, 0049 30 …, 16505551234."""
    digits = "".join(each for each in typed if each.isdecimal() and each.isascii())
    says_country = typed.strip().startswith(("+", "00"))
    digits = digits.removeprefix("00")
    try:
        number = phonenumbers.parse(f"+{digits}")
    except phonenumbers.NumberParseException:
        raise NoNumber from None
    if any(each.isalpha() for each in typed) or not phonenumbers.is_possible_number(number):
        raise NoNumber
    # Digits alone may be a number of here without its country, that looks like one of somewhere else.
    if not says_country and not any(map(is_in_use, (digits, *other_spellings(digits)))):
        raise NoNumber
    return f"{number.country_code}{phonenumbers.national_significant_number(number)}"


def is_in_use(wa_id: str) -> bool:
    return phonenumbers.is_valid_number(phonenumbers.parse(f"+{wa_id}"))
