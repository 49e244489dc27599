"""A place as people paste it: the address of a map, or two numbers."""

from __future__ import annotations

import pytest

from app.inbox.compose.points import point_in


@pytest.mark.parametrize(
    "pasted",
    [
        "52.5200, 13.4050",
        "52.5200;13.4050",
        "geo:52.5200,13.4050?z=15",
        "https://www.google.com/maps/@52.5200,13.4050,15z",
        "https://www.google.com/maps/place/Bakery/@52.6,13.5,17z/data=!3m1!4b1!4m5!3d52.5200!4d13.4050",
        "https://maps.google.com/?q=52.5200%2C13.4050",
        "https://maps.apple.com/?ll=52.5200,13.4050&q=Bakery",
        "https://www.openstreetmap.org/?mlat=52.5200&mlon=13.4050#map=15/52.6/13.5",
        "https://www.openstreetmap.org/#map=15/52.5200/13.4050",
    ],
)
def test_a_link_from_a_map_names_the_point(pasted: str) -> None:
    assert point_in(pasted) == ("52.5200", "13.4050")


@pytest.mark.parametrize(
    "pasted", ["", "52.52", "Market Street 12", "https://maps.app.goo.gl/aBc12", "91.0, 13.4", "٥٢"]
)
def test_what_names_no_point_is_left_as_it_is(pasted: str) -> None:
    assert point_in(pasted) is None


def test_south_and_west_are_below_zero() -> None:
    assert point_in("-33.45,-70.66") == ("-33.45", "-70.66")
