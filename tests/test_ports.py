"""Two demos and three test runs that start in the same second do not meet."""

from __future__ import annotations

import subprocess
import sys

from dev.stack import ROOT, free_port

CHOOSE = "from dev.stack import free_port; print(free_port(9640), flush=True); input()"


def test_programs_that_start_at_once_choose_different_ports() -> None:
    """None of them has bound its port when the next one chooses."""
    starting = [
        subprocess.Popen(
            [sys.executable, "-c", CHOOSE], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    assert len({one.stdout.readline() for one in starting if one.stdout}) == 4
    for one in starting:
        one.communicate("\n")


def test_a_port_is_chosen_once() -> None:
    assert free_port(9690) != free_port(9690)
