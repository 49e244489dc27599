"""Every process of Switchboard on this machine, with its own Postgres, Redis and simulated Meta."""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import os
import pathlib
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from typing import IO

from dev import environment
from dev.services import DURABLE, Missing, Postgres, Redis, open_log

ROOT = pathlib.Path(__file__).parent.parent
STOP_SECONDS = 12
# Of a part that hangs. On a machine that is busy, a start alone has taken 40 seconds.
START_SECONDS = 300
# Of one user: another user's files could not be opened.
LEASES = pathlib.Path(tempfile.gettempdir()) / f"switchboard-ports-{os.getuid()}"
chosen: dict[int, IO[str]] = {}
DATABASES = ("DATABASE_URL", "PLATFORM_DATABASE_URL", "MIGRATIONS_DATABASE_URL")


class Part:
    """One process, with its output in a log file."""

    def __init__(self, name: str, command: str, env: dict[str, str], log: pathlib.Path) -> None:
        self.name, self.command, self.env, self.log = name, command, env, log

    def start(self) -> Part:
        with open_log(self.log) as log:
            self.process = subprocess.Popen(
                shlex.split(self.command), env=self.env, cwd=ROOT, stdout=log, stderr=log, start_new_session=True
            )
        return self

    @property
    def is_alive(self) -> bool:
        return self.process.poll() is None

    def kill(self) -> None:
        """Kills the process and all its children at once, as a power cut would."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        self.ask_to_stop()
        self.wait_for_end()

    def ask_to_stop(self) -> None:
        if self.is_alive:
            self.process.terminate()

    def wait_for_end(self) -> None:
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()


class Stack:
    """`folder` keeps the data. DATABASE_URL (all three) and REDIS_URL in the environment win over our own."""

    def __init__(
        self, folder: pathlib.Path, *, port: int = 8000, postgres: dict[str, str] = DURABLE, seed: str = "stack"
    ) -> None:
        self.folder = folder
        self.web = f"http://127.0.0.1:{free_port(port)}"
        self.meta = f"http://127.0.0.1:{free_port(port + 1000)}"
        self.door = f"http://127.0.0.1:{free_port(port + 100)}"
        self.model = f"http://127.0.0.1:{free_port(port + 200)}"
        self.postgres = Postgres(folder / "postgres", settings=postgres)
        self.redis = Redis()
        self.parts: dict[str, Part] = {}
        self.seed = seed

    def start_services(self, migrated: dict[str, str] | None = None) -> None:
        """`migrated` are databases' addresses that have all they need already."""
        databases = migrated or given_databases()
        if not databases:
            databases = environment.database_urls(self.postgres.start().url, "switchboard")
        self.env = os.environ | environment.settings(
            databases,
            os.environ.get("REDIS_URL") or self.redis.start().url(),
            public_url=self.web,
            simulator_url=self.meta,
            folder=str(self.folder),
            seed=self.seed,
            door_url=self.door,
            model_url=self.model,
        )
        self.env |= environment.simulator(self.meta, self.web, str(self.folder / "simulator"), self.door)
        self.env |= {"PYTHONUNBUFFERED": "1", "FLASK_APP": "wsgi", "BIND": "127.0.0.1", "WEB_CONCURRENCY": "1"}
        # A third of a start is compiling: once is enough.
        self.env.pop("PYTHONDONTWRITEBYTECODE", None)
        self.env["PATH"] = f"{pathlib.Path(sys.executable).parent}{os.pathsep}{self.env['PATH']}"
        self.env |= {"PORT": port_of(self.web), "DOOR_PORT": port_of(self.door)}
        if self.postgres.process:
            self.once("flask", "bootstrap", "--superuser-url", self.postgres.url())
        if not migrated:
            self.once("flask", "db", "upgrade")

    def once(self, *command: str) -> str:
        """Runs a command to its end. Raises `Missing` with its output when it fails."""
        done = subprocess.run(command, env=self.env, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Missing(f"{' '.join(command[:3])} failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    def start(self, name: str, command: str = "") -> Part:
        """Starts a part: of the Procfile, unless a command is given."""
        command = command or procfile(self.env)[name]
        self.parts[name] = Part(name, command, self.env, self.folder / "logs" / f"{name}.log").start()
        return self.parts[name]

    def wait_for(self, url: str, seconds: float = START_SECONDS) -> None:
        """Until it answers. A part that has ended is noticed at once; one that lives may be slow."""
        end = time.monotonic() + seconds
        while not answers(url):
            self.check_alive()
            if time.monotonic() > end:
                raise Missing(f"{url} does not answer. See {self.folder / 'logs'}.")
            time.sleep(0.05)

    def check_alive(self) -> None:
        for part in self.parts.values():
            if not part.is_alive:
                raise Missing(f"{part.name} stopped:\n{part.log.read_text(errors='replace')[-2000:]}")

    def stop(self) -> None:
        for part in self.parts.values():
            part.ask_to_stop()
        for part in self.parts.values():
            part.wait_for_end()
        self.redis.stop()
        self.postgres.stop()


def given_databases() -> dict[str, str]:
    given = {name: os.environ[name] for name in DATABASES if name in os.environ}
    if given and len(given) < len(DATABASES):
        raise Missing(f"With a database of your own, set all of {', '.join(DATABASES)}.")
    return given


def procfile(env: dict[str, str]) -> dict[str, str]:
    """The command of each process, with what these variables say."""
    lines = (line.partition(": ") for line in (ROOT / "Procfile").read_text().splitlines())
    return {name: expand(command, env) for name, _, command in lines}


def expand(command: str, env: dict[str, str]) -> str:
    """A Procfile's line, as a shell reads its `${NAME:-default}`."""
    done = subprocess.run(["/bin/sh", "-c", f"echo {command}"], env=env, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def port_of(url: str) -> str:
    return url.rpartition(":")[2]


def free_port(wanted: int) -> int:
    """The first port from this one on that is neither in use nor chosen by another program of ours, which may bind it
    a minute later. The choice holds until this process ends."""
    LEASES.mkdir(exist_ok=True)
    for port in range(wanted, wanted + 50):
        if port in chosen or not is_free(port):
            continue
        lease = (LEASES / str(port)).open("w")
        try:
            fcntl.flock(lease, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lease.close()
            continue
        chosen[port] = lease
        return port
    raise Missing(f"No free port from {wanted} on.")


@atexit.register
def give_back() -> None:
    """Frees what this process has chosen."""
    while chosen:
        chosen.popitem()[1].close()


def is_free(port: int) -> bool:
    with socket.socket() as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return bool(response.status == 200)
    except OSError:
        return False
