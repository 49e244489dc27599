"""What is not as it must be: named, not only counted."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

KINDS = ("lost", "doubled", "wrong", "stuck", "unexplained", "slow")
SHOWN = 5


@dataclass(frozen=True)
class Finding:
    kind: str
    what: str
    which: Any
    expected: Any = None
    found: Any = None

    def __str__(self) -> str:
        return f"{self.kind}: {self.what} {self.which}: expected {self.expected!r}, found {self.found!r}"


def differences(what: str, expected: Mapping[Any, Any], found: Iterable[tuple[Hashable, Any]]) -> list[Finding]:
    """Row by row: what is missing, what is there twice or was never sent, what says something else."""
    rows = list(found)
    counts = Counter(key for key, _ in rows)
    values = dict(rows)
    lost = [Finding("lost", what, key, value) for key, value in expected.items() if key not in values]
    doubled = [Finding("doubled", what, key, 1, count) for key, count in counts.items() if count > 1]
    invented = [Finding("wrong", what, key, None, value) for key, value in values.items() if key not in expected]
    wrong = [
        Finding("wrong", what, key, value, values[key])
        for key, value in expected.items()
        if key in values and values[key] != value
    ]
    return lost + doubled + invented + wrong


def show(findings: list[Finding]) -> None:
    """The first of each sort by name, the rest by number."""
    sorts: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for finding in findings:
        sorts[finding.kind, finding.what].append(finding)
    for same in sorts.values():
        for finding in same[:SHOWN]:
            print(f"  ✗ {finding}")
        if len(same) > SHOWN:
            print(f"    … and {len(same) - SHOWN:,} more of these")
