"""`make chaos`: kills web, workers, clock and Redis at random while messages come in and go out, then counts.

Inbound: signed posts, some twice, some out of order; like Meta, the poster tries again until it gets a 200. Afterwards
every message must be there exactly once. Outbound: answers to simulated customers, while the simulated Meta drops some
of its own replies. Afterwards Meta must have taken each message at most once, and each must have a known fate.

`python -m bench.chaos [INBOUND [OUTBOUND]]`; `SEED=…` repeats a run.
"""

from __future__ import annotations

import json
import os
import pathlib
import queue
import random
import shutil
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from typing import Self

import httpx
import psycopg

from app import create_app
from app.config import Settings
from app.inbox.jobs import deliver
from app.inbox.models import Conversation
from app.tenancy import db, tenant_scope
from app.wabas.models import PhoneNumber
from bench.town import Town
from dev.stack import Stack
from tests.posts import message, post, signed

VICTIMS = ("web", "worker", "redis", "clock")
POSTERS = 8
RECOVERY_SECONDS = 120
PEOPLE = 100


class Killer:
    """Kills something every now and then, and starts it again."""

    def __init__(self, stack: Stack, dice: random.Random) -> None:
        self.stack, self.dice = stack, dice
        self.kills: Counter[str] = Counter()
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.thread.join()

    def run(self) -> None:
        while not self.over.wait(self.dice.uniform(0.5, 2)):
            victim = self.dice.choice(VICTIMS)
            self.kills[victim] += 1
            self.kill(victim)

    def kill(self, victim: str) -> None:
        pause = self.dice.uniform(0, 0.5)
        if victim == "redis":
            self.stack.redis.kill()
            time.sleep(pause)
            self.stack.redis.start()
        else:
            self.stack.parts[victim].kill()
            time.sleep(pause)
            self.stack.parts[victim].start()


