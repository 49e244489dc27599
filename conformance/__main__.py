"""`make conformance META_OPENAPI=<file>`: compares our calls and the simulator with Meta's description.

`python -m conformance FILE`. Meta's file is not part of this repository.
"""

from __future__ import annotations

import os
import pathlib
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

from conformance import explaining
from conformance.clients import running
from conformance.clients.setting import Receiver
from conformance.comparing import Comparison, Difference, compare
from conformance.description import Description, Unreadable
from conformance.explaining import Explanation
from conformance.traffic import Traffic
from dev import environment
from dev.services import Missing
from dev.stack import Part, answers

USAGE = """Name Meta's OpenAPI description of the WhatsApp Business API, a file outside this repository:
  make conformance META_OPENAPI=<file>"""


def main(arguments: list[str]) -> int:
    """Compares and runs the clients; 0 if nothing is left unexplained."""
    if len(arguments) != 1:
        print(USAGE)
        return 2
    try:
        description = Description.read(pathlib.Path(arguments[0]))
        with Receiver().running() as receiver, simulated_meta(receiver.url) as url:
            traffic = Traffic(url)
            traffic.run()
            traffic.close()
            results = running.run_all(url, receiver)
    except (Missing, Unreadable) as trouble:
        print(trouble)
        return 2
    worst = running.report(results, running.explanations())
    return max(worst, report(compare(description, traffic.exchanges, traffic.kinds), len(traffic.exchanges)))


@contextmanager
def simulated_meta(callback_url: str = "http://127.0.0.1:9") -> Iterator[str]:
    """Runs a simulator on a free port until the block ends."""
    url = f"http://127.0.0.1:{unused_port()}"
    with tempfile.TemporaryDirectory(prefix="switchboard-conformance-") as name:
        folder = pathlib.Path(name)
        env = os.environ | environment.simulator(url, callback_url, str(folder / "simulator"))
        part = Part("simulator", f"{sys.executable} -m simulator --speed 200", env, folder / "simulator.log").start()
        try:
            wait_for(part, url)
            yield url
        finally:
            part.stop()


def unused_port() -> int:
    """One that the system picks, so that two runs at once hardly ever get the same."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(part: Part, url: str, seconds: float = 30) -> None:
    """Waits until the simulator answers."""
    end = time.monotonic() + seconds
    while not answers(url):
        if not part.is_alive or time.monotonic() > end:
            raise Missing(f"The simulator does not answer:\n{part.log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.05)


def report(comparison: Comparison, exchanges: int) -> int:
    """Prints every difference; 1 if one is unexplained or an explanation is unused."""
    explained, stale = explaining.explain(comparison.differences, explaining.read())
    open_ones = [difference for difference, explanation in explained if explanation is None]
    for difference, explanation in sorted(explained, key=lambda one: (one[1] is None, one[0].edge, one[0].what)):
        show(difference, explanation)
    for explanation in stale:
        print(f"STALE  {explanation.edge}  {explanation.what}\n       explains nothing any more")
    print(f"not described: {len(comparison.undescribed)} edges: {', '.join(sorted(comparison.undescribed))}")
    print(
        f"{exchanges} requests, {len(comparison.edges)} described edges: {len(explained) - len(open_ones)} differences"
        f" explained, {len(open_ones)} unexplained, {len(stale)} stale explanations"
    )
    return int(bool(open_ones or stale))


def show(difference: Difference, explanation: Explanation | None) -> None:
    """Prints one difference."""
    print(f"{'meant' if explanation else 'DIFFERS'}  {difference.edge}  {difference.what}")
    if explanation:
        print(f"       {explanation.reason} ({explanation.page}, {explanation.date})")
    else:
        print(f"       is   {difference.found}\n       says {difference.says}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
