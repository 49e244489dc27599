"""What the assistant may look up about the customer whom it answers. Features above it register what they have."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

# How the names of these tools begin.
LOOKUP = "look_up_"
MOST_LINES, LONGEST_LINE = 20, 500

# Gets the contact, which is never the model's to choose.
Read = Callable[[uuid.UUID], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Lookup:
    """`title` is for the page, `description` for the model; `words` are those of questions that it may answer."""

    name: str
    title: str
    description: str
    words: str
    read: Read

    @property
    def key(self) -> str:
        """What the model calls it."""
        return f"{LOOKUP}{self.name}"

    def answer(self, contact_id: uuid.UUID) -> str:
        """A line for each thing; one that says that there is none."""
        lines = [" ".join(line.split())[:LONGEST_LINE] for line in self.read(contact_id)[:MOST_LINES]]
        return "\n".join(lines) or "There are none."


LOOKUPS: dict[str, Lookup] = {}


def assistant_lookup(name: str, title: str, description: str, words: str) -> Callable[[Read], Read]:
    """Registers a function that says what there is about a contact."""

    def register(read: Read) -> Read:
        LOOKUPS[name] = Lookup(name, title, description, words, read)
        return read

    return register
