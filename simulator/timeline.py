from typing import TYPE_CHECKING

from simulator.loop import LONGEST_NAP, Loop

if TYPE_CHECKING:
    from simulator.messages import Message
    from simulator.world import World

AT_ONCE = 500


class Timeline:
    """What will happen to messages later, kept in the store so that a restart forgets nothing."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.loop = Loop("timeline", self._turn)

    def plan(self, message: "Message", status: str, within: tuple[float, float], error_code: int | None = None) -> None:
        due_at = self.world.clock.after(self.world.random.uniform(*within))
        self.world.store.insert("steps", message_id=message.id, status=status, error_code=error_code, due_at=due_at)
        self.world.store.after_commit(self.loop.wake)

    def run_due(self) -> int:
        now = self.world.clock.now()
        # Read inside: once another thread has taken a step, its id may already be that of the next one.
        with self.world.store.transaction():
            due = self.world.store.rows("select * from steps where due_at <= ? order by due_at limit ?", now, AT_ONCE)
            for step in due:
                self._take(*step)
        return len(due)

    def run_now(self, message: "Message") -> None:
        """Take the next step of this message without waiting for its time."""
        with self.world.store.transaction():
            sql = "select * from steps where message_id = ? order by due_at limit 1"
            for step in self.world.store.rows(sql, message.id):
                self._take(*step)

    def _take(self, step_id: int, message_id: str, status: str, error_code: int | None, _: float) -> None:
        # Imported here: messages plan steps, and steps advance messages.
        from simulator import outgoing
        from simulator.messages import Message

        self.world.store.write("delete from steps where id = ?", step_id)
        if message := Message.find(self.world, message_id):
            outgoing.advance(message, status, error_code)

    def _turn(self) -> float:
        if self.run_due():
            return 0.0
        due_at = self.world.store.value("select min(due_at) from steps")
        return LONGEST_NAP if due_at is None else float(due_at - self.world.clock.now())
