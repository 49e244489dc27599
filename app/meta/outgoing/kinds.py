"""A message to be sent, and why one cannot be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


class Refused(ValueError):
    """WhatsApp would not take it. Says so in words, with what is too much or missing."""

    def __init__(self, words: str, **facts: object) -> None:
        super().__init__(words)
        self.words, self.facts = words, facts

    def explain(self, translate: Callable[[str], str] = str) -> str:
        return translate(self.words).format(**self.facts)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to send: `raw` is Meta's content under the type's name, `words` the text of the message.

    `shown` is how the message looks where `raw` does not tell: a template with its variables filled in.
    """

    type: str
    words: str = ""
    raw: dict[str, Any] = field(default_factory=dict)
    shown: dict[str, Any] | None = None
    # A code to sign in: worthless after minutes, harmless twice.
    is_code: bool = False
    # Meta's word for what it is for, of a message that goes by Direct Send: neither window nor template.
    category: str = ""

    @property
    def needs_window(self) -> bool:
        return self.type != "template" and not self.category


def within(value: str, most: int, words: str) -> str:
    """The value without spaces around it. `words` may name {value}, {most} and {over}."""
    tidy = value.strip()
    if (over := len(tidy) - most) > 0:
        raise Refused(words, value=tidy, most=most, over=over)
    return tidy


def needed(value: str, most: int, missing: str, words: str) -> str:
    if not value.strip():
        raise Refused(missing)
    return within(value, most, words)
