from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from simulator import dialing, ids
from simulator.record import Record

if TYPE_CHECKING:
    from simulator.world import World


@dataclass
class Customer(Record):
    """Somebody with WhatsApp on their phone."""

    table: ClassVar[str] = "customers"

    name: str
    wa_id: str
    country: str
    phone_on: int
    read_receipts: int
    created_at: float

    @classmethod
    def with_number(cls, world: "World", digits: str, name: str = "") -> Self:
        """Every number belongs to somebody: the first one to write to it finds a person there."""
        wa_id = dialing.canonical(digits)
        return cls.known(world, digits) or cls.create(
            world,
            id=ids.object_id(),
            name=name or dialing.readable(wa_id),
            wa_id=wa_id,
            country=dialing.country_of(wa_id),
            created_at=world.clock.now(),
        )

    @classmethod
    def known(cls, world: "World", digits: str) -> Self | None:
        found = cls.where(world, "wa_id in (?, ?)", digits, dialing.canonical(digits))
        return next(iter(found), None)

    @classmethod
    def with_user_id(cls, world: "World", user_id: str, business_id: str) -> Self | None:
        """The id means somebody only to the portfolio it was made for."""
        sql = "select customer_id from identities where id = ? and business_id = ?"
        return cls.find(world, world.store.value(sql, user_id, business_id))

    def user_id_for(self, business_id: str) -> str:
        with self.world.store.transaction():
            return self._user_id(business_id) or self._introduce(business_id)

    def _user_id(self, business_id: str) -> str | None:
        return self.world.store.text(
            "select id from identities where customer_id = ? and business_id = ?", self.id, business_id
        )

    def _introduce(self, business_id: str) -> str:
        user_id = ids.user_id(self.country)
        self.world.store.write("insert into identities values (?, ?, ?)", user_id, self.id, business_id)
        return user_id
