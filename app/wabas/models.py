"""A tenant's WhatsApp Business Accounts, their phone numbers, and the credit line shared with them."""

from __future__ import annotations

import datetime as dt
import re
import secrets
import uuid
from collections.abc import Iterable, Sequence
from typing import Any, Self, TypeVar

from sqlalchemy import Select, UniqueConstraint, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.extensions import vault
from app.meta.codes.explanation import N_
from app.meta.events import AccountUpdate
from app.tenancy import (
    TenantModel,
    announce,
    belongs_to,
    current_tenant_id,
    db,
    now,
    of_tenant,
    one_of,
    uuid7,
)
from app.tenancy.models import PhoneNumberRoute, WabaRoute

READ_RECEIPTS = ("always", "on_reply", "never")
PHONE_NUMBER_STATES = ("connecting", "connected", "paused", "disconnected")

# Meta takes ten registrations of a number in 72 hours, then none for another 72.
REGISTRATIONS, REGISTRATION_WINDOW = 10, dt.timedelta(hours=72)

CONNECT_AGAIN = N_("Connect this number with Facebook again. Waiting messages are kept and go out afterwards.")
# What ends our access to a WABA, in words. Receiving is never stopped here: what still comes in is shown.
ENDINGS = {
    "PARTNER_REMOVED": N_("Your business has stopped sharing this number with us, so nothing can be sent."),
    "PARTNER_APP_UNINSTALLED": N_("Your business has removed our access to this number."),
    "ACCOUNT_OFFBOARDED": N_("This number has left WhatsApp Business Platform."),
    "ACCOUNT_DELETED": N_("This WhatsApp Business Account was deleted at Meta."),
}


Route = TypeVar("Route", WabaRoute, PhoneNumberRoute)


class OwnedElsewhere(Exception):
    """Another tenant has connected this WABA or number."""


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
    phone_numbers: Mapped[list[PhoneNumber]] = relationship(viewonly=True, order_by="PhoneNumber.created_at")

    @classmethod
    def claim(cls, meta_id: str) -> Self:
        """The tenant's WABA with this id, made where there is none. Raises `OwnedElsewhere`."""
        take_route(WabaRoute, meta_id)
        waba = cls.with_meta_id(meta_id) or cls(meta_id=meta_id)
        db.session.add(waba)
        db.session.flush()
        return waba

    @classmethod
    def with_meta_id(cls, meta_id: str) -> Self | None:
        return db.session.scalar(select(cls).where(cls.meta_id == meta_id))

    @classmethod
    def in_order(cls) -> Select[Self]:
        return select(cls).order_by(cls.created_at, cls.id)

    @property
    def token(self) -> str:
        """The business token. Raises `Undecryptable` when no key opens it."""
        assert self.token_ciphertext is not None
        return vault.decrypt(self.token_ciphertext, self.place("token"))

    @token.setter
    def token(self, value: str) -> None:
        self.token_ciphertext = vault.encrypt(value, self.place("token"))

    def apply(self, update: AccountUpdate) -> None:
        """What Meta says about the account. Where our access ended, sending pauses with the reason."""
        if reason := ENDINGS.get(update.event):
            for number in self.numbers_meant(update):
                number.end(reason, at=update.timestamp)

    def numbers_meant(self, update: AccountUpdate) -> list[PhoneNumber]:
        """All of them, unless the update names one (a number shared with the WhatsApp Business app)."""
        named = digits(str(update.value.get("phone_number") or ""))
        return [number for number in self.phone_numbers if not named or digits(number.display_number) == named]


