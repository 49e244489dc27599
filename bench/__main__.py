"""`make bench`: what it costs, as ratios within one run. `python -m bench drain live` chooses some of PARTS."""

from __future__ import annotations

import pathlib
import shutil
import sys
import tempfile

from bench import (
    acknowledge,
    api,
    assistant,
    day,
    desk,
    drain,
    fairness,
    hooks,
    inbox,
    listings,
    live,
    money,
    pace,
    reminders,
    rules,
    templates,
)
from dev.stack import Stack

PARTS = {
    "acknowledge": acknowledge.run,
    "drain": drain.run,
    "fairness": fairness.run,
    "live": live.run,
    "inbox": inbox.run,
    "desk": desk.run,
    "pace": pace.run,
    "money": money.run,
    "hooks": hooks.run,
    "api": api.run,
    "day": day.run,
    "templates": templates.run,
    "assistant": assistant.run,
    "listings": listings.run,
    "rules": rules.run,
    "reminders": reminders.run,
}


def main(chosen: list[str]) -> None:
    folder = pathlib.Path(tempfile.mkdtemp(prefix="switchboard-bench-", dir="/tmp"))
    folder.chmod(0o755)
    stack = Stack(folder, port=8300, seed="bench")
    try:
        stack.start_services()
        for name in chosen or PARTS:
            PARTS[name](stack)
    finally:
        stack.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1:])
