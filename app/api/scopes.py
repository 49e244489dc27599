"""What a key may do: a resource and a verb each, declared beside the endpoints that ask for it."""

from __future__ import annotations

from dataclasses import dataclass

SCOPES: dict[str, Scope] = {}


@dataclass(frozen=True, slots=True)
class Scope:
    """`name` is such as "messages:read"; `words` say what it allows (`N_`). A risky one is not chosen beforehand."""

    name: str
    words: str
    is_risky: bool = False


def scope(name: str, words: str, *, is_risky: bool = False) -> str:
    """Declares a scope. Returns its name, for `endpoint`."""
    SCOPES[name] = Scope(name, words, is_risky)
    return name
