"""What is wrong with a template or with what is sent with it, in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

WORDS: dict[str, str] = {}
WARNINGS: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Problem:
    """`path` points at the field of a form: `name`, `body`, `body.examples.<variable>`, `buttons.2.url`, `cards.1.body`."""

    path: str
    kind: str
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def is_warning(self) -> bool:
        """Whether Meta may take it, but often refuses it."""
        return self.kind in WARNINGS

    def explain(self, translate: Callable[[str], str] = str) -> str:
        """What is wrong and what to change."""
        return translate(WORDS[self.kind]).format(**self.facts)
