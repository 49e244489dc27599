from dataclasses import dataclass
from typing import ClassVar, Self

from simulator import ids
from simulator.businesses import Business
from simulator.record import Record


@dataclass
class Waba(Record):
    """A WhatsApp Business Account. `PhoneNumber.of_waba` lists its numbers."""

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
    insights: int
    auto_archival: int
    marketing_on_cloud_api: int
    direct_send: str
    direct_send_media: int
    utility_restricted_until: float | None

    @classmethod
    def open(cls, business: Business, name: str) -> Self:
        """Creates an account of the business."""
        world = business.world
        return cls.create(
            world,
            id=ids.object_id(),
            business_id=business.id,
            name=name,
            country=business.country,
            namespace=ids.letters(8).lower(),
            created_at=world.clock.now(),
        )

    @classmethod
    def of_business(cls, business: Business) -> list[Self]:
        """The accounts of a business, oldest first."""
        return cls.where(business.world, "business_id = ? order by created_at", business.id)

    @classmethod
    def shared_by(cls, business: Business) -> list[Self]:
        """Newest first, as Meta lists what a token may touch."""
        sql = "business_id = ? and shared_at is not null order by shared_at desc"
        return cls.where(business.world, sql, business.id)

    @property
    def business(self) -> Business:
        """The owner of the account."""
        return Business.where(self.world, "id = ?", self.business_id)[0]

    @property
    def is_utility_restricted(self) -> bool:
        """True while the account may neither make nor send utility templates, because it misused them."""
        return (self.utility_restricted_until or 0) > self.world.clock.now()

    @property
    def is_subscribed(self) -> bool:
        """True if the app gets the account's webhooks."""
        return self.world.store.row("select 1 from subscriptions where waba_id = ?", self.id) is not None

    @property
    def override_callback_uri(self) -> str | None:
        """The account's own callback, if it has one."""
        sql = "select override_callback_uri from subscriptions where waba_id = ?"
        return self.world.store.text(sql, self.id)

    def subscribe(self, override_callback_uri: str | None = None) -> None:
        """Subscribes the app, with or without an override."""
        self.world.store.insert(
            "subscriptions",
            replace=True,
            waba_id=self.id,
            override_callback_uri=override_callback_uri,
            created_at=self.world.clock.now(),
        )

    def unsubscribe(self) -> None:
        """Ends the subscription and its override."""
        self.world.store.write("delete from subscriptions where waba_id = ?", self.id)
