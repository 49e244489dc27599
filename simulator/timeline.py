from collections.abc import Callable
from random import Random

from simulator.clock import Clock
from simulator.loop import LONGEST_NAP, Loops
from simulator.store import Store

AT_ONCE = 500


class Timeline:
    """The planned steps of messages. They are stored, so a restart loses none.

    `take_step` (message id, status, error code) is set by the owner, so that the timeline needs no records.
    """

    take_step: Callable[[str, str, int | None], None]

    def __init__(self, store: Store, clock: Clock, random: Random, loops: Loops) -> None:
        self.store = store
        self.clock = clock
        self.random = random
        self.loops = loops
        loops.add("timeline", self._turn)

    def plan(self, message_id: str, status: str, within: tuple[float, float], error_code: int | None = None) -> None:
        """Plans one step at a random time between so many seconds from now."""
        due_at = self.clock.after(self.random.uniform(*within))
        self.store.insert("steps", message_id=message_id, status=status, error_code=error_code, due_at=due_at)
        self.store.after_commit(lambda: self.loops.wake("timeline"))

    def run_due(self) -> int:
        """Takes the steps that are due and returns how many."""
        now = self.clock.now()
        # Read inside: once another thread has taken a step, its id may already be that of the next one.
        with self.store.transaction():
            due = self.store.rows("select * from steps where due_at <= ? order by due_at limit ?", now, AT_ONCE)
            for step in due:
                self._take(*step)
        return len(due)

    def run_now(self, message_id: str) -> None:
        """Takes the next step of this message without waiting for its time."""
        with self.store.transaction():
            sql = "select * from steps where message_id = ? order by due_at limit 1"
            for step in self.store.rows(sql, message_id):
                self._take(*step)

    def _take(self, step_id: int, message_id: str, status: str, error_code: int | None, _: float) -> None:
        self.store.write("delete from steps where id = ?", step_id)
        self.take_step(message_id, status, error_code)

    def _turn(self) -> float:
        if self.run_due():
            return 0.0
        due_at = self.store.value("select min(due_at) from steps")
        return LONGEST_NAP if due_at is None else float(due_at - self.clock.now())
