"""Why something isn't taken: words to be translated where somebody reads them, and the facts to fill in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

from app.meta.written_numbers import NotRead

from . import countries


class Refusal(ValueError):
    """Stored as data and explained in the reader's language."""

    def __init__(self, words: str, **facts: object) -> None:
        super().__init__(words)
        self.words, self.facts = words, facts

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Self:
        return cls(str(stored["words"]), **stored["facts"])

    @classmethod
    def of(cls, problem: NotRead) -> Self:
        """A number that could not be read, which names countries by their codes."""
        return cls(problem.words, **problem.facts)

    def as_dict(self) -> dict[str, Any]:
        return {"words": self.words, "facts": {name: str(value) for name, value in self.facts.items()}}

    def explain(self, translate: Callable[[str], str] = str) -> str:
        facts = self.facts | {"country": countries.name_of(str(self.facts.get("country", "")))}
        return translate(self.words).format(**facts)
