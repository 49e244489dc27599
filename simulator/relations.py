"""The state between one number and one customer: service window, blocks, stopped offers."""

from simulator.context import Context
from simulator.customers import Customer
from simulator.phone_numbers import PhoneNumber

SERVICE_WINDOW = 24 * 3600
FREE_ENTRY = 72 * 3600
DAY = 86400


class Relation:
    def __init__(self, world: Context, number: PhoneNumber, customer: Customer) -> None:
        self.world = world
        self.number = number
        self.customer = customer
        self._pair = (number.id, customer.id)

    @property
    def window_open(self) -> bool:
        """True after a message or call of the last 24 hours; group messages and the app's history do not count."""
        since = self.world.clock.now() - SERVICE_WINDOW
        sql = """
            select 1 from messages where phone_number_id = ? and customer_id = ? and direction = 'in'
            and origin = 'api' and group_id is null and created_at > ?
            union all select 1 from calls where phone_number_id = ? and customer_id = ? and started_at > ?
            and (direction = 'USER_INITIATED' or accepted_at is not null) limit 1"""
        return self.world.store.row(sql, *self._pair, since, *self._pair, since) is not None

    @property
    def has_written_recently(self) -> bool:
        """Whether a message of the customer came in the last 24 hours; calls do not count."""
        since = self.world.clock.now() - SERVICE_WINDOW
        sql = """
            select 1 from messages where phone_number_id = ? and customer_id = ? and direction = 'in'
            and origin = 'api' and created_at > ? limit 1"""
        return self.world.store.row(sql, *self._pair, since) is not None

    @property
    def offers_stopped(self) -> bool:
        """True if the customer stopped marketing messages."""
        return self._is_marked("stops")

    @property
    def blocked(self) -> bool:
        """True if the business blocked the customer."""
        return self._is_marked("blocks")

    def set_offers_stopped(self, stopped: bool) -> None:
        """Stores whether marketing messages are stopped."""
        self._mark("stops", stopped)

    def block(self, block: bool) -> None:
        """Blocks or unblocks the customer."""
        self._mark("blocks", block)

    def came_from_an_ad(self) -> None:
        """Notes that the customer wrote from an ad."""
        now = self.world.clock.now()
        self.world.store.write("insert or replace into entry_points values (?, ?, ?, null)", *self._pair, now)

    def answer_to_ad(self) -> None:
        """Starts the free entry point: three days from the first reply within a day."""
        now = self.world.clock.now()
        self.world.store.write(
            "update entry_points set free_until = ? where phone_number_id = ? and customer_id = ?"
            " and free_until is null and at > ?",
            now + FREE_ENTRY,
            *self._pair,
            now - DAY,
        )

    @property
    def free_until(self) -> float:
        """The end of the free entry point, or 0."""
        sql = "select free_until from entry_points where phone_number_id = ? and customer_id = ?"
        return self.world.store.value(sql, *self._pair) or 0

    @property
    def free_entry(self) -> bool:
        """True during the free entry point."""
        return self.free_until > self.world.clock.now()

    def open_conversation(self) -> bool:
        """Counts one more user outside a window; false if the portfolio's daily limit is reached."""
        business, store, now = self.number.waba.business, self.world.store, self.world.clock.now()
        sql = "select count(*) from opened where business_id = ? and customer_id != ? and at > ?"
        others = store.value(sql, business.id, self.customer.id, now - DAY)
        if 0 <= business.messaging_limit <= others:
            return False
        store.write("insert or replace into opened values (?, ?, ?)", business.id, self.customer.id, now)
        return True

    def _is_marked(self, table: str) -> bool:
        sql = f"select 1 from {table} where phone_number_id = ? and customer_id = ?"  # noqa: S608 - two fixed names
        return self.world.store.row(sql, *self._pair) is not None

    def _mark(self, table: str, on: bool) -> None:
        verb = (
            "insert or replace into {} values (?, ?, ?)"
            if on
            else "delete from {} where phone_number_id = ? and customer_id = ?"
        )
        moment = (self.world.clock.now(),) if on else ()
        self.world.store.write(verb.format(table), *self._pair, *moment)
