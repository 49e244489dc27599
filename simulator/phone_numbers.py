from dataclasses import dataclass
from typing import ClassVar, Self

from simulator import dialing, ids
from simulator.record import Record
from simulator.wabas import Waba

ATTEMPTS = 10
ATTEMPTS_WINDOW = 72 * 3600
COEXISTENCE_THROUGHPUT = 20
REGISTER_WITHIN = 14 * 86400


@dataclass
class PhoneNumber(Record):
    """A business phone number."""

    table: ClassVar[str] = "phone_numbers"

    waba_id: str
    digits: str
    country: str
    verified_name: str
    status: str
    code_verification_status: str
    quality_rating: str
    platform_type: str
    name_status: str
    pin: str | None
    pin_failures: int
    last_onboarded_at: float | None
    override_callback_uri: str | None
    created_at: float
    throughput: int | None
    coexistence: int
    signed_up_at: float | None
    pin_locked_until: float | None
    deregistering: int

    @classmethod
    def add(cls, waba: Waba, digits: str, verified_name: str, verified: bool = False) -> Self:
        """Adds a number to an account."""
        return cls.create(
            waba.world,
            id=ids.object_id(),
            waba_id=waba.id,
            digits=digits,
            country=dialing.country_of(digits),
            verified_name=verified_name,
            code_verification_status="VERIFIED" if verified else "NOT_VERIFIED",
            created_at=waba.world.clock.now(),
        )

    @classmethod
    def of_waba(cls, waba: Waba) -> list[Self]:
        """The numbers of an account, oldest first."""
        return cls.where(waba.world, "waba_id = ? order by created_at", waba.id)

    @property
    def waba(self) -> Waba:
        """The account of the number."""
        return Waba.where(self.world, "id = ?", self.waba_id)[0]

    @property
    def messages_per_second(self) -> float:
        """A number that is also on the WhatsApp Business app stays slow."""
        usual = COEXISTENCE_THROUGHPUT if self.coexistence else self.world.knobs["throughput"]
        return usual if self.throughput is None else self.throughput

    @property
    def display_number(self) -> str:
        """The number as people read it."""
        return dialing.readable(self.digits)

    @property
    def verified(self) -> bool:
        """True if the ownership is verified."""
        return self.code_verification_status == "VERIFIED"

    @property
    def registered(self) -> bool:
        """True if the number is registered with the Cloud API."""
        return self.status == "CONNECTED"

    def verify(self) -> None:
        """Marks the ownership as verified."""
        self.update(code_verification_status="VERIFIED")

    def sign_up(self) -> None:
        """The client has gone through the signup dialog with it: from now on the partner has two weeks."""
        now = self.world.clock.now()
        self.update(signed_up_at=now, **({"last_onboarded_at": now} if self.coexistence else {}))

    @property
    def signed_up_too_long_ago(self) -> bool:
        """True if the 14 days to register after signup are over."""
        return self.signed_up_at is not None and self.world.clock.now() > self.signed_up_at + REGISTER_WITHIN

    def register(self, pin: str) -> None:
        """Connects the number to the Cloud API and sets its PIN."""
        self.update(
            status="CONNECTED",
            platform_type="CLOUD_API",
            quality_rating="GREEN",
            pin=pin,
            pin_failures=0,
            pin_locked_until=None,
            last_onboarded_at=self.world.clock.now(),
            signed_up_at=None,
        )

    def deregister(self) -> None:
        """Disconnects the number; its history stays."""
        self.update(status="DISCONNECTED", platform_type="NOT_APPLICABLE", deregistering=0)

    def count_attempt(self) -> bool:
        """Whether Meta still listens: ten registrations and deregistrations in 72 hours."""
        store, now = self.world.store, self.world.clock.now()
        since = now - ATTEMPTS_WINDOW
        made = store.value(
            "select count(*) from registration_attempts where phone_number_id = ? and at > ?", self.id, since
        )
        if made < ATTEMPTS:
            store.write("insert into registration_attempts values (?, ?)", self.id, now)
        return bool(made < ATTEMPTS)
