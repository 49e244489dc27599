"""How fast numbers send, against limits that a sink enforces, which answers after 120 ms and is not the limit itself.

Meta's limits: 80 messages a second for a number, 1,000 for an upgraded one; for one person 45 at once, then one in six
seconds. `python -m bench.pace` is one sender process: it sends what waits and prints what it cost.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

import httpx
from sqlalchemy import text

from app import create_app
from app.config import Settings
from app.garbage import collect_rarely
from app.inbox.outbound.jobs import deliver
from app.tenancy import db, platform_scope, tenant_scope, uuid7
from app.wabas.models import PhoneNumber
from bench.report import table
from bench.town import Town
from dev.stack import ROOT, Stack, port_of

STANDARD, HIGH = 80, 1000
# To one person among them: the burst, and fifteen more that wait for their turn.
TO_ONE = 60
WAITING = text("select exists (select from messages where state in ('queued', 'dispatching'))")
TALKS = text("select id from conversations where tenant_id = :tenant order by id")
QUEUE = text("""
    insert into messages (tenant_id, id, conversation_id, phone_number_id, client_id, direction, type, body, state,
        lane, author_kind, author_id, source, occurred_at, created_at, fence, attempts)
    select :tenant, id, talk, :number, id, 'outbound', 'text', words, 'queued', 'replies', 'agent', :author, 'inbox',
        now(), now(), 0, 0
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, talk uuid, words text)
""")


@dataclass
class Measure:
    """A backlog of one number, sent by so many processes at once."""

    name: str
    limit: int
    messages: int
    people: int
    processes: int = 1
    to_one: int = 0

    def run(self, stack: Stack) -> list[str]:
        town = Town.named(self.name.replace(" ", "-"))
        self.queue(town)
        with httpx.Client(base_url=stack.meta, trust_env=False) as sink:
            sink.post(f"/limits/{town.number.meta_id}", json={"per_second": self.limit}).raise_for_status()
            costs = self.send(stack)
            came = sink.get(f"/taken/{town.number.meta_id}", timeout=60).json()
        return self.row(came, costs)

    def queue(self, town: Town) -> None:
        """All of it in the outbox before the first goes out; what is for one person comes first."""
        town.fill(self.people + 1, 0)
        with tenant_scope(town.tenant.id):
            number = PhoneNumber.get_or_404(town.number.id)
            number.throughput, number.waba.token = "HIGH" if self.limit == HIGH else "STANDARD", "EAAsink"
            eager, *others = db.session.scalars(TALKS, {"tenant": town.tenant.id}).all()
            talks = [eager] * self.to_one + [others[n % self.people] for n in range(self.messages)]
            rows = [{"id": str(uuid7()), "talk": str(talk), "words": f"{n}"} for n, talk in enumerate(talks)]
            ids = {"tenant": town.tenant.id, "number": number.id, "author": town.owner.id}
            db.session.execute(QUEUE, ids | {"rows": json.dumps(rows)})

    def send(self, stack: Stack) -> list[dict[str, float]]:
        command = [sys.executable, "-m", "bench.pace"]
        started = [
            subprocess.Popen(command, cwd=ROOT, env=stack.env, stdout=subprocess.PIPE) for _ in range(self.processes)
        ]
        return [json.loads(process.communicate()[0].splitlines()[-1]) for process in started]

    def row(self, came: dict[str, Any], costs: list[dict[str, float]]) -> list[str]:
        times = [at for at, _, words in came["taken"] if int(words) >= self.to_one]
        rate = len(times) / (times[-1] - times[0])
        per_message = sum(cost["cpu"] for cost in costs) / len(came["taken"]) * 1000
        return [
            f"{len(times):,} messages, {self.processes} sending, limit {self.limit:,}/s",
            f"{rate:.0f}/s",
            f"{rate / self.limit:.2f}",
            f"{most_in_a_second([at for at, _, _ in came['taken']]):,}",
            str(came["refused"]),
            f"{per_message:.2f} ms",
            f"{sum(cost['statements'] for cost in costs) / len(came['taken']):.2f}",
            "in order" if is_in_order(came["taken"]) else "OUT OF ORDER",
        ]


MEASURES = (
    Measure("one process", HIGH, 6_000, 1_500),
    Measure("default", STANDARD, 7_500, 500, to_one=TO_ONE),
    Measure("four processes", HIGH, 12_000, 2_000, processes=4),
)


def run(stack: Stack) -> None:
    stack.start("sink", f"{sys.executable} -m bench.sink {port_of(stack.meta)}")
    stack.wait_for(stack.meta)
    with create_app(Settings.from_environment(stack.env)).app_context():
        rows = [measure.run(stack) for measure in MEASURES]
    stack.parts.pop("sink").stop()
    heads = ["", "rate", "share", "most in 1 s", "refused", "CPU each", "statements each", "each person's"]
    table("One number against Meta's limit (aims: 300/s, 2.5 ms; 0.95; 0.9 with four; none refused)", heads, rows)


def most_in_a_second(times: list[float]) -> int:
    lately: deque[float] = deque()
    most = 0
    for at in times:
        lately.append(at)
        while lately[0] <= at - 1:
            lately.popleft()
        most = max(most, len(lately))
    return most


def is_in_order(taken: list[tuple[float, str, str]]) -> bool:
    last: dict[str, int] = {}
    for _, to, words in taken:
        if int(words) < last.get(to, -1):
            return False
        last[to] = int(words)
    return True


def main() -> None:
    statements = 0

    def count(*_: object) -> None:
        nonlocal statements
        statements += 1

    with create_app().app_context():
        db.event.listen(db.engines[None], "before_cursor_execute", count)
        db.event.listen(db.engines["platform"], "before_cursor_execute", count)
        collect_rarely()
        began = time.process_time()
        while is_waiting():
            deliver()
            time.sleep(0.02)
    print(json.dumps({"cpu": time.process_time() - began, "statements": statements}))


def is_waiting() -> bool:
    with platform_scope("bench"):
        return bool(db.session.scalar(WAITING))


if __name__ == "__main__":
    main()
