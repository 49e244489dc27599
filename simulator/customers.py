import hashlib
from dataclasses import dataclass
from typing import ClassVar, Self

from simulator import dialing, ids
from simulator.context import Context
from simulator.record import Record

CONTACT_LASTS = 30 * 86400


@dataclass
class Customer(Record):
    """A person who uses WhatsApp."""

    table: ClassVar[str] = "customers"

    name: str
    wa_id: str
    country: str
    phone_on: int
    read_receipts: int
    created_at: float
    username: str | None
    hidden_since: float | None
    marketing_capped: int

    @classmethod
    def with_number(cls, world: Context, digits: str, name: str = "") -> Self:
        """Returns the customer with that number, and creates one if there is none."""
        wa_id = dialing.canonical(digits)
        return cls.by_number(world, digits) or cls.create(
            world,
            id=ids.object_id(),
            name=name or dialing.readable(wa_id),
            wa_id=wa_id,
            country=dialing.country_of(wa_id),
            created_at=world.clock.now(),
        )

    @classmethod
    def by_number(cls, world: Context, digits: str) -> Self | None:
        """The customer with the number, in any spelling of it."""
        matches = cls.where(world, "wa_id in (?, ?)", digits, dialing.canonical(digits))
        return next(iter(matches), None)

    @classmethod
    def with_user_id(cls, world: Context, user_id: str, business_id: str) -> Self | None:
        """Finds a customer by the user id that was made for this portfolio."""
        if ".ENT." in user_id:
            everybody = cls.where(
                world, "id in (select customer_id from identities where business_id = ?)", business_id
            )
            return next((one for one in everybody if one.parent_user_id == user_id), None)
        sql = "select customer_id from identities where id = ? and business_id = ?"
        return cls.find(world, world.store.value(sql, user_id, business_id))

    @classmethod
    def hidden(cls, world: Context, name: str, username: str, country: str = "US") -> Self:
        """Creates a customer who hides their number; businesses get only the user id."""
        digits = dialing.CODE_BY_COUNTRY[country] + "".join(world.random.choices("23456789", k=10))
        customer = cls.with_number(world, digits, name)
        customer.update(username=username, hidden_since=world.clock.now())
        return customer

    def hide_number(self, hide: bool) -> None:
        """Hides the number from businesses, or shows it again."""
        if hide != self.has_number_hidden:
            self.update(hidden_since=self.world.clock.now() if hide else None)

    @property
    def has_number_hidden(self) -> bool:
        """True if the number is hidden."""
        return self.hidden_since is not None

    def shows_number_to(self, phone_number_id: str) -> bool:
        """True if the number is not hidden, or this business wrote to it in the last 30 days."""
        if self.hidden_since is None:
            return True
        since = max(self.hidden_since, self.world.clock.now() - CONTACT_LASTS)
        sql = """
            select 1 from messages where phone_number_id = ? and customer_id = ? and direction = 'out'
            and origin = 'api' and not by_user_id and created_at > ? limit 1"""
        return self.world.store.row(sql, phone_number_id, self.id, since) is not None

    @property
    def parent_user_id(self) -> str | None:
        """The id that linked portfolios share, if the knob for it is on."""
        if not self.world.knobs["parent_user_ids"]:
            return None
        digest = hashlib.sha256(f"{self.id}:{self.wa_id}".encode()).hexdigest()
        return f"{self.country}.ENT.{int(digest, 16) % 10**20:020}"

    def user_id_for(self, business_id: str) -> str:
        """The customer's user id for a business, created on first use."""
        if existing := self._user_id(business_id):
            return existing
        with self.world.store.transaction():
            return self._user_id(business_id) or self._introduce(business_id)

    def renew_ids(self) -> dict[str, str]:
        """Makes a new user id for every business, as for a new number, and returns the previous ones."""
        sql = "select business_id, id from identities where customer_id = ?"
        before: dict[str, str] = {row["business_id"]: row["id"] for row in self.world.store.rows(sql, self.id)}
        for business_id in before:
            self.world.store.write(
                "update identities set id = ? where customer_id = ? and business_id = ?",
                ids.user_id(self.country),
                self.id,
                business_id,
            )
        return before

    def _user_id(self, business_id: str) -> str | None:
        return self.world.store.text(
            "select id from identities where customer_id = ? and business_id = ?", self.id, business_id
        )

    def _introduce(self, business_id: str) -> str:
        user_id = ids.user_id(self.country)
        self.world.store.write("insert into identities values (?, ?, ?)", user_id, self.id, business_id)
        return user_id
