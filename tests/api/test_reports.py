"""Reports for programs: the same figures, and only of the numbers that a key reaches."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine

from tests.analytics.conftest import NOW, Bakery, berlin
from tests.api.conftest import Caller, MakeCaller, team_without_numbers
from tests.world import World

DAY = "from=2026-10-05&to=2026-10-05"
NAMES = ("overview", "agents", "surveys", "delivery")


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    with time_machine.travel(NOW, tick=True):
        yield


@pytest.fixture
def bakery(world: World, clock: None) -> Bakery:
    """A day on which Ben replied to Carla within ten minutes."""
    made = Bakery(world, world.connect_numbers()[0])
    made.open_from("09:00–17:00", first_response_minutes=5)
    made.hears(berlin(5, "10:00"))
    made.says(berlin(5, "10:10"), made.ben)
    made.count()
    return made


def test_the_overview_has_the_figures_of_the_page(bakery: Bakery, shop: Caller) -> None:
    body = shop.get(f"/reports/overview?{DAY}").get_json()
    assert body["period"] == {"from": "2026-10-05", "to": "2026-10-05", "time_zone": "Europe/Berlin"}
    assert (body["received"], body["sent"], body["opened"], body["resolved"]) == (1, 1, 1, 0)
    timing = {"median": 600, "p90": 600, "open_median": 600, "open_p90": 600}
    assert body["first_response"] == {"count": 1, "timing": timing}
    assert body["targets"] == {"count": 1, "missed": 1}
    assert body["hours"] == [{"weekday": 0, "hour": 10, "received": 1}]


def test_the_others_too(bakery: Bakery, shop: Caller) -> None:
    (agent,) = shop.get(f"/reports/agents?{DAY}").get_json()["data"]
    assert (agent["name"], agent["replies"], agent["conversations"]) == ("Ben", 1, 1)
    assert shop.get(f"/reports/delivery?{DAY}").get_json()["total"]["read"] == 1
    assert shop.get(f"/reports/surveys?{DAY}").get_json()["total"] == {"good": 0, "fair": 0, "bad": 0}


@pytest.mark.parametrize("name", NAMES)
def test_a_key_of_a_team_counts_what_happened_on_its_numbers(bakery: Bakery, caller: MakeCaller, name: str) -> None:
    team = team_without_numbers(bakery.tenant.id)
    mine, all_of_it = (
        each.get(f"/reports/{name}?{DAY}").get_json() for each in (caller(kind="team", team_id=team), caller())
    )
    assert mine != all_of_it or name == "surveys"
    assert "Ben" not in str(mine) and "600" not in str(mine)


@pytest.mark.parametrize("name", NAMES)
def test_a_key_of_another_business_counts_nothing(bakery: Bakery, caller: MakeCaller, name: str) -> None:
    body = caller(bakery.world.shoes).get(f"/reports/{name}?{DAY}")
    assert body.status_code == 200 and "Ben" not in body.text and "600" not in body.text


@pytest.mark.parametrize("query", ["from=2026-10-05&to=2026-10-01", "from=2020-01-01&to=2026-01-01", "from=x", "of=1"])
def test_days_that_make_no_sense_are_refused(bakery: Bakery, shop: Caller, query: str) -> None:
    assert shop.get(f"/reports/overview?{query}").status_code == 422


def test_a_key_needs_the_scope(bakery: Bakery, caller: MakeCaller) -> None:
    assert caller(scopes=["messages:read"]).get("/reports/overview").status_code == 403
