from __future__ import annotations

import pathlib
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass

from conformance.comparing import Difference

EXPLAINED = pathlib.Path(__file__).parent / "explained.toml"


@dataclass(frozen=True)
class Explanation:
    """Why a difference is meant. A `*` in `edge` or `what` stands for anything."""

    edge: str
    what: str
    reason: str
    page: str
    date: str

    def covers(self, difference: Difference) -> bool:
        return _matches(self.edge, difference.edge) and _matches(self.what, difference.what)


def read(path: pathlib.Path = EXPLAINED) -> list[Explanation]:
    return [Explanation(**entry) for entry in tomllib.loads(path.read_text(encoding="utf-8")).get("explained", [])]


def explain(
    differences: Iterable[Difference], explanations: list[Explanation]
) -> tuple[list[tuple[Difference, Explanation | None]], list[Explanation]]:
    """Each difference with what explains it, and the explanations that explain nothing."""
    found = [
        (difference, next((one for one in explanations if one.covers(difference)), None)) for difference in differences
    ]
    used = {explanation for _, explanation in found}
    return found, [one for one in explanations if one not in used]


def _matches(pattern: str, text: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text) is not None
