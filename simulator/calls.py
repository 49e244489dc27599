"""Calls between customers and businesses, and their webhooks."""

import secrets
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from simulator.customers import Customer
from simulator.phone_numbers import PhoneNumber
from simulator.record import Record
from simulator.webhooks import payloads, publishing

Json = dict[str, Any]
INBOUND, OUTBOUND = "USER_INITIATED", "BUSINESS_INITIATED"
SDP = {
    "sdp_type": "offer",
    "sdp": "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 3484 UDP/TLS/RTP/SAVPF 111\r\n",
}


@dataclass
class Call(Record):
    """One call. `status` is RINGING, ACCEPTED, REJECTED, COMPLETED or FAILED."""

    table: ClassVar[str] = "calls"

    phone_number_id: str
    customer_id: str
    direction: str
    status: str
    started_at: float
    accepted_at: float | None
    ended_at: float | None

    @classmethod
    def begin(cls, number: PhoneNumber, customer: Customer, direction: str = INBOUND) -> Self:
        """Starts a call. A customer's call is reported as `connect`, one of the business as the status RINGING."""
        world = number.world
        with world.store.transaction():
            call = cls.create(
                world,
                id=f"wacid.{secrets.token_hex(20).upper()}",
                phone_number_id=number.id,
                customer_id=customer.id,
                direction=direction,
                started_at=world.clock.now(),
            )
            if direction == INBOUND:
                call._publish_call({"event": "connect", "session": SDP})
            else:
                call._publish_status("RINGING")
        return call

    def accept(self) -> None:
        """The called side accepts."""
        with self.world.store.transaction():
            self.update(status="ACCEPTED", accepted_at=self.world.clock.now())
            if self.direction == OUTBOUND:
                self._publish_status("ACCEPTED")

    def reject(self) -> None:
        """Declines the call, which then ends as failed."""
        with self.world.store.transaction():
            self.update(status="REJECTED")
            if self.direction == OUTBOUND:
                self._publish_status("REJECTED")
            self.terminate()

    def terminate(self) -> None:
        """Ends the call. One that was never accepted has failed and has no duration."""
        now = self.world.clock.now()
        with self.world.store.transaction():
            completed = self.accepted_at is not None
            self.update(status="COMPLETED" if completed else "FAILED", ended_at=now)
            times: Json = {}
            if self.accepted_at is not None:
                times = {
                    "start_time": str(int(self.accepted_at)),
                    "end_time": str(int(now)),
                    "duration": int(now - self.accepted_at),
                }
            self._publish_call({"event": "terminate", "status": self.status} | times)

    def _number_and_customer(self) -> tuple[PhoneNumber, Customer]:
        (number,) = PhoneNumber.where(self.world, "id = ?", self.phone_number_id)
        (customer,) = Customer.where(self.world, "id = ?", self.customer_id)
        return number, customer

    def _publish_call(self, event: Json) -> None:
        number, customer = self._number_and_customer()
        user_id = customer.user_id_for(number.waba.business_id)
        visible = customer.shows_number_to(number.id)
        ends = [(customer.wa_id if visible else None, user_id), (number.digits, None)]
        if self.direction == OUTBOUND:
            ends.reverse()
        (caller, caller_id), (called, called_id) = ends
        item = {"id": self.id, "from": caller, "from_user_id": caller_id, "to": called, "to_user_id": called_id}
        item |= event | {"direction": self.direction, "timestamp": str(int(self.world.clock.now()))}
        value = {
            **payloads.head(number),
            "contacts": [payloads.contact(customer, user_id, visible)],
            "calls": [{name: member for name, member in item.items() if member is not None}],
        }
        publishing.publish_for_number(number, "calls", value)

    def _publish_status(self, status: str) -> None:
        number, customer = self._number_and_customer()
        item: Json = {"id": self.id, "type": "call", "status": status, "timestamp": str(int(self.world.clock.now()))}
        if customer.shows_number_to(number.id):
            item["recipient_id"] = customer.wa_id
        item["recipient_user_id"] = customer.user_id_for(number.waba.business_id)
        publishing.publish_for_number(number, "calls", {**payloads.head(number), "statuses": [item]})
