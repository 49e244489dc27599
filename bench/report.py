from __future__ import annotations


def table(title: str, heads: list[str], rows: list[list[str]]) -> None:
    widths = [max(len(row[n]) for row in [heads, *rows]) for n in range(len(heads))]
    print(f"\n{title}")
    for row in [heads, *rows]:
        print(
            "  "
            + "  ".join(
                cell.ljust(width) if n == 0 else cell.rjust(width)
                for n, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
        )


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]
