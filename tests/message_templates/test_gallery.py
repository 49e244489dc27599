"""The gallery: starters that are ready to submit, and Meta's own library, approved at once."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from app.message_templates.forms import TemplateForm
from app.message_templates.jobs import fetch_templates
from app.message_templates.settings import TemplateSettings
from app.message_templates.starters import STARTERS
from app.message_templates.versions import Content
from app.tenancy import Role, tenant_scope
from app.tenancy.models import admit
from tests.client import Browser
from tests.message_templates.templates import approved, templates_of
from tests.simulated import Road
from tests.world import World, person


def titles(browser: Browser, query: str = "") -> list[str]:
    page = browser.get(f"~/templates/gallery{query}").get_data(as_text=True)
    return re.findall(r"starter=(\w+)", page)


def test_every_starter_is_a_preview_that_leads_to_the_builder(ann: Browser, world: World) -> None:
    world.connect_numbers()
    assert titles(ann) == [starter.key for starter in STARTERS]


def test_the_gallery_is_narrowed_to_a_trade_and_searched(ann: Browser, world: World) -> None:
    world.connect_numbers()
    assert "package_on_its_way" in titles(ann, "?trade=courier") and "table_booked" not in titles(ann, "?trade=courier")
    assert titles(ann, "?q=no+such+thing") == []


def test_the_gallery_speaks_the_language_that_is_chosen(ann: Browser, world: World) -> None:
    world.connect_numbers()
    assert "Colis en route" in ann.get("~/templates/gallery?language=fr").get_data(as_text=True)


@pytest.mark.parametrize("key", [starter.key for starter in STARTERS])
def test_a_starter_goes_through_the_form_unchanged(key: str) -> None:
    starter = next(one for one in STARTERS if one.key == key)
    for language in starter.languages:
        definition = starter.definition(language)
        content = Content(definition.category, definition.is_named, definition.components)
        assert TemplateForm.new(content, name=key, language=language, waba_id=None).content == content


def test_a_starter_whose_name_is_taken_gets_another(ann: Browser, world: World) -> None:
    number, _ = world.connect_numbers()
    approved(number, "table_booked")
    page = ann.get("~/templates/new?starter=table_booked&language=en_US").get_data(as_text=True)
    assert 'value="table_booked_2"' in page


def test_an_agent_may_not_begin_one(ben: Browser) -> None:
    assert ben.get("~/templates/gallery").status_code == 403
    assert ben.post("~/templates/", {"name": "x"}).status_code == 403


def test_metas_own_library_is_offered(ann: Browser, road: Road) -> None:
    assert "gallery/library/delivery_update_1?" in ann.get("~/templates/gallery/library?q=delivery").text


def test_while_meta_is_away_its_library_is_not_mentioned(ann: Browser, world: World) -> None:
    world.connect_numbers()
    answer = ann.get("~/templates/gallery/library?q=delivery")
    assert answer.status_code == 200 and answer.text.strip() == ""


def test_a_template_of_the_library_is_approved_at_once(ann: Browser, world: World, road: Road) -> None:
    address = "~/templates/gallery/library/delivery_update_1?language=en_US"
    assert "delivery_update_1" in ann.get(address).text
    typed = {"name": "on_its_way", "button.0": "https://www.example.com/{{1}}", "example.0": "abc"}
    assert ann.post(address, typed).status_code == 303
    fetch_templates(world.bakery.id, str(road.number.waba_id))
    assert [(one.name, one.status) for one in templates_of(world.bakery)] == [("on_its_way", "APPROVED")]


def test_where_owners_approve_an_admin_makes_none_of_the_library(app: Flask, world: World, road: Road) -> None:
    ada = person("ada")
    with tenant_scope(world.bakery.id):
        admit(ada, Role.ADMIN)
        TemplateSettings.change(needs_approval=True)
    browser, address = Browser(app, tenant="bakery").signed_in_as(ada), "gallery/library/delivery_update_1"
    assert browser.get("~/templates/gallery/library?q=delivery").text.strip() == ""
    typed = {"name": "on_its_way", "button.0": "https://www.example.com/{{1}}", "example.0": "abc"}
    assert browser.post(f"~/templates/{address}?language=en_US", typed).status_code == 403
    assert "on_its_way" not in [one["name"] for one in road.meta.get("templates")["templates"]]


def test_what_meta_refuses_of_the_library_is_shown_on_its_page(ann: Browser, road: Road) -> None:
    address = "~/templates/gallery/library/delivery_update_1?language=en_US"
    answer = ann.post(address, {"name": "Заказ", "button.0": "https://www.example.com/x"})
    assert answer.status_code == 422 and "Details from Meta" in answer.text
