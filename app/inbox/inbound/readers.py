"""Messages that a feature reads as an answer to something of its own: a tap on a button of a reminder, its word typed.

Such a feature answers by itself. So nothing else does: no automation begins with the message, neither the assistant
nor the out-of-office reply answers it. People see it in the thread like any other.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence

from app.inbox.conversations import Message

# Each gets messages of one tenant and returns those that it reads, the same whenever it is asked.
Read = Callable[[Sequence[Message]], set[uuid.UUID]]
READERS: list[Read] = []


def reads_messages(read: Read) -> Read:
    """Registers a function that says which messages a feature reads."""
    READERS.append(read)
    return read


def read_by_features(messages: Sequence[Message]) -> set[uuid.UUID]:
    return set().union(*(read(messages) for read in READERS)) if messages else set()