class Inbound:
    def __init__(self, stack: Stack, town: Town, count: int, dice: random.Random) -> None:
        self.stack, self.town, self.count, self.dice = stack, town, count, dice
        self.posts: queue.Queue[bytes] = queue.Queue()
        self.repeated = 0
        self.prepare()

    def prepare(self) -> None:
        """Ten percent come twice; each is moved a little from its place."""
        bodies = [self.body(n) for n in range(self.count)]
        bodies += self.dice.sample(bodies, self.count // 10)
        places = {n: n + self.dice.randint(-40, 40) for n in range(len(bodies))}
        for place in sorted(places, key=places.__getitem__):
            self.posts.put(bodies[place])

    def body(self, n: int) -> bytes:
        wa_id = f"1650{n % 400:07}"
        number, waba = self.town.number.meta_id, self.town.waba_meta_id
        return post(message(f"Message {n}", number=number, wa_id=wa_id, wamid=f"wamid.chaos.{n}"), waba=waba)

    def run(self) -> None:
        posters = [threading.Thread(target=self.deliver) for _ in range(POSTERS)]
        for poster in posters:
            poster.start()
        for poster in posters:
            poster.join()

    def deliver(self) -> None:
        with httpx.Client(base_url=self.stack.web, timeout=5, trust_env=False) as client:
            while True:
                try:
                    body = self.posts.get_nowait()
                except queue.Empty:
                    return
                if not self.acknowledged(client, body):
                    self.repeated += 1
                    self.posts.put(body)
                    time.sleep(0.05)

    def acknowledged(self, client: httpx.Client, body: bytes) -> bool:
        try:
            return client.post("/webhooks/whatsapp", content=body, headers=signed(body)).status_code == 200
        except httpx.HTTPError:
            return False

    def problems(self, ask: Callable[[str], int]) -> dict[str, int]:
        mine = "tenant_id = (select id from tenants where slug = 'inbound')"
        present = ask(f"select count(distinct wamid) from messages where {mine}")
        everything = ask(f"select count(*) from messages where {mine}")
        unread = ask(f"select coalesce(sum(unread_count), 0) from conversations where {mine}")
        return {
            "lost": self.count - present,
            "doubled": everything - present,
            "miscounted": abs(unread - everything),
            "held": ask("select count(*) from held_changes"),
            "still waiting": ask("select count(*) from webhook_events where drained_at is null"),
        }


class Outbound:
    """Answers to people who wrote, each with a number of its own in its words."""

    def __init__(self, stack: Stack, count: int) -> None:
        self.count = count
        self.meta = httpx.Client(base_url=f"{stack.meta}/control/api", timeout=30, trust_env=False)
        self.town = Town.named("outbound")
        ids = self.post("seed", name="Outbound", display_phone_number="+1 555 078 3000")
        self.number_meta_id = ids["phone_number_id"]
        stack.once(
            *("flask", "numbers", "connect", "--tenant", "outbound", "--waba-id", ids["waba_id"]),
            *("--phone-number-id", ids["phone_number_id"], "--token", ids["token"]),
            *("--display-number", "+1 555 078 3000"),
        )
        for n in range(PEOPLE):
            self.post("inbound", phone_number_id=self.number_meta_id, text="hi", **{"from": f"1650556{n:04}"})

    def post(self, path: str, **body: object) -> dict[str, str]:
        answer = self.meta.post(f"/{path}", json=body)
        answer.raise_for_status()
        return answer.json()  # type: ignore[no-any-return]

    def queue(self) -> None:
        """One percent of Meta's replies will be lost after it has taken the message."""
        self.post("faults", edge="messages", kind="drop-after-accept", times=max(1, self.count // 100))
        with tenant_scope(self.town.tenant.id):
            number = PhoneNumber.with_meta_id(self.number_meta_id)
            assert number
            talks = db.session.scalars(Conversation.newest_first().limit(PEOPLE)).all()
            for n in range(self.count):
                talk = talks[n % len(talks)]
                talk.reply(f"answer {n}", by=self.town.owner, client_id=uuid.uuid4())
            deliver.later()

    def waiting(self) -> str:
        mine = "tenant_id = (select id from tenants where slug = 'outbound') and direction = 'outbound'"
        return f"select count(*) from messages where {mine} and state in ('queued', 'dispatching', 'accepted', 'sent')"

    def problems(self, ask: Callable[[str], int]) -> dict[str, int]:
        mine = "tenant_id = (select id from tenants where slug = 'outbound') and direction = 'outbound'"
        taken = Counter(json.loads(row["body"])["body"] for row in self.meta.get("/accepted").json()["accepted"])
        settled = ask(f"select count(*) from messages where {mine} and state in ('delivered', 'read')")
        unknown = ask(f"select count(*) from messages where {mine} and state = 'unknown'")
        return {
            "sent twice": sum(count - 1 for count in taken.values()),
            "without a fate": self.count - settled - unknown,
            "taken but not shown so": max(len(taken) - settled, 0),
            "(unknown, for a person to decide)": unknown,
        }


def main(inbound: int, outbound: int, seed: int) -> int:
    folder = pathlib.Path(tempfile.mkdtemp(prefix="switchboard-chaos-", dir="/tmp"))
    folder.chmod(0o755)
    stack, dice = Stack(folder, port=8600, seed="chaos"), random.Random(seed)
    try:
        stack.start_services()
        stack.start("simulator", "python -m simulator --speed 20")
        for name in ("web", "worker", "clock"):
            stack.start(name)
        stack.wait_for(f"{stack.web}/healthz")
        stack.wait_for(stack.meta)
        with create_app(Settings.from_environment(stack.env)).app_context():
            return run(stack, dice, inbound, outbound, seed)
    finally:
        stack.stop()
        shutil.rmtree(folder, ignore_errors=True)


def run(stack: Stack, dice: random.Random, inbound: int, outbound: int, seed: int) -> int:
    def ask(query: str) -> int:
        with psycopg.connect(stack.postgres.url(database="switchboard")) as connection:
            row = connection.execute(query).fetchone()
            assert row
            return int(row[0])

    into, out = Inbound(stack, Town.named("inbound"), inbound, dice), Outbound(stack, outbound)
    settle(ask, "select count(*) from webhook_events where drained_at is null")
    print(f"seed {seed}: {inbound:,} messages in, {outbound:,} out")
    with Killer(stack, dice) as killer:
        out.queue()
        into.run()
        wait(lambda: ask(out.waiting().replace(", 'accepted', 'sent'", "")) < outbound // 4, RECOVERY_SECONDS)
    print(f"  killed: {dict(killer.kills)}; posts repeated: {into.repeated}")
    recovery = settle(ask, "select count(*) from webhook_events where drained_at is null")
    sent = settle(ask, out.waiting())
    print(f"  after the last kill: inbound done in {recovery:.1f} s, outbound in {sent:.1f} s")
    found = into.problems(ask) | out.problems(ask)
    print("  " + ", ".join(f"{name}: {number}" for name, number in found.items()))
    return int(any(number for name, number in found.items() if not name.startswith("(")))


def settle(ask: Callable[[str], int], query: str) -> float:
    """Seconds until nothing is left of what the query counts, or until patience ends."""
    started = time.monotonic()
    wait(lambda: ask(query) == 0, RECOVERY_SECONDS)
    return time.monotonic() - started


def wait(until: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not until() and time.monotonic() < end:
        time.sleep(0.2)


if __name__ == "__main__":
    counts = [*map(int, sys.argv[1:]), 5000, 1000]
    sys.exit(main(counts[0], counts[1], int(os.environ.get("SEED", time.time()))))
