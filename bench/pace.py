"""A backlog to one number, and more for one person than Meta takes at once, against the limits the simulator enforces.

Meta's limits: 80 messages a second for a number; for one person 45 at once, then one in six seconds.
"""

from __future__ import annotations

import time
import uuid

from sqlalchemy import text

from app import create_app
from app.config import Settings
from app.inbox.conversations import Conversation
from app.inbox.outbound.jobs import deliver
from app.tenancy import Actor, db, platform_scope, tenant_scope
from app.webhooks.drain import drain_batch
from bench.chaos.outbound import Outbound
from bench.report import table
from dev.stack import Stack

MESSAGES, PEOPLE, LIMIT = 10_000, 500, 80
TO_ONE = 60
REFUSALS = "select count(*) from send_attempts where outcome <> 'accepted'"
WAITING = "select exists (select from messages where state in ('queued', 'dispatching'))"


def run(stack: Stack) -> None:
    stack.start("simulator", "python -m simulator")
    stack.wait_for(stack.meta)
    # Meta's webhooks also count towards a number's limit, so they are let in as they would be.
    stack.start("door")
    stack.wait_for(f"{stack.door}/healthz")
    with create_app(Settings.from_environment(stack.env)).app_context():
        out = Outbound(stack, MESSAGES, people=PEOPLE + 1)
        queue(out)
        while ask(WAITING):
            deliver()
            time.sleep(0.05)
        report(out, ask(REFUSALS))
    for name in ("door", "simulator"):
        stack.parts.pop(name).stop()


def queue(out: Outbound) -> None:
    """Queues all messages before the first is sent; those for one person come first."""
    while drain_batch():
        pass
    eager, *others = out.talks()
    answers = [(eager, f"eager {n}") for n in range(TO_ONE)]
    answers += [(others[n % PEOPLE], f"answer {n}") for n in range(MESSAGES)]
    for start in range(0, len(answers), 1000):
        with tenant_scope(out.town.tenant.id):
            for talk, words in answers[start : start + 1000]:
                Conversation.get_or_404(talk).reply(words, by=Actor.agent(out.town.owner), client_id=uuid.uuid4())


def report(out: Outbound, refused: int) -> None:
    taken = [(row["accepted_at"], words) for row, words in zip(out.accepted, out.log, strict=True)]
    times = [at for at, words in taken if words.startswith("answer")]
    to_one = [(at, words) for at, words in taken if words.startswith("eager")]
    rate = len(times) / (times[-1] - times[0])
    in_order = [words for _, words in to_one] == [f"eager {n}" for n in range(TO_ONE)]
    rows = [
        [f"{len(times):,} messages to {PEOPLE} people", f"{rate:.1f}/s", f"{rate / LIMIT:.2f}", str(refused)],
        [
            f"{len(to_one)} messages to one person meanwhile",
            f"{to_one[-1][0] - to_one[0][0]:.0f} s",
            "in order" if in_order else "OUT OF ORDER",
            "",
        ],
    ]
    table("One number against Meta's limit of 80/s (aim: 0.85, none refused)", ["", "", "share", "refused"], rows)


def ask(query: str) -> int:
    with platform_scope("bench"):
        return int(db.session.scalar(text(query)) or 0)
