"""`make bugs`: puts deliberate bugs into a copy of the tree, one at a time; the tests must catch every one.

`python -m bench.bugs [WORD …]` tries those whose names contain a word.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import cache_from_source

from bench.report import table
from dev.stack import ROOT
from tests.databases import MIGRATED, migrated_postgres

LIST = pathlib.Path(__file__).with_name("bugs.toml")
LEFT_OUT = shutil.ignore_patterns(".git", ".local", ".venv", "node_modules", "__pycache__", ".*_cache")
SHARED = (".venv", "node_modules")
# Where a bug can only be seen while a database is migrated.
MIGRATING = ("migrations/", "app/bootstrap.py", "app/tenancy/cluster.py")
FAILED = 1  # what pytest answers when tests ran and some failed


@dataclass
class Bug:
    name: str
    file: str
    old: str
    new: str
    tests: list[str]


class Copy:
    """A tree of its own, in which anything may be broken. Its tests start a copy of a Postgres migrated before."""

    def __init__(self, folder: pathlib.Path, migrated: str) -> None:
        self.root, self.migrated = folder / "tree", migrated
        shutil.copytree(ROOT, self.root, ignore=LEFT_OUT)
        for name in SHARED:
            (self.root / name).symlink_to((ROOT / name).resolve())

    def test(self, tests: Iterable[str], *options: str, migrates: bool = False) -> int:
        env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        if not migrates:
            env[MIGRATED] = self.migrated
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, *tests]
        # Into a file, and in a session of its own: what a run leaves behind that had to be ended is ended too.
        with tempfile.TemporaryFile("w+") as output:
            process = subprocess.Popen(
                command, cwd=self.root, env=env, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
            )
            status = process.wait()
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            output.seek(0)
            self.output = output.read()
        return status

    def try_out(self, bug: Bug) -> str:
        path = self.root / bug.file
        right = path.read_text()
        if right.count(bug.old) != 1:
            return f"its text is there {right.count(bug.old)} times"
        try:
            self.write(path, right.replace(bug.old, bug.new))
            found = self.test(bug.tests, "-x", migrates=bug.file.startswith(MIGRATING)) == FAILED
            return "" if found else "survived"
        finally:
            self.write(path, right)

    def write(self, path: pathlib.Path, source: str) -> None:
        """Without what was compiled of it: an edit within the same second would not be noticed."""
        path.write_text(source)
        pathlib.Path(cache_from_source(str(path))).unlink(missing_ok=True)

    @property
    def caught_by(self) -> str:
        lines = (line.split()[1] for line in self.output.splitlines() if line.startswith(("FAILED ", "ERROR ")))
        return next(lines, "").rpartition("::")[2][:70]


def main(words: list[str]) -> int:
    if any(word.startswith("-") for word in words):
        print(__doc__)
        return 2
    bugs = [Bug(**each) for each in tomllib.loads(LIST.read_text())["bug"]]
    chosen = [bug for bug in bugs if not words or any(word in bug.name for word in words)]
    folder = pathlib.Path(tempfile.mkdtemp(prefix="switchboard-bugs-", dir="/tmp"))
    try:
        with migrated_postgres() as migrated:
            return run([Copy(folder / str(number), migrated) for number in range(os.cpu_count() or 1)], chosen)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run(copies: list[Copy], bugs: list[Bug]) -> int:
    """Bugs are tried side by side, each copy of the tree has one at a time."""
    tests = sorted({test for bug in bugs for test in bug.tests})
    if copies[0].test(tests, "-n", str(len(copies)), "--dist", "worksteal"):
        print(f"Without any bug the tests fail already:\n{copies[0].output[-3000:]}")
        return 1
    free: queue.SimpleQueue[Copy] = queue.SimpleQueue()
    for copy in copies:
        free.put(copy)

    def row(bug: Bug) -> list[str]:
        copy, started = free.get(), time.monotonic()
        try:
            trouble = copy.try_out(bug)
            print("." if not trouble else f"\n{bug.name}: {trouble}\n", end="", flush=True)
            return [bug.name, trouble.upper() or copy.caught_by, f"{time.monotonic() - started:.0f} s", trouble]
        finally:
            free.put(copy)

    with ThreadPoolExecutor(len(copies)) as pool:
        rows = list(pool.map(row, bugs))
    survivors = sum(bool(trouble) for *_, trouble in rows)
    shown = [columns for *columns, _ in rows]
    table(f"{len(bugs)} deliberate bugs, {len(bugs) - survivors} caught", ["", "by", ""], shown)
    return int(bool(survivors))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
