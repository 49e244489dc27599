"""How many messages Meta counted as delivered, by day: approximate, and without amounts where a partner pays."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .graph import GraphClient
from .payload import mapping, sequence, text

BY_NUMBER = ("PHONE", "COUNTRY", "PRICING_CATEGORY", "PRICING_TYPE")
# Meta gives tiers only with category and country.
BY_TIER = ("COUNTRY", "PRICING_CATEGORY", "PRICING_TYPE", "TIER")


@dataclass(frozen=True, slots=True)
class Volume:
    """`start` and `end` are Meta's: a day begins at midnight in the account's zone. Words are as in webhooks."""

    start: dt.datetime
    end: dt.datetime
    phone_number: str
    country: str
    category: str
    type: str
    volume: int
    tier: str = ""


def fetch(
    graph: GraphClient,
    token: str,
    waba_id: str,
    start: dt.datetime,
    end: dt.datetime,
    dimensions: Sequence[str] = BY_NUMBER,
) -> list[Volume]:
    """The volumes of these days (Meta's page “Analytics”, `pricing_analytics`). Raises MetaError."""
    params = {
        "start": str(int(start.timestamp())),
        "end": str(int(end.timestamp())),
        "granularity": "DAILY",
        "metric_types": json.dumps(["VOLUME"]),
        "dimensions": json.dumps(dimensions),
    }
    results = graph.pages(f"{waba_id}/pricing_analytics", token=token, params=params)
    return [volume for one in results for volume in read(mapping(one).get("data_points"))]


def read(points: object) -> Iterator[Volume]:
    """What can be read; a point without times or a volume is left out."""
    for point in map(mapping, sequence(points)):
        start, end, volume = (point.get(name) for name in ("start", "end", "volume"))
        if isinstance(start, int) and isinstance(end, int) and isinstance(volume, int):
            yield Volume(
                dt.datetime.fromtimestamp(start, dt.UTC),
                dt.datetime.fromtimestamp(end, dt.UTC),
                "".join(filter(str.isdecimal, text(point.get("phone_number"), 40) or "")),
                (text(point.get("country"), 2) or "").upper(),
                (text(point.get("pricing_category"), 60) or "").lower(),
                (text(point.get("pricing_type"), 60) or "").lower(),
                volume,
                text(point.get("tier"), 40) or "",
            )
