"""`make chaos`: kills web, workers and Redis at random while signed webhooks arrive, then counts.

Some posts come twice, some out of order; like Meta, the poster tries again until it gets a 200. Afterwards every
message must be there exactly once. `SEED=…` repeats a run.
"""

from __future__ import annotations

import os
import pathlib
import queue
import random
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter

import httpx
import psycopg

from bench.town import Town
from dev.stack import Stack
from tests.posts import message, post, signed

VICTIMS = ("web", "worker", "redis", "clock")
POSTERS = 8
RECOVERY_SECONDS = 60


class Chaos:
    def __init__(self, stack: Stack, town: Town, count: int, seed: int) -> None:
        self.stack, self.town, self.count = stack, town, count
        self.dice = random.Random(seed)
        self.posts: queue.Queue[bytes] = queue.Queue()
        self.kills: Counter[str] = Counter()
        self.refused = 0
        self.over = threading.Event()

    def run(self) -> None:
        self.prepare()
        killer = threading.Thread(target=self.kill_now_and_then)
        posters = [threading.Thread(target=self.deliver) for _ in range(POSTERS)]
        for thread in [killer, *posters]:
            thread.start()
        for thread in posters:
            thread.join()
        self.over.set()
        killer.join()

    def prepare(self) -> None:
        """Ten percent come twice; each is moved a little from its place."""
        bodies = [self.body(n) for n in range(self.count)]
        bodies += self.dice.sample(bodies, self.count // 10)
        places = {id: id + self.dice.randint(-40, 40) for id in range(len(bodies))}
        for place in sorted(places, key=places.__getitem__):
            self.posts.put(bodies[place])

    def body(self, n: int) -> bytes:
        wa_id = f"1650{n % 400:07}"
        number, waba = self.town.number.meta_id, self.town.waba_meta_id
        return post(message(f"Message {n}", number=number, wa_id=wa_id, wamid=f"wamid.chaos.{n}"), waba=waba)

    def deliver(self) -> None:
        with httpx.Client(base_url=self.stack.web, timeout=5, trust_env=False) as client:
            while True:
                try:
                    body = self.posts.get_nowait()
                except queue.Empty:
                    return
                if not self.acknowledged(client, body):
                    self.refused += 1
                    self.posts.put(body)
                    time.sleep(0.05)

    def acknowledged(self, client: httpx.Client, body: bytes) -> bool:
        try:
            return client.post("/webhooks/whatsapp", content=body, headers=signed(body)).status_code == 200
        except httpx.HTTPError:
            return False

    def kill_now_and_then(self) -> None:
        while not self.over.wait(self.dice.uniform(0.3, 1.2)):
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


class Outcome:
    """What is in the database, against what must be."""

    def __init__(self, stack: Stack, count: int) -> None:
        self.url, self.count = stack.postgres.url(database="switchboard"), count

    def wait(self) -> float:
        """Seconds until everything that was stored is also drained."""
        started = time.monotonic()
        while self.number("select count(*) from webhook_events where drained_at is null"):
            if time.monotonic() - started > RECOVERY_SECONDS:
                break
            time.sleep(0.1)
        return time.monotonic() - started

    def number(self, query: str) -> int:
        with psycopg.connect(self.url) as connection:
            row = connection.execute(query).fetchone()
            assert row
            return int(row[0])

    def problems(self) -> dict[str, int]:
        present = self.number("select count(distinct wamid) from messages")
        return {
            "lost": self.count - present,
            "doubled": self.number("select count(*) from messages") - present,
            "miscounted": self.number(
                "select abs(coalesce(sum(unread_count), 0) - (select count(*) from messages)) from conversations"
            ),
            "held": self.number("select count(*) from held_changes"),
            "still waiting": self.number("select count(*) from webhook_events where drained_at is null"),
        }


def start(stack: Stack) -> Town:
    from app import create_app
    from app.config import Settings

    stack.start_services()
    for name in ("web", "worker", "clock"):
        stack.start(name)
    stack.wait_for(f"{stack.web}/healthz")
    with create_app(Settings.from_environment(stack.env)).app_context():
        return Town.named("chaos")


def main(count: int, seed: int) -> int:
    folder = pathlib.Path(tempfile.mkdtemp(prefix="switchboard-chaos-", dir="/tmp"))
    folder.chmod(0o755)
    stack = Stack(folder, port=8600, seed="chaos")
    try:
        chaos = Chaos(stack, start(stack), count, seed)
        started = time.monotonic()
        chaos.run()
        print(f"{count:,} messages in {time.monotonic() - started:.0f} s, seed {seed}")
        print(f"  killed: {dict(chaos.kills)}, posts that had to be repeated: {chaos.refused}")
        outcome = Outcome(stack, count)
        print(f"  drained {outcome.wait():.1f} s after the last acknowledgement")
        problems = outcome.problems()
        print("  " + ", ".join(f"{name}: {number}" for name, number in problems.items()))
        return int(any(problems.values()))
    finally:
        stack.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    sys.exit(main(wanted, int(os.environ.get("SEED", time.time()))))
