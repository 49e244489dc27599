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
    """Why a difference is intended. A `*` in `edge` or `what` matches anything."""

    edge: str
    what: str
    reason: str
    page: str
    date: str

    def covers(self, difference: Difference) -> bool:
        """True if the explanation is about the difference."""
        return _matches(self.edge, difference.edge) and _matches(self.what, difference.what)


def read(path: pathlib.Path = EXPLAINED) -> list[Explanation]:
    """Reads the explanations."""
    return [Explanation(**entry) for entry in tomllib.loads(path.read_text(encoding="utf-8")).get("explained", [])]


def explain(
    differences: Iterable[Difference], explanations: list[Explanation]
) -> tuple[list[tuple[Difference, Explanation | None]], list[Explanation]]:
    """Returns each difference with its explanation, and the unused explanations."""
    explained = [
        (difference, next((one for one in explanations if one.covers(difference)), None)) for difference in differences
    ]
    used = {explanation for _, explanation in explained}
    return explained, [one for one in explanations if one not in used]


def _matches(pattern: str, text: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text) is not None
