from dataclasses import dataclass
from typing import ClassVar, Self

from simulator import ids
from simulator.businesses import Business
from simulator.context import Context
from simulator.record import Record
from simulator.tokens import Token

LIFETIME = 30


@dataclass
class Code(Record):
    """An authorization code. It expires thirty seconds after the popup has passed it to the page."""

    table: ClassVar[str] = "codes"

    business_id: str
    redirect_uri: str
    handed_over_at: float | None
    used_at: float | None

    @classmethod
    def issue(cls, world: Context, business: Business) -> Self:
        """Issues an authorization code."""
        return cls.create(world, id=ids.code(), business_id=business.id)

    @property
    def used(self) -> bool:
        """True after the exchange."""
        return self.used_at is not None

    @property
    def expired(self) -> bool:
        """True after the lifetime."""
        now = self.world.clock.now()
        return self.handed_over_at is not None and now > self.handed_over_at + LIFETIME

    def start_lifetime(self) -> None:
        """Starts the thirty seconds."""
        if self.handed_over_at is None:
            self.update(handed_over_at=self.world.clock.now())

    def exchange(self) -> Token:
        """Uses the code and issues a token."""
        self.update(used_at=self.world.clock.now())
        business = Business.where(self.world, "id = ?", self.business_id)[0]
        return Token.issue(self.world, business, self.world.settings.token_days)