class PhoneNumber(TenantModel):
    """A business phone number. Meta's own id is `meta_id`."""

    __table_args__ = (
        UniqueConstraint("tenant_id", "meta_id"),
        belongs_to("wabas", "waba_id"),
        one_of("state", PHONE_NUMBER_STATES),
        one_of("read_receipts", READ_RECEIPTS),
        belongs_to("teams", "team_id", ondelete="SET NULL (team_id)"),
    )

    waba_id: Mapped[uuid.UUID]
    meta_id: Mapped[str]
    display_number: Mapped[str]
    verified_name: Mapped[str] = mapped_column(default="")
    quality_rating: Mapped[str] = mapped_column(default="UNKNOWN")
    state: Mapped[str] = mapped_column(default="connecting")
    pause_reason: Mapped[str] = mapped_column(default="")
    pause_fix: Mapped[str] = mapped_column(default="")
    messages_per_second: Mapped[int] = mapped_column(default=80)
    sending_tat: Mapped[dt.datetime] = mapped_column(default=now)
    campaigns_tat: Mapped[dt.datetime] = mapped_column(default=now, server_default=func.now())
    messaging_limit: Mapped[str] = mapped_column(default="", server_default="")
    slowdown: Mapped[float] = mapped_column(default=1.0)
    slowed_at: Mapped[dt.datetime] = mapped_column(default=now)
    pin_ciphertext: Mapped[bytes | None]
    probed_at: Mapped[dt.datetime | None]
    registrations: Mapped[list[str]] = mapped_column(default=list)
    connected_at: Mapped[dt.datetime | None]
    hello_seen_at: Mapped[dt.datetime | None]
    history_percent: Mapped[int | None]
    history_refusal: Mapped[str] = mapped_column(default="", server_default="")
    # Which team's queue what comes in here stands in.
    team_id: Mapped[uuid.UUID | None]
    # When customers see blue ticks: once a person has opened what they wrote, once it is answered, or never.
    read_receipts: Mapped[str] = mapped_column(default="always", server_default="always")
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    waba: Mapped[Waba] = relationship(viewonly=True, lazy="select")

    @classmethod
    def claim(cls, waba: Waba, meta_id: str, display_number: str) -> Self:
        """The tenant's number with this id, made where there is none. Raises `OwnedElsewhere`."""
        route = take_route(PhoneNumberRoute, meta_id, phone_number_id=uuid7())
        number = cls.with_meta_id(meta_id) or cls(id=route.phone_number_id, meta_id=meta_id)
        number.waba_id, number.display_number = waba.id, display_number
        db.session.add(number)
        db.session.flush()
        return number

    @classmethod
    def with_meta_id(cls, meta_id: str) -> Self | None:
        return db.session.scalar(select(cls).where(cls.meta_id == meta_id))

    @property
    def pin(self) -> str | None:
        """The six digits of two-step verification that `register` needs again."""
        if self.pin_ciphertext is None:
            return None
        return vault.decrypt(self.pin_ciphertext, self.place("pin"))

    @pin.setter
    def pin(self, value: str) -> None:
        self.pin_ciphertext = vault.encrypt(value, self.place("pin"))

    def choose_pin(self) -> str:
        """The PIN to register with: the one it has, else a new one by chance."""
        if self.pin is None:
            self.pin = f"{secrets.randbelow(1_000_000):06}"
        assert self.pin is not None
        return self.pin

    def count_registration(self) -> bool:
        """Whether Meta would still take a registration; if so, this one counts."""
        since = (now() - REGISTRATION_WINDOW).isoformat()
        recent = [moment for moment in self.registrations if moment > since]
        if len(recent) >= REGISTRATIONS:
            return False
        self.registrations = [*recent, now().isoformat()]
        return True

    @property
    def is_connected(self) -> bool:
        return self.state == "connected"

    @property
    def takes_messages(self) -> bool:
        """Whether agents may write: what they write while sending is paused waits."""
        return self.state in ("connected", "paused")

    @property
    def wa_me(self) -> str:
        """The address that opens a chat with this number on a customer's phone."""
        return f"https://wa.me/{digits(self.display_number)}"

    def connect(self) -> None:
        """It can send and receive; a pause is over."""
        self.state, self.pause_reason, self.pause_fix, self.probed_at = "connected", "", "", None
        self.connected_at = now()
        announce("number", self.id)

    def pause(self, reason: str, fix: str) -> None:
        """Nothing is sent until the connection is repaired; waiting messages wait. Receiving goes on."""
        if self.state in ("connected", "paused"):
            self.state, self.pause_reason, self.pause_fix = "paused", reason, fix
            self.probed_at = self.probed_at or now()
            announce("number", self.id)

    def resume(self) -> None:
        """What stopped it is mended: what waits goes out."""
        if self.state == "paused":
            self.state, self.pause_reason, self.pause_fix, self.probed_at = "connected", "", "", None
            announce("number", self.id)

    def end(self, reason: str, at: dt.datetime) -> None:
        """Our access ended at that moment. News from before it was connected (again) changes nothing."""
        if self.connected_at and at > self.connected_at:
            self.pause(reason, CONNECT_AGAIN)

    def greet(self) -> None:
        """A message has come in. The first one proves that the connection works from end to end."""
        if self.hello_seen_at is None:
            self.hello_seen_at = now()
            announce("number", self.id)

    def note_history(self, percent: int | None, refusal: str) -> None:
        """How much of its older messages has come from the phone. Chunks come in any order."""
        if percent is not None:
            self.history_percent = max(percent, self.history_percent or 0)
        self.history_refusal = refusal if percent is None else ""
        announce("number", self.id)


class CreditLineShare(TenantModel):
    """The platform's credit line as shared with a WABA's owner; `allocation_config_id` revokes it."""

    __table_args__ = (belongs_to("wabas", "waba_id"), UniqueConstraint("tenant_id", "waba_id"))

    waba_id: Mapped[uuid.UUID]
    credit_line_id: Mapped[str]
    allocation_config_id: Mapped[str]
    currency: Mapped[str]
    verified_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=now)

    @classmethod
    def of(cls, waba: Waba) -> Self | None:
        return db.session.scalar(select(cls).where(cls.waba_id == waba.id))

    @classmethod
    def record(cls, waba: Waba, credit_line_id: str, allocation_config_id: str, currency: str) -> Self:
        """Meta has shared the line with this WABA's owner."""
        share = cls.of(waba) or cls(waba_id=waba.id, credit_line_id=credit_line_id)
        share.credit_line_id, share.allocation_config_id = credit_line_id, allocation_config_id
        share.currency = currency
        db.session.add(share)
        db.session.flush()
        return share


def take_route(kind: type[Route], meta_id: str, **more: Any) -> Route:
    """Makes the tenant the owner, unless another one is. Who tries at the same time waits at the key."""
    tenant_id = current_tenant_id()
    if (route := db.session.get(kind, meta_id)) is None:
        try:
            with db.session.begin_nested():
                route = kind(meta_id=meta_id, tenant_id=tenant_id, **more)
                db.session.add(route)
        except IntegrityError:
            route = db.session.get_one(kind, meta_id)
    if route.tenant_id != tenant_id:
        raise OwnedElsewhere(meta_id)
    return route


def digits(number: str) -> str:
    return re.sub(r"\D", "", number)


def numbers_by_meta_id(meta_ids: Iterable[str]) -> dict[str, PhoneNumber]:
    """The current tenant's phone numbers among these, by Meta's id."""
    found = db.session.scalars(select(PhoneNumber).where(PhoneNumber.meta_id.in_(list(meta_ids))))
    return {number.meta_id: number for number in found}


def apply_account_updates(updates: Sequence[AccountUpdate]) -> None:
    """What Meta says about the current tenant's WABAs, in order."""
    for update in updates:
        if update.waba_id and (waba := Waba.with_meta_id(update.waba_id)):
            waba.apply(update)
