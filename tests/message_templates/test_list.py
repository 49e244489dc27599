"""The list of templates: a row for each name, with its languages and their states."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import event, insert

from app.message_templates.models import MessageTemplate, TemplateList
from app.tenancy import db, now, tenant_scope, uuid7
from tests.client import FRAGMENT, Browser
from tests.enqueued import Enqueued
from tests.message_templates.templates import BODY, approved, drafted
from tests.world import World


def names_on(browser: Browser, query: str = "") -> list[str]:
    page = browser.get(f"~/templates/{query}").get_data(as_text=True)
    return re.findall(r'<bdi dir="ltr">([a-z_0-9]+)</bdi>', page)


def test_the_languages_of_a_template_share_a_row_and_say_their_status(ann: Browser, world: World) -> None:
    number, _ = world.connect_numbers()
    approved(number, language="en_US")
    approved(number, language="fr", status="REJECTED")
    page = ann.get("~/templates/").get_data(as_text=True)
    assert names_on(ann) == ["order_update"]
    assert re.search(r"en_US</bdi></span>\s+Approved", page) and re.search(r"fr</bdi></span>\s+Rejected", page)


@pytest.mark.parametrize(
    "query", ["?q=remind", "?status=PAUSED", "?category=MARKETING", "?language=ar", "?folder=Clinic"]
)
def test_the_list_is_narrowed(ann: Browser, world: World, query: str) -> None:
    number, _ = world.connect_numbers()
    approved(number)
    more = {"status": "PAUSED", "category": "MARKETING", "folder": "Clinic"}
    approved(number, "reminder", "ar", **more)
    assert names_on(ann, query) == ["reminder"]


def test_metas_samples_are_shown_on_request_only(ann: Browser, world: World) -> None:
    number, _ = world.connect_numbers()
    approved(number)
    approved(number, "hello_world")
    approved(number, "sample_flight")
    assert names_on(ann) == ["order_update"]
    assert names_on(ann, "?samples=1") == ["hello_world", "order_update", "sample_flight"]


def test_what_meta_made_of_messages_sent_directly_is_not_listed(ann: Browser, world: World) -> None:
    number, _ = world.connect_numbers()
    approved(number, "generated", source="AUTO_GENERATED")
    assert names_on(ann) == []


def test_deleted_templates_are_listed_on_request(ann: Browser, world: World) -> None:
    number, _ = world.connect_numbers()
    approved(number, status="DELETED")
    assert names_on(ann) == []
    assert names_on(ann, "?status=DELETED") == ["order_update"]


def test_a_new_version_of_an_approved_template_shows_beside_its_status(ann: Browser, world: World) -> None:
    number, _ = world.connect_numbers()
    template = approved(number)
    ann.post(f"~/templates/{template.id}/draft", {"category": "UTILITY", "body": "Another text for all of you."})
    assert "Unsubmitted changes" in ann.get("~/templates/").get_data(as_text=True)


def test_an_agent_looks_and_cannot_change(ben: Browser, world: World) -> None:
    number, _ = world.connect_numbers()
    template = drafted(number, world.ann)
    page = ben.get("~/templates/").get_data(as_text=True)
    assert "order_update" in page and "/templates/gallery" not in page and "/draft" not in page
    assert ben.get(f"~/templates/{template.id}/draft").status_code == 403


def test_a_template_hidden_from_agents_says_so(ann: Browser, world: World) -> None:
    number, _ = world.connect_numbers()
    approved(number, is_hidden=True)
    assert "Hidden from agents" in ann.get("~/templates/").get_data(as_text=True)


def test_the_first_look_fetches_the_list_and_says_so(ann: Browser, world: World, enqueued: Enqueued) -> None:
    world.connect_numbers()
    assert "Fetching your templates from Meta" in ann.get("~/templates/").get_data(as_text=True)
    assert "message_templates.fetch" in enqueued.names


def test_an_empty_list_leads_to_the_gallery(ann: Browser, world: World) -> None:
    number, _ = world.connect_numbers()
    with tenant_scope(world.bakery.id):
        db.session.add(TemplateList(waba_id=number.waba_id, asked_at=now(), fetched_at=now()))
    page = ann.get("~/templates/").get_data(as_text=True)
    assert "No templates yet" in page and "/templates/gallery" in page


def test_without_a_number_the_list_leads_to_connecting_one(ann: Browser) -> None:
    assert "Connect a number" in ann.get("~/templates/").get_data(as_text=True)


def test_refresh_asks_meta_once_for_each_account(ann: Browser, world: World, enqueued: Enqueued) -> None:
    world.connect_numbers()
    for _ in range(2):
        ann.post("~/templates/comparisons")
    assert enqueued.names.count("message_templates.fetch") == 1


def test_the_list_says_when_it_was_last_compared(ann: Browser, world: World) -> None:
    number, _ = world.connect_numbers()
    with tenant_scope(world.bakery.id):
        db.session.add(TemplateList(waba_id=number.waba_id, asked_at=now(), fetched_at=now()))
    assert "Last compared with Meta" in ann.get("~/templates/").get_data(as_text=True)


def test_a_list_of_2500_takes_few_statements(ann: Browser, world: World) -> None:
    number, _ = world.connect_numbers()
    common = {"tenant_id": world.bakery.id, "waba_id": number.waba_id, "category": "UTILITY", "status": "APPROVED"}
    common |= {"parameter_format": "NAMED", "components": [BODY], "created_at": now()}
    names = [(f"template_{n:03}", code) for n in range(500) for code in ("en_US", "fr", "es", "pt_BR", "ar")]
    with tenant_scope(world.bakery.id):
        rows = [
            common | {"id": uuid7(), "meta_id": f"{name}{code}", "name": name, "language": code} for name, code in names
        ]
        db.session.execute(insert(MessageTemplate), rows)
    statements: list[str] = []
    event.listen(db.engine, "before_cursor_execute", note := lambda *call: statements.append(call[2]))
    page = ann.get("~/templates/", headers=FRAGMENT).get_data(as_text=True)
    event.remove(db.engine, "before_cursor_execute", note)
    assert page.count("language-chip") >= 250 and 'rel="next"' in page
    assert sum("from message_templates" in statement.lower() for statement in statements) <= 4


def test_with_the_first_templates_comes_the_search(ann: Browser, world: World) -> None:
    number, _ = world.connect_numbers()
    page = ann.get("~/templates/").get_data(as_text=True)
    assert 'role="search"' not in page and 'begins=1" hx-target="#templates"' in page
    approved(number)
    part = ann.get("~/templates/?begins=1", headers=FRAGMENT).get_data(as_text=True)
    assert 'role="search"' in part and 'id="templates"' in part and "<html" not in part
    assert 'role="search"' not in ann.get("~/templates/", headers=FRAGMENT).get_data(as_text=True)
