"""Calls to Meta while somebody waits for the page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from app.crypto import Undecryptable
from app.extensions import outside
from app.meta.errors import MetaError
from app.meta.graph import GraphClient
from app.tenancy import commit
from app.words import N_

from .models import Waba

T = TypeVar("T")

NO_ACCESS = N_("Facebook access has ended.")
CONNECT = N_("Connect this number with Facebook again.")


@dataclass(frozen=True)
class Problem:
    """Why Meta refused: our words, what to do, and Meta's own words."""

    title: str
    fix: str
    details: str = ""
    code: int | None = None
    fbtrace_id: str | None = None


def ask(waba: Waba, call: Callable[[GraphClient, str], T]) -> tuple[T | None, Problem | None]:
    """Meta's answer to `call`, which gets the client and the account's token; or the problem.

    Commits first. Only one of the two is not None.
    """
    try:
        token = waba.token
    except Undecryptable:
        token = None
    if token is None:
        return None, Problem(NO_ACCESS, CONNECT)
    graph = outside().graph
    commit()
    try:
        return call(graph, token), None
    except MetaError as error:
        return None, Problem(error.title, error.fix, error.details or "", error.code, error.fbtrace_id)
