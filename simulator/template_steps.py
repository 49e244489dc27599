from collections.abc import Callable

from simulator.clock import Clock
from simulator.loop import LONGEST_NAP, Loops
from simulator.store import Store

AT_ONCE = 200


class TemplateSteps:
    """What Meta will do to templates: reviews, ends of pauses, changes of category. Stored, so a restart loses none.

    `take` (template id, act) and `tidy` are set by the owner, so that the steps need no records.
    """

    take: Callable[[str, str], None]
    tidy: Callable[[], int]

    def __init__(self, store: Store, clock: Clock, loops: Loops) -> None:
        self.store = store
        self.clock = clock
        self.loops = loops
        loops.add("templates", self._turn)

    def plan(self, template_id: str, act: str, due_at: float) -> None:
        """Plans an act for a time, in place of the same act planned before."""
        with self.store.transaction():
            self.forget(template_id, act)
            self.store.insert("template_steps", template_id=template_id, act=act, due_at=due_at)
            self.store.after_commit(lambda: self.loops.wake("templates"))

    def forget(self, template_id: str, act: str = "") -> None:
        """Drops what is planned for a template; only one act if it is named."""
        sql = "delete from template_steps where template_id = ? and (? = '' or act = ?)"
        self.store.write(sql, template_id, act, act)

    def due_at(self, template_id: str, act: str) -> float | None:
        """When the act will happen, or None."""
        sql = "select min(due_at) from template_steps where template_id = ? and act = ?"
        moment: float | None = self.store.value(sql, template_id, act)
        return moment

    def run_due(self) -> int:
        """Takes the steps that are due and returns how many."""
        now = self.clock.now()
        with self.store.transaction():
            sql = "select id, template_id, act from template_steps where due_at <= ? order by due_at limit ?"
            due = self.store.rows(sql, now, AT_ONCE)
            for id, template_id, act in due:
                self.store.write("delete from template_steps where id = ?", id)
                self.take(template_id, act)
        return len(due) + self.tidy()

    def _turn(self) -> float:
        if self.run_due():
            return 0.0
        due_at = self.store.value("select min(due_at) from template_steps")
        return LONGEST_NAP if due_at is None else float(due_at - self.clock.now())
