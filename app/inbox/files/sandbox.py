"""Runs a program of ours on a stranger's file, in a process of its own that can do no harm.

Decoders of pictures and sound have had holes. The program gets the file as its stdin and answers on stdout. It has no
environment, imports nothing of the app, cannot write a file, and is limited in memory and time.
"""

from __future__ import annotations

import pathlib
import resource
import runpy
import subprocess
import sys
from threading import Timer
from typing import BinaryIO

LARGEST_OUTPUT = 32 * 1024 * 1024


def run(program: pathlib.Path, data: BinaryIO, *, memory: int, seconds: int) -> bytes | None:
    """Returns what the program wrote, or None where it failed, wrote too much or took too long.

    `memory` is in bytes; of the `seconds`, half may be spent on the processor. `data` has to have a descriptor.
    """
    data.seek(0)
    command = [sys.executable, "-I", __file__, str(program), str(memory), str(seconds // 2)]
    with subprocess.Popen(command, stdin=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={}) as process:
        assert process.stdout
        timer = Timer(seconds, process.kill)
        timer.start()
        try:
            output = process.stdout.read(LARGEST_OUTPUT + 1)
            if len(output) > LARGEST_OUTPUT:
                process.kill()
            return output if process.wait() == 0 else None
        finally:
            timer.cancel()


def confine(memory: int, cpu_seconds: int) -> None:
    """Takes from this process what a decoder does not need."""
    for limited, limit in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, cpu_seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 32),
        (resource.RLIMIT_CORE, 0),
    ):
        try:
            resource.setrlimit(limited, (limit, limit))
        except (OSError, ValueError):  # not every system has every limit
            continue


if __name__ == "__main__":
    confine(int(sys.argv[2]), int(sys.argv[3]))
    runpy.run_path(sys.argv[1], run_name="__main__")
