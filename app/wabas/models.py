"""A tenant's WhatsApp Business Accounts and their phone numbers."""

from __future__ import annotations

import datetime as dt
import re
import secrets
import uuid
import zoneinfo
from collections.abc import Collection, Iterable
from typing import Any, Self

from sqlalchemy import Index, Select, UniqueConstraint, false, func, select, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.extensions import settings
from app.meta import phone_numbers, wabas
from app.meta.health import Health
from app.meta.time_zones import name_of
from app.tenancy import announce, belongs_to, db, happened, later, now, of_tenant, one_of, uuid7
from app.tenancy.limits import one_at_a_time, refuse_over
from app.tenancy.models import PhoneNumberRoute, WabaRoute
from app.tenancy.sealed import Sealed
from app.words import N_
from app.zones import UTC, find_zone

from .changes import NumberChange
from .deadlines import Deadline
from .overrides import foreign_callback, host_of
from .routes import AtMeta, take_route

# Days before the end of a token at which its owner is warned.
WARNED_AT = (14, 7, 3, 1)
# Meta takes a number's registration this long after the sign-up; then the sign-up has to be repeated.
REGISTER_WITHIN, REGISTER_WARNED_AT = dt.timedelta(days=14), (7, 3, 1)
PHONE_NUMBER_STATES = ("connecting", "connected", "paused", "disconnected")
# Those that count towards the limit of a plan.
COUNTED = ("connected", "paused")

# Meta takes ten registrations of a number in 72 hours, then none for another 72.
REGISTRATIONS, REGISTRATION_WINDOW = 10, dt.timedelta(hours=72)

CONNECT_AGAIN = N_("Connect this number with Facebook again. Waiting messages are sent afterwards.")
DISABLED = N_("Meta has disabled this WhatsApp account.")
APPEAL = N_("Read Meta's reason in Business Support Home, in WhatsApp Manager, and request a review there.")


class Waba(AtMeta):
    """A WhatsApp Business Account. Meta's own id is `meta_id`."""

    __table_args__ = (of_tenant(), UniqueConstraint("tenant_id", "meta_id"))

    name: Mapped[str] = mapped_column(default="")
    owner_business_id: Mapped[str] = mapped_column(default="")
    currency: Mapped[str] = mapped_column(default="")
    # In which Meta's days and months begin, and prices change; "" where Meta has not said it.
    time_zone: Mapped[str] = mapped_column(default="", server_default="")
    token = Sealed()
    token_ciphertext: Mapped[bytes | None]
    token_expires_at: Mapped[dt.datetime | None]
    token_user_id: Mapped[str] = mapped_column(default="", server_default="")
    token_warned_days: Mapped[int | None]
    subscribed_at: Mapped[dt.datetime | None]
    # Another server to which Meta sends the account's webhooks instead of ours.
    callback_override: Mapped[str] = mapped_column(default="", server_default="")
    status: Mapped[str] = mapped_column(default="", server_default="")
    review_status: Mapped[str] = mapped_column(default="", server_default="")
    verification_status: Mapped[str] = mapped_column(default="", server_default="")
    checked_at: Mapped[dt.datetime | None]
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
    def in_order(cls) -> Select[Self]:
        return select(cls).order_by(cls.created_at, cls.id)

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        """UTC where Meta has not said its own."""
        return find_zone(self.time_zone) or UTC

    @property
    def is_left(self) -> bool:
        """Whether all its numbers were disconnected on purpose."""
        return all(number.state == "disconnected" for number in self.phone_numbers)

    @property
    def access_ends(self) -> Deadline:
        """When Facebook access expires."""
        return Deadline(self.token_expires_at, WARNED_AT, self.token_warned_days)

    @property
    def days_left(self) -> int | None:
        return self.access_ends.days_left

    def renew(self, token: str, expires_at: dt.datetime | None, user_id: str | None) -> None:
        """Replaces the token by one that Meta has just confirmed."""
        self.token, self.token_expires_at, self.token_warned_days = token, expires_at, None
        self.token_user_id = user_id or ""

    def update_from(self, seen: wabas.Waba) -> None:
        """Stores what Meta says of it at this moment."""
        self.name = seen.name or self.name
        self.owner_business_id = seen.owner_business_id or self.owner_business_id
        if seen.currency and seen.currency != self.currency:
            self.currency = seen.currency
            later("outbound.release_unfunded")
        self.time_zone = name_of(seen.timezone_id) or self.time_zone
        self.status, self.review_status = seen.status or "", seen.account_review_status or ""
        self.verification_status = seen.business_verification_status or ""
        self.checked_at = now()

    @classmethod
    def lock(cls, ids: Collection[uuid.UUID]) -> None:
        """Locks accounts, then their numbers, each by id: the one order in which both are written in one transaction.

        Blocks no foreign key's check. Without it a drain and a check of the same account deadlock.
        """
        accounts = select(cls.id).where(cls.id.in_(ids)).order_by(cls.id)
        numbers = select(PhoneNumber.id).where(PhoneNumber.waba_id.in_(ids)).order_by(PhoneNumber.id)
        for query in (accounts, numbers):
            db.session.execute(query.with_for_update(key_share=True)).all()

    def check_later(self) -> None:
        """Enqueues a refresh from Meta: a webhook says that something changed, Meta says what is so.

        Until it is done the account counts as never checked: a refresh that is lost or dies runs again in a minute.
        """
        self.checked_at = None
        later("wabas.check", self.id)


