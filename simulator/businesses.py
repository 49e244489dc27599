from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from simulator import ids, wabas
from simulator.record import Record

if TYPE_CHECKING:
    from simulator.wabas import Waba
    from simulator.world import World


@dataclass
class Business(Record):
    """A client's business portfolio."""

    table: ClassVar[str] = "businesses"

    name: str
    country: str
    persona: str | None
    created_at: float
    messaging_limit: int

    @classmethod
    def open(cls, world: "World", name: str, country: str, persona: str | None = None) -> Self:
        now = world.clock.now()
        return cls.create(world, id=ids.object_id(), name=name, country=country, persona=persona, created_at=now)

    @property
    def wabas(self) -> list["Waba"]:
        return wabas.Waba.where(self.world, "business_id = ? order by created_at", self.id)

    @property
    def shared_wabas(self) -> list["Waba"]:
        """Newest first, as Meta lists what a token may touch."""
        return wabas.Waba.where(
            self.world, "business_id = ? and shared_at is not null order by shared_at desc", self.id
        )

    @property
    def system_user_id(self) -> str:
        """One client and one app always meet as the same system user."""
        return str(10**16 + int(self.id) % 10**15)

    def open_waba(self, name: str) -> "Waba":
        return wabas.Waba.create(
            self.world,
            id=ids.object_id(),
            business_id=self.id,
            name=name,
            country=self.country,
            namespace=ids.letters(8).lower(),
            created_at=self.world.clock.now(),
        )
