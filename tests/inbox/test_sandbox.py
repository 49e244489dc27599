"""Programs that read strangers' files are limited in what they can do and how much they can take."""

from __future__ import annotations

import pathlib
import tempfile

import pytest

from app.inbox.files import sandbox


def run(tmp_path: pathlib.Path, source: str, *, seconds: int = 20) -> bytes | None:
    program = tmp_path / "program.py"
    program.write_text(source)
    with tempfile.TemporaryFile() as file:
        file.write(b"the file")
        return sandbox.run(program, file, memory=300_000_000, seconds=seconds)


def test_a_program_reads_the_file_from_the_beginning_and_returns_what_it_writes(tmp_path: pathlib.Path) -> None:
    assert run(tmp_path, "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read().upper())") == b"THE FILE"


@pytest.mark.parametrize(
    "source",
    [
        "import sys; sys.stdout.write('half'); sys.exit('failed')",
        "import sys\nwhile True: sys.stdout.buffer.write(bytes(1_000_000))",
        "print(len(bytes(400_000_000)))",
        "while True: pass",
        "import tempfile\nfile = tempfile.TemporaryFile()\nfile.write(b'x')\nfile.flush()\nprint('written')",
    ],
    ids=["fails", "writes without end", "takes too much memory", "computes without end", "writes a file"],
)
def test_a_program_that_fails_or_takes_too_much_returns_nothing(tmp_path: pathlib.Path, source: str) -> None:
    assert run(tmp_path, source, seconds=4) is None


def test_a_program_sees_nothing_of_the_environment(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "the key")
    assert b"SECRET_KEY" not in (run(tmp_path, "import os; print(dict(os.environ))") or b"SECRET_KEY")
