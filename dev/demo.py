"""`make demo`: every part of Switchboard on this machine, with a simulated Meta. Ctrl-C stops all of it."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import sys
import threading
import time

from dev.agency import SLUG
from dev.services import Missing, Postgres
from dev.stack import ROOT, Stack, free_port

LOCAL = ROOT / ".local"
PASSWORD = "switchboard demo"
PARTS = ("web", "door", "worker", "clock")


class Demo:
    def __init__(self) -> None:
        port = int(os.environ.get("PORT", "8000"))
        self.stack = Stack(LOCAL, port=port, seed=secret_seed())
        # From the same port on: two demos that start at once would both find another one free.
        self.mailbox = f"http://127.0.0.1:{free_port(port + 25)}"
        self.agency = f"http://127.0.0.1:{free_port(port + 30)}"
        self.stopping = threading.Event()

    def run(self) -> None:
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, lambda *_: self.stopping.set())
        started = time.monotonic()
        try:
            self.start()
            self.greet(time.monotonic() - started)
            while not self.stopping.wait(0.5):
                self.stack.check_alive()
        finally:
            say("Stopping …")
            self.stack.stop()

    def start(self) -> None:
        say("Starting Postgres and Redis …")
        self.stack.start_services()
        say("Starting the simulated Meta, web, workers and clock …")
        self.stack.start("simulator", "python -m simulator")
        self.stack.start("mailbox", f"python -m dev.mailbox {self.mailbox.rpartition(':')[2]} {LOCAL / 'mail'}")
        self.stack.start("model", f"python -m dev.model {self.stack.model.rpartition(':')[2]}")
        site = f"{self.agency.rpartition(':')[2]} {self.stack.web} {SLUG}"
        self.stack.start("agency", f"python -m dev.agency {site}")
        for name in PARTS:
            self.stack.start(name)
        parts = (f"{self.stack.web}/healthz", f"{self.stack.door}/healthz", self.stack.meta, self.mailbox)
        for url in (*parts, self.stack.model):
            self.stack.wait_for(url)
        self.stack.once(sys.executable, "-m", "dev.seed", self.stack.meta, PASSWORD, self.stack.model)

    def greet(self, seconds: float) -> None:
        web, meta = self.stack.web, self.stack.meta
        rows = [
            ("Switchboard", f"{web}/", ""),
            ("  Bakery, a lively business: its owner", f"{web}/t/bakery/", "ann@example.com"),
            ("  Bakery: an agent", f"{web}/t/bakery/", "ben@example.com"),
            ("  Shoes, which has yet to connect: owner", f"{web}/t/shoes/", "sue@example.com"),
            ("Platform console: an admin", f"{web}/platform/", "pat@example.com"),
            ("Platform console: a second admin", f"{web}/platform/", "quinn@example.com"),
            ("Simulated Meta: control panel", f"{meta}/", ""),
            ("Simulated Meta: a customer's phone", f"{meta}/phone", ""),
            ("A site elsewhere with the button", f"{self.agency}/", ""),
            ("Mail that was sent", f"{self.mailbox}/", ""),
            ("The assistant's scripted model", f"{self.stack.model}/", ""),
        ]
        say(f"\nReady in {seconds:.0f} s. Every password is: {PASSWORD}\n")
        for what, where, who in rows:
            say(f"  {what:42}{where:36}{who}")
        say("\nLogs are in .local/logs. Ctrl-C stops everything; `make demo-reset` forgets it.\n")


def secret_seed() -> str:
    """Sign-ins outlive a restart, so the demo's secrets do too; each machine has its own."""
    file = LOCAL / "seed"
    if not file.exists():
        file.write_text(os.urandom(16).hex())
        file.chmod(0o600)
    return file.read_text()


def say(words: str) -> None:
    print(words, flush=True)


def take_lock() -> object:
    """Two demos in one folder would stop each other's Postgres."""
    LOCAL.mkdir(exist_ok=True)
    file = (LOCAL / "lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise Missing("A demo is already running in this folder. Stop it first.") from None
    return file


def reset() -> None:
    postgres = Postgres(LOCAL / "postgres")
    postgres.make_reachable()
    shutil.rmtree(postgres.data, ignore_errors=True)
    shutil.rmtree(LOCAL, ignore_errors=True)
    say("The demo's data is gone.")


if __name__ == "__main__":
    held = take_lock()
    if "--reset" in sys.argv:
        reset()
    else:
        Demo().run()