class PhoneNumber(AtMeta):
    """A business phone number. Meta's own id is `meta_id`."""

    __table_args__ = (
        UniqueConstraint("tenant_id", "meta_id"),
        belongs_to("wabas", "waba_id"),
        one_of("state", PHONE_NUMBER_STATES),
        Index("ix_phone_numbers_to_register", "register_by", postgresql_where=text("register_by is not null")),
    )

    waba_id: Mapped[uuid.UUID]
    display_number: Mapped[str]
    verified_name: Mapped[str] = mapped_column(default="")
    quality_rating: Mapped[str] = mapped_column(default="UNKNOWN")
    state: Mapped[str] = mapped_column(default="connecting")
    pause_reason: Mapped[str] = mapped_column(default="")
    pause_fix: Mapped[str] = mapped_column(default="")
    # While sending is paused: whether Meta has been seen to send us what customers write all the same.
    receives: Mapped[bool] = mapped_column(default=False, server_default=false())
    callback_override: Mapped[str] = mapped_column(default="", server_default="")
    status: Mapped[str] = mapped_column(default="", server_default="")
    name_status: Mapped[str] = mapped_column(default="", server_default="")
    requested_name: Mapped[str] = mapped_column(default="", server_default="")
    messaging_limit: Mapped[str] = mapped_column(default="", server_default="")
    throughput: Mapped[str] = mapped_column(default="", server_default="")
    username: Mapped[str] = mapped_column(default="", server_default="")
    is_on_biz_app: Mapped[bool] = mapped_column(default=False, server_default=false())
    can_send: Mapped[str] = mapped_column(default="", server_default="")
    health: Mapped[list[dict[str, Any]]] = mapped_column(default=list, server_default="[]")
    pin = Sealed()
    pin_ciphertext: Mapped[bytes | None]
    probed_at: Mapped[dt.datetime | None]
    registrations: Mapped[list[str]] = mapped_column(default=list)
    # Null once it is registered, and where no sign-up of Facebook's set the clock.
    register_by: Mapped[dt.datetime | None]
    register_warned_days: Mapped[int | None]
    connected_at: Mapped[dt.datetime | None]
    hello_seen_at: Mapped[dt.datetime | None]
    # As the profile page saw it last: the profile is stored at Meta.
    has_photo: Mapped[bool] = mapped_column(default=False, server_default=false())
    history_percent: Mapped[int | None]
    history_refusal: Mapped[str] = mapped_column(default="", server_default="")
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    waba: Mapped[Waba] = relationship(viewonly=True, lazy="select")

    @classmethod
    def claim(cls, waba: Waba, meta_id: str, display_number: str) -> Self:
        """The tenant's number with this id, made where there is none. Raises `OwnedElsewhere`, `OverLimit`."""
        route = take_route(PhoneNumberRoute, meta_id, phone_number_id=uuid7())
        number = cls.with_meta_id(meta_id) or cls(id=route.phone_number_id, meta_id=meta_id)
        number.refuse_over_limit()
        number.waba_id, number.display_number = waba.id, display_number
        db.session.add(number)
        db.session.flush()
        return number

    @classmethod
    def counted(cls) -> Select[int]:
        """How many numbers count towards the limit of a plan."""
        return select(func.count()).select_from(cls).where(cls.state.in_(COUNTED))

    def refuse_over_limit(self) -> None:
        """Raises `OverLimit` where this would be one number too many. One that is connected already stays."""
        if self.state not in COUNTED:
            one_at_a_time("numbers")
            refuse_over("numbers", (db.session.scalar(self.counted()) or 0) + 1)

    def choose_pin(self) -> str:
        """The PIN to register with: the stored one, else a new random one."""
        if self.pin is None:
            self.pin = f"{secrets.randbelow(1_000_000):06}"
        return str(self.pin)

    def expect_registration(self, signed_up_at: dt.datetime | None, *, is_registered: bool) -> None:
        """Starts the two weeks in which Meta accepts its registration, at the end of the Facebook sign-up."""
        waits = signed_up_at is not None and not is_registered
        self.register_by = signed_up_at + REGISTER_WITHIN if signed_up_at and waits else None
        self.register_warned_days = None

    @property
    def registration_ends(self) -> Deadline:
        return Deadline(self.register_by, REGISTER_WARNED_AT, self.register_warned_days)

    def count_registration(self) -> bool:
        """Counts a registration; False where Meta would accept no more for now."""
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
        """Whether agents may write: messages written while sending is paused wait."""
        return self.state in ("connected", "paused")

    @property
    def other_server(self) -> str:
        """The server that gets this number's messages instead of ours; "" where they reach us."""
        override = self.callback_override or self.waba.callback_override
        return host_of(override) if override else ""

    @property
    def is_heard(self) -> bool:
        """Whether Meta sends us what customers write to it, as far as we have looked."""
        return bool(self.waba.subscribed_at or not self.waba.checked_at) and not self.other_server

    @property
    def wa_me(self) -> str:
        """The address that opens a chat with this number on a customer's phone."""
        return f"{settings.whatsapp_link_url}/{digits(self.display_number)}"

    @property
    def hello_link(self) -> str:
        """The same with the first message already written."""
        return f"{self.wa_me}?text=hello"

    def connect(self) -> None:
        """Marks it as able to send and receive; ends a pause. Raises `OverLimit`."""
        self.refuse_over_limit()
        self.state, self.pause_reason, self.pause_fix, self.probed_at = "connected", "", "", None
        self.connected_at, self.register_by = now(), None
        announce("number", self.id)
        happened("number.connected", self.id)

    def pause(self, reason: str, fix: str, *, receives: bool = False) -> None:
        """Stops sending until the cause is gone; waiting messages wait. `receives` says that messages still arrive."""
        if self.state in ("connected", "paused"):
            if self.state == "connected":
                happened("number.paused", self.id)
            self.state, self.pause_reason, self.pause_fix, self.receives = "paused", reason, fix, receives
            self.probed_at = self.probed_at or now()
            announce("number", self.id)

    def resume(self) -> None:
        """Ends a pause; waiting messages are sent."""
        if self.state == "paused":
            self.state, self.pause_reason, self.pause_fix, self.probed_at = "connected", "", "", None
            announce("number", self.id)
            happened("number.resumed", self.id)

    def end(self, reason: str, at: dt.datetime, fix: str = CONNECT_AGAIN) -> None:
        """Pauses it because our access ended at that moment; ignored if it was connected (again) since."""
        if self.connected_at and at >= self.connected_at.replace(microsecond=0):
            self.pause(reason, fix)

    def disconnect(self) -> None:
        """Stops sending on purpose. Messages that still come in are shown."""
        self.state, self.pause_reason, self.pause_fix = "disconnected", "", ""
        announce("number", self.id)
        happened("number.disconnected", self.id)

    def update_from(self, seen: phone_numbers.PhoneNumber, state: Health | None = None) -> None:
        """Stores what Meta says of it at this moment; what is new becomes part of its history."""
        self.callback_override = foreign_callback(
            seen.number_override, seen.waba_override, application=seen.app_callback
        )
        self.display_number = seen.display_phone_number or self.display_number
        self.is_on_biz_app = seen.is_on_biz_app
        self.requested_name = seen.new_display_name or ""
        values: dict[str, str | None] = {
            "verified_name": seen.verified_name,
            "quality_rating": seen.quality_rating or "UNKNOWN",
            "status": seen.status,
            "name_status": seen.name_status,
            "messaging_limit": seen.messaging_limit,
            "throughput": seen.throughput_level,
            "username": seen.username,
            "can_send": state.can_send_message if state else None,
        }
        for kind, value in values.items():
            if value is not None:
                self.note(kind, value)
        if state:
            self.health = [entity.as_dict() for entity in state.entities]

    def note(self, kind: str, value: str, at: dt.datetime | None = None) -> None:
        """Stores a change of one column; a change older than the newest stored one only joins the history."""
        current = getattr(self, kind)
        if current == value:
            return
        is_newest = at is None or NumberChange.newest_at(self.id, kind) <= at
        if current or at:
            NumberChange.record(self.id, kind, current, value, at or now())
        if is_newest:
            setattr(self, kind, value)
            announce("number", self.id)
            happened("number.changed", self.id, what=kind, value=value)

    def greet(self) -> None:
        """Notes the first message received: it proves that the connection works from end to end."""
        if self.hello_seen_at is None:
            self.hello_seen_at = now()
            announce("number", self.id)

    def note_history(self, percent: int | None, refusal: str) -> None:
        """Stores how much of its history has arrived from the phone. Chunks come in any order."""
        if percent is not None:
            self.history_percent = max(percent, self.history_percent or 0)
        self.history_refusal = refusal if percent is None else ""
        announce("number", self.id)


def digits(number: str) -> str:
    return re.sub(r"\D", "", number)


def numbers_by_meta_id(meta_ids: Iterable[str]) -> dict[str, PhoneNumber]:
    """The current tenant's phone numbers among these, by Meta's id."""
    numbers = db.session.scalars(select(PhoneNumber).where(PhoneNumber.meta_id.in_(list(meta_ids))))
    return {number.meta_id: number for number in numbers}
