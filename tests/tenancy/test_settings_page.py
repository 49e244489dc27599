"""One page leads to everything that can be set up; whoever may not change something is not led there."""

from __future__ import annotations

import re

from tests.client import Browser
from tests.world import World


def places(page: str) -> list[str]:
    return re.findall(r'class="row-link[^"]*" href="([^"]+)"', page)


def test_every_place_opens_for_whoever_sees_it(ann: Browser, ben: Browser, world: World) -> None:
    for somebody in (ann, ben):
        results = places(somebody.get("~/settings").text)
        assert results and all(somebody.get(path).status_code == 200 for path in results)


def test_every_place_begins_with_the_way_back(ann: Browser, world: World) -> None:
    """Except the first page of a new business, and what the rail leads to as well."""
    page = ann.get("~/settings").text
    rail = re.findall(r'href="([^"]+)"', page.partition('aria-label="Places"')[2].partition("</nav>")[0])
    assert "/t/bakery/numbers" in rail
    for path in {place.partition("#")[0] for place in places(page)} - {*rail, "/t/bakery/welcome"}:
        content = ann.get(path).text.partition('id="main"')[2]
        assert content.index("<a ") < content.index("<h1"), path


def test_an_agent_is_not_led_to_the_team(ann: Browser, ben: Browser, world: World) -> None:
    assert "/t/bakery/team" in places(ann.get("~/settings").text)
    assert "/t/bakery/team" not in places(ben.get("~/settings").text)


def test_a_stranger_sees_nothing_of_it(sue: Browser, world: World) -> None:
    assert sue.get("~/settings").status_code == 404
