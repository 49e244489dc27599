"""A tenant's WhatsApp Business Accounts, their phone numbers, and the credit line shared with them."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.extensions import vault
from app.tenancy import TenantModel, belongs_to, now, of_tenant, one_of

PHONE_NUMBER_STATES = ("connecting", "connected", "paused", "disconnected")


class Waba(TenantModel):
    """A WhatsApp Business Account. Meta's own id is `meta_id`."""

    __table_args__ = (of_tenant(), UniqueConstraint("tenant_id", "meta_id"))

    meta_id: Mapped[str]
    name: Mapped[str] = mapped_column(default="")
    owner_business_id: Mapped[str] = mapped_column(default="")
    currency: Mapped[str] = mapped_column(default="")
    token_ciphertext: Mapped[bytes | None]
    token_expires_at: Mapped[dt.datetime | None]
    subscribed_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)

    @property
    def token(self) -> str:
        """The business token. Raises `Undecryptable` when no key opens it."""
        assert self.token_ciphertext is not None
        return vault.decrypt(self.token_ciphertext, self.place("token"))

    @token.setter
    def token(self, value: str) -> None:
        self.token_ciphertext = vault.encrypt(value, self.place("token"))


class PhoneNumber(TenantModel):
    """A business phone number. Meta's own id is `meta_id`."""

    __table_args__ = (
        UniqueConstraint("tenant_id", "meta_id"),
        belongs_to("wabas", "waba_id"),
        one_of("state", PHONE_NUMBER_STATES),
    )

    waba_id: Mapped[uuid.UUID]
    meta_id: Mapped[str]
    display_number: Mapped[str]
    verified_name: Mapped[str] = mapped_column(default="")
    quality_rating: Mapped[str] = mapped_column(default="UNKNOWN")
    state: Mapped[str] = mapped_column(default="connecting")
    pause_reason: Mapped[str] = mapped_column(default="")
    pin_ciphertext: Mapped[bytes | None]
    connected_at: Mapped[dt.datetime | None]
    hello_seen_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    waba: Mapped[Waba] = relationship(viewonly=True, lazy="select")

    @property
    def pin(self) -> str | None:
        """The six digits of two-step verification that `register` needs again."""
        return self.pin_ciphertext and vault.decrypt(self.pin_ciphertext, self.place("pin"))

    @pin.setter
    def pin(self, value: str) -> None:
        self.pin_ciphertext = vault.encrypt(value, self.place("pin"))

    @property
    def is_connected(self) -> bool:
        return self.state == "connected"


class CreditLineShare(TenantModel):
    """The platform's credit line as shared with a WABA's owner; `allocation_config_id` revokes it."""

    __table_args__ = (belongs_to("wabas", "waba_id"), UniqueConstraint("tenant_id", "waba_id"))

    waba_id: Mapped[uuid.UUID]
    credit_line_id: Mapped[str]
    allocation_config_id: Mapped[str]
    currency: Mapped[str]
    verified_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
