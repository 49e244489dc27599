"""The way back: one line above the title, made by one macro, on every page that has one."""

from __future__ import annotations

import pathlib
import re

import html5lib
import pytest
from flask import Flask

from tests.client import Browser
from tests.world import World

APP = pathlib.Path("app")
TEMPLATES = sorted(APP.rglob("*.html"))
ARROW = re.compile(r'icon\("arrow-left"\)')
# An arrow that leads to the page before, or to the month or the day before.
PAGING = re.compile(r"Previous|\.before")
# Panes of a phone: the arrow is beside the name, in the pane's own row.
PANES = {
    "inbox/templates/conversations/_head.html",
    "inbox/templates/desk/search.html",
    "welcome/templates/sample.html",
}
# Printed: what is not to be on paper is below the sheet.
SHEETS = {"entry_points/templates/sign.html"}
# Listed in the settings, and parts of another page that is listed there.
PARENTS = {
    "/t/bakery/push/": ("/t/bakery/account", "You"),
    "/t/bakery/account/two-step": ("/t/bakery/account", "You"),
    "/t/bakery/team/teams": ("/t/bakery/team", "Team"),
}
CALL = re.compile(r"\bback(?:_link)?\(")


def name_of(path: pathlib.Path) -> str:
    return path.relative_to(APP).as_posix()


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_a_template_draws_no_way_back_of_its_own(path: pathlib.Path) -> None:
    if name_of(path) == "templates/_ui.html" or name_of(path) in PANES | SHEETS:
        return
    lines = path.read_text().splitlines()
    for number, line in enumerate(lines):
        if ARROW.search(line):
            assert PAGING.search(" ".join(lines[max(0, number - 2) : number + 1])), f"use back_link: {line.strip()}"
        is_link = "<a " in line and "btn" not in line
        assert not (is_link and '_("Back' in line and 'extends "card.html"' not in lines[0] + lines[1]), line.strip()


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_the_way_back_comes_before_the_title(path: pathlib.Path) -> None:
    source = re.sub(r"\{%-? from .*?%\}|\{#.*?#\}", "", path.read_text(), flags=re.DOTALL)
    title, back = source.find("<h1"), CALL.search(source)
    if name_of(path) != "platform/templates/_ui.html" and title >= 0 and back:
        assert back.start() < title


def back_of(page: str) -> tuple[str, str] | None:
    """Where a page's way back leads, and its words. It comes before the title, and there is one at most."""
    main = html5lib.parse(page, namespaceHTMLElements=False).find(".//main")
    assert main is not None
    elements = list(main.iter())
    ways = [at for at, element in enumerate(elements) if "data-back" in element.attrib]
    titles = [at for at, element in enumerate(elements) if element.tag == "h1"]
    assert len(ways) <= 1
    if not ways:
        return None
    assert titles and ways[0] < titles[0]
    link = elements[ways[0]].find("a")
    assert link is not None
    return link.attrib["href"], "".join(link.itertext()).strip()


def addresses(app: Flask, beginning: str) -> list[str]:
    """Pages that need no id."""
    rules = [
        rule
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith(beginning) and "GET" in (rule.methods or set())
    ]
    return sorted({rule.rule.replace("<tenant_slug>", "bakery") for rule in rules if rule.arguments <= {"tenant_slug"}})


def test_every_page_of_a_tenant_has_its_way_back_above_the_title(ann: Browser, app: Flask, world: World) -> None:
    world.connect_numbers()
    ann.confirmed()
    found = {}
    for address in addresses(app, "/t/<tenant_slug>/"):
        if address.endswith("/live"):
            continue
        answer = ann.get(address)
        if answer.status_code == 200 and answer.mimetype == "text/html" and answer.text.lstrip().startswith("<!doc"):
            found[address] = back_of(answer.text)
    assert found["/t/bakery/team/changes"] == ("/t/bakery/team", "Team")
    assert found["/t/bakery/contacts/fields"] == ("/t/bakery/settings", "Settings")
    assert found["/t/bakery/account/two-step"] == ("/t/bakery/account", "You")
    assert len([back for back in found.values() if back]) > 30


def test_pages_of_the_settings_lead_back_to_the_settings(ann: Browser, app: Flask, world: World) -> None:
    world.connect_numbers()
    ann.confirmed()
    page = ann.get("~/settings").text
    listed = sorted(set(re.findall(r'href="(/t/bakery/[^"#?]+)"', page.partition("<main")[2].partition("<dialog")[0])))
    rail = set(re.findall(r'class="rail-link" href="([^"]+)"', page))
    assert len(listed) > 20
    for address in listed:
        answer = ann.get(address)
        if address not in rail and answer.status_code == 200:
            assert back_of(answer.text) == PARENTS.get(address, ("/t/bakery/settings", "Settings")), address


def test_every_page_of_the_console_has_its_way_back_above_the_title(pat: Browser, app: Flask) -> None:
    pages = [pat.get(address) for address in addresses(app, "/platform/")]
    whole = [page.text for page in pages if page.status_code == 200 and page.text.lstrip().startswith("<!doc")]
    assert len([back_of(page) for page in whole]) > 10
