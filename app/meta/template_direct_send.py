"""Direct Send: a utility message without a template, on accounts that have it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .errors import MetaError
from .template_problems import Problem


def direct_send_body(content: Mapping[str, Any], category: str = "utility", ttl: int | None = None) -> dict[str, Any]:
    """An ordinary `content` (text or interactive) as one that opens a conversation without a template."""
    raise NotImplementedError


def problems_of_direct_send(content: Mapping[str, Any], language: str) -> list[Problem]:
    """What Direct Send would refuse, and promotional words."""
    raise NotImplementedError


def is_not_enabled(error: MetaError) -> bool:
    """Whether the account does not have Direct Send."""
    raise NotImplementedError


def is_blocked(error: MetaError) -> bool:
    """Whether Meta took Direct Send away because of misuse."""
    raise NotImplementedError
