from dataclasses import dataclass
from typing import ClassVar, Self

from simulator import ids
from simulator.context import Context
from simulator.record import Record


@dataclass
class Allocation(Record):
    """The partner's credit line, shared with one client business."""

    table: ClassVar[str] = "allocations"

    business_id: str
    receiving_credential_id: str
    request_status: str
    created_at: float

    @classmethod
    def share(cls, world: Context, business_id: str) -> Self:
        """Sharing twice with the same business gives the same allocation."""
        return cls.active_for(world, business_id) or cls.create(
            world,
            id=ids.object_id(),
            business_id=business_id,
            receiving_credential_id=ids.object_id(),
            created_at=world.clock.now(),
        )

    @classmethod
    def active_for(cls, world: Context, business_id: str) -> Self | None:
        """The active share for a business, or None."""
        matches = cls.where(world, "business_id = ? and request_status = 'APPROVED'", business_id)
        return next(iter(matches), None)

    @property
    def active(self) -> bool:
        return self.request_status == "APPROVED"

    def revoke(self) -> None:
        """Revokes the share; every account of the business loses the credit line."""
        self.update(request_status="DELETED")
