"""The button and the widget on a site of somebody else's: another origin, a strict policy, two languages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser

from app.entry_points.models import EntryPoint
from app.tenancy import tenant_scope
from dev.agency import SLUG, create_app
from tests.browser.test_pages import AXE
from tests.simulated import Served
from tests.world import World


@pytest.fixture
def site(app: Flask, world: World) -> Iterator[str]:
    number, _ = world.connect_numbers()
    with tenant_scope(world.bakery.id):
        EntryPoint.create("Site", number, slug=SLUG, kind="page", texts=[])
    with Served(app) as switchboard, Served(create_app(switchboard.url, SLUG)) as agency:
        yield agency.url


@pytest.mark.parametrize(("language", "scheme"), [("fr", "light"), ("ar", "dark")])
def test_the_button_and_the_widget_please_everybody(chromium: Browser, site: str, language: str, scheme: Any) -> None:
    context = chromium.new_context(viewport={"width": 320, "height": 640}, color_scheme=scheme)
    page = context.new_page()
    requests: list[str] = []
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(f"{site}/{language}")
    loaded, widget = len(requests), page.locator("button.button")
    page.evaluate(AXE.read_text())
    for is_open in ("false", "true"):
        assert widget.get_attribute("aria-expanded") == is_open
        assert page.evaluate("axe.run().then((found) => found.violations.map((one) => one.id))") == []
        widget.click()
    assert widget.get_attribute("aria-expanded") == "false"
    widget.press("Enter")
    assert f"lang={language}" in (page.locator("a.go").get_attribute("href") or "")
    page.keyboard.press("Escape")
    assert widget.get_attribute("aria-expanded") == "false" and not page.locator("a.go").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert complaints == [] and len(requests) == loaded and context.cookies() == []
    context.close()
