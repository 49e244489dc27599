"""Where a place is, as it is pasted: two numbers, or the address of a map."""

from __future__ import annotations

import re

NUMBER = r"(-?\d{1,3}(?:\.\d+)?)"
# Google's place before its viewport; then OpenStreetMap's, whose first number is the zoom; then any pair.
SHAPES = tuple(
    re.compile(shape)
    for shape in (
        rf"!3d{NUMBER}!4d{NUMBER}",
        rf"[?&#]mlat={NUMBER}&mlon={NUMBER}",
        rf"map=\d+(?:\.\d+)?/{NUMBER}/{NUMBER}",
        rf"(?<![\d.]){NUMBER}\s*(?:,|;|%2C)\s*\+?{NUMBER}",
    )
)
LONGEST = 2_000


def point_in(pasted: str) -> tuple[str, str] | None:
    """Latitude and longitude; None where it names no point. A shortened link does not."""
    found = next((match for shape in SHAPES if (match := shape.search(pasted[:LONGEST]))), None)
    if found is None:
        return None
    latitude, longitude = found.groups()
    return (latitude, longitude) if abs(float(latitude)) <= 90 and abs(float(longitude)) <= 180 else None
