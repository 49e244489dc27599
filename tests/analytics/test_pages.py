"""The pages of reports: who sees what, what each figure opens, and its CSV."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from app.tenancy import Actor, db, tenant_scope
from tests.client import Browser
from tests.world import World

from .conftest import Bakery, berlin

OF_THE_5TH = "from=2026-10-05&to=2026-10-05"
PAGES = ("", "/agents", "/surveys", "/delivery", "/conversations?kind=opened", "/messages?direction=inbound")


@pytest.fixture
def busy(bakery: Bakery) -> Bakery:
    """A day on which Ben replied once, Ann twice, and a customer was not happy."""
    bakery.hears(berlin(5, "10:00"))
    bakery.says(berlin(5, "10:10"), bakery.ben)
    bakery.hears(berlin(5, "10:20"))
    bakery.says(berlin(5, "10:25"), bakery.ann)
    bakery.says(berlin(5, "10:26"), bakery.ann, state="failed", error={"code": 131026, "title": "Not on WhatsApp"})
    bakery.does(berlin(5, "10:30"), "resolved", bakery.ann)
    survey = bakery.says(berlin(5, "10:30"), Actor.system("survey"))
    bakery.rates(berlin(5, "10:31"), "bad", survey)
    bakery.hears(berlin(5, "10:32"), body="The bread was cold")
    bakery.hears(berlin(5, "11:00"), "=1+1")
    bakery.count()
    return bakery


@pytest.fixture
def owner(app: Flask, bakery: Bakery) -> Browser:
    return Browser(app, "bakery").signed_in_as(bakery.world.ann)


@pytest.fixture
def agent(app: Flask, bakery: Bakery) -> Browser:
    return Browser(app, "bakery").signed_in_as(bakery.world.ben)


def of_day(page: str) -> str:
    return f"~/reports{page}{'&' if '?' in page else '?'}{OF_THE_5TH}"


def card(html: str, name: str) -> str:
    (count,) = re.findall(rf'data-testid="{name}">.*?figure-count"[^>]*>([^<]*)<', html, re.DOTALL)
    return str(count)


@pytest.mark.parametrize("page", PAGES)
def test_every_page_shows_the_day_to_an_owner_and_to_an_agent(
    busy: Bakery, owner: Browser, agent: Browser, page: str
) -> None:
    assert owner.get(of_day(page)).status_code == agent.get(of_day(page)).status_code == 200


@pytest.mark.parametrize("page", PAGES)
def test_a_business_without_any_figures_has_the_pages_too(owner: Browser, page: str) -> None:
    assert owner.get(f"~/reports{page}").status_code == 200


def test_a_stranger_finds_nothing(app: Flask, busy: Bakery) -> None:
    stranger = Browser(app, "bakery").signed_in_as(busy.world.sue)
    assert {stranger.get(of_day(page)).status_code for page in PAGES} == {404}


def test_the_overview_has_the_figures_of_the_day(busy: Bakery, owner: Browser) -> None:
    html = owner.get(of_day("")).text
    assert (card(html, "received"), card(html, "opened"), card(html, "resolved")) == ("4", "2", "1")


def test_an_agent_reads_only_what_they_did(busy: Bakery, agent: Browser) -> None:
    overview, team = agent.get(of_day("")).text, agent.get(of_day("/agents")).text
    assert card(overview, "sent") == "1" and card(overview, "resolved") == "0" and "received" not in overview
    assert "Ben" in team and "Ann" not in team
    assert "Bread" not in agent.get(of_day("/messages?direction=inbound")).text
    address = f"{of_day('/agents')}&of={busy.world.ann.id}&agent={busy.world.ann.id}"
    assert "Ann" not in agent.get(address).text


def test_each_list_of_an_agent_has_their_own(busy: Bakery, agent: Browser) -> None:
    listed = agent.get(of_day("/conversations?kind=next_response")).text
    resolved = agent.get(of_day("/conversations?kind=resolved")).text
    assert "Carla" not in listed and "Carla" not in resolved
    assert "Carla" in agent.get(of_day("/conversations?kind=first_response")).text


@pytest.mark.parametrize("table", ["days", "agents", "breakdown", "surveys", "templates"])
def test_the_tables_of_an_agent_are_their_own_too(busy: Bakery, agent: Browser, owner: Browser, table: str) -> None:
    path = of_day(f"/export?table={table}&by=agent")
    mine, all_of_it = agent.get(path).text, owner.get(path).text
    assert mine != all_of_it and "Ann" not in mine


def test_each_figure_opens_what_it_counts(busy: Bakery, owner: Browser) -> None:
    html = owner.get(of_day("")).text
    links = dict(re.findall(r'data-testid="(\w+)">.*?figure-count" href="([^"]*)"', html, re.DOTALL))
    for name, link in links.items():
        listed = owner.get(link.replace("&amp;", "&")).text
        rows = listed.count('<li><span class="min-w-0')
        assert str(rows) == card(html, name), name


def test_the_team_is_sorted_as_one_likes(busy: Bakery, owner: Browser) -> None:
    by_replies = owner.get(of_day("/agents")).text
    by_speed = owner.get(of_day("/agents?sort=next_response")).text
    by_first = owner.get(of_day("/agents?sort=first_response")).text
    names = [re.findall(r"<bdi>(Ann|Ben)</bdi>", html) for html in (by_replies, by_speed, by_first)]
    assert names == [["Ann", "Ben"], ["Ann", "Ben"], ["Ben", "Ann"]]


def test_a_bad_rating_leads_to_what_the_customer_wrote_then(busy: Bakery, owner: Browser) -> None:
    html = owner.get(of_day("/surveys")).text
    assert "The bread was cold" in html and "at=" in html and "0%" in html


def test_delivery_names_the_reason_and_the_way_out(busy: Bakery, owner: Browser) -> None:
    html = owner.get(of_day("/delivery")).text
    assert "Not on WhatsApp" in html and "/failures?" in html


def test_csv_is_text_to_a_spreadsheet(busy: Bakery, owner: Browser) -> None:
    with tenant_scope(busy.tenant.id):
        db.session.execute(db.text("update users set name = '=cmd' where id = :id"), {"id": busy.world.ann.id})
    response = owner.get(of_day("/export?table=agents"))
    assert response.headers["Content-Type"].startswith("text/csv") and '"\'=cmd"' in response.text
    assert owner.get(of_day("/export?table=nonsense")).status_code == 404


def test_nonsense_in_the_address_is_the_last_week(owner: Browser) -> None:
    for address in ("period=x", "from=x&to=2026-13-45", "from=9999-01-01", "from=0001-01-01", "from=2020-01-01"):
        assert owner.get(f"~/reports?{address}").status_code == 200


@pytest.mark.parametrize(("sort", "shown"), [("", "1 min"), ("slowest", "5 min")])
def test_conversations_of_a_member_are_listed_as_they_are_counted(
    busy: Bakery, owner: Browser, sort: str, shown: str
) -> None:
    """Ann replied twice in one of them: after 5 minutes, and after 1."""
    busy.hears(berlin(5, "10:27"))
    busy.says(berlin(5, "10:28"), busy.ann)
    busy.count()
    listed = owner.get(of_day(f"/conversations?agent={busy.world.ann.id}&sort={sort}")).text
    assert listed.count('<li><span class="min-w-0') == 1 and f">{shown}" in listed


def test_a_list_says_what_it_is_narrowed_to(busy: Bakery, owner: Browser) -> None:
    ratings = owner.get(of_day(f"/conversations?kind=survey&score=bad&agent={busy.world.ann.id}")).text
    hour = owner.get(of_day("/messages?direction=inbound&weekday=0&hour=9")).text
    assert "Survey</h1>" in ratings and "<bdi>Ann</bdi>" in ratings and "<bdi>Bad</bdi>" in ratings
    assert "Messages received</h1>" in hour and "<bdi>Monday</bdi>" in hour and "<bdi>09:00 to 10:00</bdi>" in hour


def test_nonsense_narrows_a_list_to_no_words(busy: Bakery, owner: Browser) -> None:
    for name in ("score", "who", "day", "weekday", "hour", "tag", "number", "template", "reached"):
        assert owner.get(of_day(f"/messages?{name}=%C2%B2")).status_code == 200
        assert owner.get(of_day(f"/conversations?{name}=-1")).status_code == 200


def test_a_business_without_a_number_is_shown_what_to_do(app: Flask, world: World) -> None:
    html = Browser(app, "bakery").signed_in_as(world.ann).get("~/reports").text
    assert "Connect your WhatsApp number" in html and "still being counted" not in html


def test_without_messages_none_is_shown_as_on_its_way(owner: Browser) -> None:
    html = owner.get("~/reports/delivery").text
    assert "No messages were sent in this period." in html and "is on its way" not in html


def test_days_that_a_report_leaves_out_are_named(busy: Bakery, owner: Browser) -> None:
    words = "A report covers at most 366 days."
    assert words in owner.get("~/reports?from=2024-01-01&to=2026-01-31").text
    assert words not in owner.get("~/reports?from=2026-01-01&to=2026-01-31").text
