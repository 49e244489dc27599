from dataclasses import dataclass
from typing import ClassVar, Self

from simulator import ids
from simulator.context import Context
from simulator.record import Record


@dataclass
class Business(Record):
    """A client's business portfolio. `Waba.of_business` lists its accounts."""

    table: ClassVar[str] = "businesses"

    name: str
    country: str
    persona: str | None
    created_at: float
    messaging_limit: int
    most_numbers: int
    id_scopes: str | None
    verified: int

    @classmethod
    def open(cls, world: Context, name: str, country: str, persona: str | None = None) -> Self:
        now = world.clock.now()
        return cls.create(world, id=ids.object_id(), name=name, country=country, persona=persona, created_at=now)

    @property
    def system_user_id(self) -> str:
        """The id of the system user that this business and the app share; always the same one."""
        return str(10**16 + int(self.id) % 10**15)
