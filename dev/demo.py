"""`make demo`: every part of Switchboard on this machine, with a simulated Meta. Ctrl-C stops all of it."""

from __future__ import annotations

import fcntl
import os
import pathlib
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request

from dev import environment
from dev.services import Missing, Postgres, Redis, open_log

ROOT = pathlib.Path(__file__).parent.parent
LOCAL = ROOT / ".local"
PASSWORD = "switchboard demo"
STOP_SECONDS = 12


class Part:
    """One process of the demo. Its output goes to `.local/logs/<name>.log`."""

    def __init__(self, name: str, command: str, env: dict[str, str]) -> None:
        self.name, self.command, self.env = name, command, env

    def start(self) -> Part:
        words = shlex.split(self.command)
        with open_log(LOCAL / "logs" / f"{self.name}.log") as log:
            self.process = subprocess.Popen(
                words, env=self.env, cwd=ROOT, stdout=log, stderr=log, start_new_session=True
            )
        return self

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)


class Demo:
    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.stopping = threading.Event()
        self.web = f"http://127.0.0.1:{free_port(int(os.environ.get('PORT', 8000)))}"
        self.meta = f"http://127.0.0.1:{free_port(9000)}"
        self.mailbox = f"http://127.0.0.1:{free_port(8025)}"

    def run(self) -> None:
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, lambda *_: self.stopping.set())
        started = time.monotonic()
        self.postgres, self.redis = Postgres(LOCAL / "postgres"), Redis()
        try:
            self.start_services()
            self.start_parts()
            self.seed()
            self.greet(time.monotonic() - started)
            self.watch()
        finally:
            self.stop()

    def start_services(self) -> None:
        say("Starting Postgres and Redis …")
        databases = given_databases()
        if not databases:
            self.postgres.start()
            databases = environment.database_urls(self.postgres.url, "switchboard")
        redis_url = os.environ.get("REDIS_URL") or self.redis.start().url()
        self.env = os.environ | environment.settings(
            databases,
            redis_url,
            public_url=self.web,
            simulator_url=self.meta,
            folder=str(LOCAL),
            seed=secret_seed(),
        )
        self.env["PATH"] = f"{pathlib.Path(sys.executable).parent}{os.pathsep}{self.env['PATH']}"
        self.env |= {"PYTHONUNBUFFERED": "1", "FLASK_APP": "wsgi", "BIND": "127.0.0.1", "WEB_CONCURRENCY": "1"}
        self.env["PORT"] = self.web.rpartition(":")[2]
        if self.postgres.process:
            self.once("flask", "bootstrap", "--superuser-url", self.postgres.url())
        self.once("flask", "db", "upgrade")

    def once(self, *command: str) -> None:
        done = subprocess.run(command, env=self.env, cwd=ROOT, capture_output=True, text=True)
        if done.returncode:
            raise Missing(f"{' '.join(command[:2])} failed:\n{done.stdout}{done.stderr}")

    def start_parts(self) -> None:
        say("Starting the simulated Meta, web, workers and clock …")
        self.env |= environment.simulator(self.meta, self.web, str(LOCAL / "simulator"))
        self.part("simulator", "python -m simulator")
        self.part("mailbox", f"python -m dev.mailbox {self.mailbox.rpartition(':')[2]} {LOCAL / 'mail'}")
        for line in (ROOT / "Procfile").read_text().splitlines():
            name, _, command = line.partition(": ")
            if name != "release":
                self.part(name, expand(command, self.env))
        for url in (f"{self.web}/healthz", self.meta, self.mailbox):
            self.wait_for(url)

    def part(self, name: str, command: str) -> None:
        self.parts.append(Part(name, command, self.env).start())

    def wait_for(self, url: str) -> None:
        end = time.monotonic() + 30
        while not answers(url):
            self.check_alive()
            if time.monotonic() > end:
                raise Missing(f"{url} does not answer. See .local/logs.")
            time.sleep(0.1)

    def check_alive(self) -> None:
        for part in self.parts:
            if part.process.poll() is not None:
                tail = (LOCAL / "logs" / f"{part.name}.log").read_text(errors="replace")[-2000:]
                raise Missing(f"{part.name} stopped:\n{tail}")

    def seed(self) -> None:
        self.once(sys.executable, "-m", "dev.seed", self.meta, PASSWORD)

    def greet(self, seconds: float) -> None:
        rows = [
            ("Switchboard", self.web, ""),
            ("  owner of Bakery (lively)", f"{self.web}/t/bakery/", "ann@example.com"),
            ("  agent of Bakery", f"{self.web}/t/bakery/", "ben@example.com"),
            ("  owner of Shoes (nothing connected yet)", f"{self.web}/t/shoes/", "sue@example.com"),
            ("Platform console", f"{self.web}/platform/", "pat@example.com"),
            ("Simulated Meta: control panel", self.meta, ""),
            ("  a customer's phone", f"{self.meta}/phone", ""),
            ("Mail that was sent", self.mailbox, ""),
        ]
        say(f"\nReady in {seconds:.0f} s. Every password is: {PASSWORD}\n")
        for what, where, who in rows:
            say(f"  {what:42}{where:34}{who}")
        say("\nLogs are in .local/logs. Ctrl-C stops everything; `make demo-reset` forgets it.\n")

    def watch(self) -> None:
        while not self.stopping.wait(0.5):
            self.check_alive()

    def stop(self) -> None:
        say("Stopping …")
        for part in reversed(self.parts):
            part.stop()
        self.redis.stop()
        self.postgres.stop()


def given_databases() -> dict[str, str]:
    names = ("DATABASE_URL", "PLATFORM_DATABASE_URL", "MIGRATIONS_DATABASE_URL")
    given = {name: os.environ[name] for name in names if name in os.environ}
    if given and len(given) < len(names):
        raise Missing(f"With a database of your own, set all of {', '.join(names)}.")
    return given


def secret_seed() -> str:
    """Sign-ins outlive a restart, so the demo's secrets do too; each machine has its own."""
    file = LOCAL / "seed"
    if not file.exists():
        file.write_text(os.urandom(16).hex())
        file.chmod(0o600)
    return file.read_text()


def expand(command: str, env: dict[str, str]) -> str:
    """A Procfile's line, as a shell would read its `${NAME:-default}`."""
    return subprocess.run(["/bin/sh", "-c", f"echo {command}"], env=env, capture_output=True, text=True).stdout.strip()


def free_port(wanted: int) -> int:
    for port in range(wanted, wanted + 50):
        with socket.socket() as attempt:
            try:
                attempt.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise Missing(f"No free port from {wanted} on.")


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def say(words: str) -> None:
    print(words, flush=True)


def locked() -> object:
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
    held = locked()
    if "--reset" in sys.argv:
        reset()
    else:
        Demo().run()
