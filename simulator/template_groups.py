import json
from dataclasses import dataclass
from typing import ClassVar, Self

from simulator import ids
from simulator.record import Record
from simulator.wabas import Waba


@dataclass
class TemplateGroup(Record):
    """Templates of an account whose numbers are added up."""

    table: ClassVar[str] = "template_groups"

    waba_id: str
    name: str
    template_ids: str
    created_at: float

    @classmethod
    def add(cls, waba: Waba, name: str, template_ids: list[str]) -> Self:
        """Adds a group of these templates."""
        id, now = ids.object_id(), waba.world.clock.now()
        return cls.create(
            waba.world, id=id, waba_id=waba.id, name=name, template_ids=json.dumps(template_ids), created_at=now
        )

    @property
    def members(self) -> list[str]:
        """The ids of its templates."""
        return list(json.loads(self.template_ids))
