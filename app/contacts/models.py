"""The people who write to a tenant. A contact is known by its identities, never by a phone column."""

from __future__ import annotations

import datetime as dt
import uuid

import phonenumbers
from sqlalchemy import Index, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.tenancy import TenantModel, belongs_to, now, of_tenant, one_of

IDENTITY_KINDS = ("wa_id", "bsuid", "parent_bsuid", "username")


class Contact(TenantModel):
    __table_args__ = (
        of_tenant(),
        Index(
            "ix_contacts_search",
            text("search_lexemes(tenant_id, null::timestamptz, name)"),
            postgresql_using="gin",
            postgresql_where=text("name <> ''"),
        ),
    )

    name: Mapped[str] = mapped_column(default="")
    # Whether the business gave the name in its own address book; then what the customer calls themselves is ignored.
    name_is_saved: Mapped[bool] = mapped_column(default=False, server_default=false())
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    identities: Mapped[list[ContactIdentity]] = relationship(
        viewonly=True, order_by="ContactIdentity.created_at, ContactIdentity.id"
    )

    def identity(self, kind: str) -> str | None:
        return next((known.value for known in reversed(self.identities) if known.kind == kind), None)

    @property
    def phone(self) -> str | None:
        """The number as people write it, or none where WhatsApp hides it."""
        wa_id = self.identity("wa_id")
        return wa_id and international(wa_id)

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
