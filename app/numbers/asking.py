"""Calls to Meta about a number while somebody waits for the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from app.meta.graph import GraphClient
from app.wabas import asking
from app.wabas.asking import Problem
from app.wabas.models import PhoneNumber

T = TypeVar("T")

__all__ = ["Problem", "ask"]


def ask(number: PhoneNumber, call: Callable[[GraphClient, str, str], T]) -> tuple[T | None, Problem | None]:
    """Meta's answer to `call`, which gets the client, the token and the number's id at Meta; or the problem.

    Commits first. Only one of the two is not None.
    """
    meta_id = number.meta_id
    return asking.ask(number.waba, lambda graph, token: call(graph, token, meta_id))
