"""Turns passages and questions into vectors: by a small model on this machine, or by the business's own provider.

Both are off until a person switches one on; without it passages are found by their words alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.tenancy import commit

from .access import ModelAccess
from .assistant import Assistant
from .local_embedding import LOCAL_MODEL, embed_here, has_local_model
from .prices import Price, price_of
from .providers import calling
from .providers.completion import NOTHING, Endpoint, ModelError, Usage
from .vectors import Vector, normalised

LONGEST_QUESTION = 1_000


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked as a vector, the model that made it, and what that cost in micro-dollars."""

    model: str
    vector: Vector
    cost: int


@dataclass(frozen=True, slots=True)
class Embedder:
    """One way of making vectors. It needs no transaction."""

    kind: str
    model: str
    endpoint: Endpoint | None = None
    price: Price | None = None

    @classmethod
    def chosen(cls, assistant: Assistant | None) -> Embedder | None:
        """The one that a person has switched on; None where that is none or it is not there any more."""
        if assistant is None or not assistant.embedding:
            return None
        if assistant.embedding == "local":
            return cls("local", LOCAL_MODEL) if has_local_model() else None
        access = ModelAccess.usable()
        model = assistant.embedding_model or (access.embeds if access else "")
        if access is None or not access.embeds:
            return None
        return cls("provider", f"{access.provider}:{model}", access.endpoint(model), price_of(model))

    def embed(self, texts: Sequence[str], *, is_question: bool) -> tuple[list[Vector], Usage]:
        """A vector for each text. Raises `ModelError`."""
        if self.endpoint is None:
            return embed_here(texts, is_question=is_question), NOTHING
        made, usage = calling.embed(self.endpoint, texts, is_question=is_question)
        return [normalised(each) for each in made], usage

    def cost(self, usage: Usage) -> int | None:
        """In micro-dollars; the model here costs nothing, and the price of others may not be known."""
        if self.endpoint is None:
            return 0
        return self.price.of(usage.input, 0) if self.price else None


def question_of(texts: Sequence[str]) -> Question | None:
    """What was asked as a vector; None where that is off or fails, and words alone have to find it.

    Commits what was read before, since it may call a provider.
    """
    embedder = Embedder.chosen(Assistant.current())
    words = "\n".join(texts).strip()[:LONGEST_QUESTION]
    if embedder is None or not words:
        return None
    commit()
    try:
        (vector,), usage = embedder.embed([words], is_question=True)
    except ModelError:
        return None
    return Question(embedder.model, vector, embedder.cost(usage) or 0)
