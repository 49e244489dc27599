from dataclasses import dataclass
from typing import ClassVar, Self

from simulator import ids
from simulator.record import Record
from simulator.wabas import Waba

STATUSES = ("DRAFT", "PUBLISHED", "DEPRECATED", "BLOCKED", "THROTTLED")


@dataclass
class Flow(Record):
    """A WhatsApp Flow of a WABA."""

    table: ClassVar[str] = "flows"

    waba_id: str
    name: str
    status: str
    created_at: float

    @classmethod
    def add(cls, waba: Waba, name: str, status: str = "PUBLISHED", flow_id: str = "") -> Self:
        """Adds a flow, or changes the one with that id."""
        if flow := cls.find(waba.world, flow_id):
            flow.update(waba_id=waba.id, name=name, status=status)
            return flow
        id, now = flow_id or ids.object_id(), waba.world.clock.now()
        return cls.create(waba.world, id=id, waba_id=waba.id, name=name, status=status, created_at=now)

    @classmethod
    def of_waba(cls, waba: Waba) -> list[Self]:
        """The flows of an account."""
        return cls.where(waba.world, "waba_id = ? order by created_at", waba.id)

    @classmethod
    def by_name(cls, waba: Waba, name: str) -> Self | None:
        """The flow with the name, or None."""
        flows = cls.where(waba.world, "waba_id = ? and name = ?", waba.id, name)
        return next(iter(flows), None)
