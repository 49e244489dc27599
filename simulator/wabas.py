from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from simulator import businesses, foreign_lines, ids, phone_numbers
from simulator.allocations import Allocation
from simulator.dialing import country_of
from simulator.record import Record

if TYPE_CHECKING:
    from simulator.phone_numbers import PhoneNumber


@dataclass
class Waba(Record):
    """A WhatsApp Business Account."""

    table: ClassVar[str] = "wabas"

    business_id: str
    name: str
    country: str
    currency: str
    timezone_id: str
    namespace: str
    status: str
    account_review_status: str
    allocation_id: str | None
    shared_at: float | None
    created_at: float

    @property
    def business(self) -> "businesses.Business":
        return businesses.Business.where(self.world, "id = ?", self.business_id)[0]

    @property
    def phone_numbers(self) -> list["PhoneNumber"]:
        return phone_numbers.PhoneNumber.where(self.world, "waba_id = ? order by created_at", self.id)

    @property
    def credit(self) -> Allocation | None:
        allocation = Allocation.find(self.world, self.allocation_id)
        return allocation if allocation and allocation.active and foreign_lines.has_ended(self) else None

    def add_number(self, digits: str, verified_name: str, verified: bool = False) -> "PhoneNumber":
        return phone_numbers.PhoneNumber.create(
            self.world,
            id=ids.object_id(),
            waba_id=self.id,
            digits=digits,
            country=country_of(digits),
            verified_name=verified_name,
            code_verification_status="VERIFIED" if verified else "NOT_VERIFIED",
            created_at=self.world.clock.now(),
        )

    def share_with_partner(self) -> None:
        """Every visit to the signup dialog shares again and is announced again."""
        self.update(shared_at=self.world.clock.now())
        self.world.webhooks.partner_added(self)

    def attach_credit(self, allocation: Allocation, currency: str) -> None:
        self.update(allocation_id=allocation.id, currency=currency)

    @property
    def subscribed(self) -> bool:
        return self.world.store.row("select 1 from subscriptions where waba_id = ?", self.id) is not None

    @property
    def override_callback_uri(self) -> str | None:
        sql = "select override_callback_uri from subscriptions where waba_id = ?"
        return self.world.store.text(sql, self.id)

    def subscribe(self, override_callback_uri: str | None = None) -> None:
        self.world.store.insert(
            "subscriptions",
            replace=True,
            waba_id=self.id,
            override_callback_uri=override_callback_uri,
            created_at=self.world.clock.now(),
        )

    def unsubscribe(self) -> None:
        self.world.store.write("delete from subscriptions where waba_id = ?", self.id)
