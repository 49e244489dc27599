"""What automations say in the language of whoever reads it."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from flask import Flask

from app.automation.models import Automation
from app.automation.starters import LANGUAGES, STARTERS, starter
from app.entry_points.models import EntryPoint, EntryReference
from app.tenancy import tenant_scope
from tests.automation.conftest import Shop, reply
from tests.client import Browser
from tests.world import World

FRENCH, ARABIC = "Bonjour, je voudrais visiter la maison", "مرحبا، أريد زيارة المنزل"


@pytest.fixture
def shop(world: World) -> Shop:
    return Shop(world)


@pytest.fixture
def ann(app: Flask, world: World) -> Browser:
    return Browser(app, "bakery").signed_in_as(world.ann)


def worded(**texts: str) -> dict[str, Any]:
    return reply("Hello") | {"wordings": {language: {"text": text} for language, text in texts.items()}}


@pytest.mark.parametrize(
    ("words", "sent"), [(FRENCH, "Bonjour"), (ARABIC, "أهلا"), ("Guten Tag, ich möchte das Haus sehen", "Hello")]
)
def test_a_reply_is_in_the_language_that_the_customer_writes(shop: Shop, words: str, sent: str) -> None:
    shop.rule("message", worded(fr="Bonjour", ar="أهلا"))
    shop.write(words)
    assert shop.sent() == [sent]


def test_a_short_answer_changes_no_language(shop: Shop) -> None:
    shop.rule("message", worded(fr="Bonjour"))
    shop.write(FRENCH)
    shop.write("OK")
    assert shop.sent() == ["Bonjour", "Bonjour"]


def test_who_comes_from_a_page_is_answered_in_its_language(shop: Shop) -> None:
    shop.rule("entry_point", worded(ar="أهلا"))
    with tenant_scope(shop.id):
        point = EntryPoint.create("Villas", shop.number, kind="page", texts=[])
        code = EntryReference.issue(point, None, None, "ar")
    shop.write(f"Villa Azur (ref {code})")
    assert shop.sent() == ["أهلا"]


def test_a_button_in_another_language_is_the_answer_that_conditions_name(shop: Shop) -> None:
    ask: dict[str, Any] = {"kind": "buttons", "id": str(uuid.uuid4()), "text": "Offers?", "buttons": ["Yes", "No"]}
    ask["wordings"] = {"fr": {"text": "Des offres ?", "buttons": ["Oui", "Non"]}}
    is_yes = {"kind": "value", "name": "answer", "operator": "is", "value": "Yes"}
    decide: dict[str, Any] = {"kind": "branch", "id": str(uuid.uuid4()), "yes": [reply("Great")], "no": [reply("Fine")]}
    decide["conditions"] = {"kind": "group", "mode": "all", "items": [is_yes]}
    wait = {"kind": "wait_reply", "id": str(uuid.uuid4()), "replied": [decide]}
    shop.rule("first_message", ask, wait)
    shop.write(FRENCH)
    shop.tap("Oui")
    assert shop.sent() == ["Des offres ?", "Great"]


def test_an_answer_is_saved_as_the_team_calls_it(shop: Shop) -> None:
    field = shop.field("Interest")
    ask: dict[str, Any] = {
        "kind": "ask",
        "id": str(uuid.uuid4()),
        "question": "Buy or rent?",
        "answer": "choice",
        "field": field,
    }
    ask |= {"choices": ["Buy", "Rent"], "retry": "Buy or rent, please."}
    ask["wordings"] = {"fr": {"question": "Acheter ou louer ?", "choices": ["Acheter", "Louer"]}}
    shop.rule("first_message", ask)
    shop.write(FRENCH)
    shop.write("Peut-être")
    shop.tap("louer")
    assert shop.sent() == ["Acheter ou louer ?", "Acheter ou louer ?"]
    assert shop.value("Interest") == "Rent"


@pytest.mark.parametrize("name", [one.name for one in STARTERS])
def test_a_starter_is_whole_in_all_its_languages(shop: Shop, name: str) -> None:
    chosen = starter(name)
    assert chosen
    with tenant_scope(shop.id):
        definition = chosen.definition("en_US", LANGUAGES)
    spoken = [one.step for one in definition.walk() if one.step.spoken()]
    for step in spoken:
        if any(getattr(step, one.name) for one in step.spoken()):
            assert list(step.wordings) == ["fr", "es", "pt", "de", "ar"] and step.wording_problems() == []


def draft(shop: Shop, id: str) -> Any:
    with tenant_scope(shop.id):
        return Automation.get_or_404(id).draft["steps"]


def begun(ann: Browser) -> str:
    return str(ann.post("~/automation/", {}).headers["Location"]).rpartition("/")[2]


def test_a_language_is_added_filled_in_and_removed(ann: Browser, shop: Shop) -> None:
    id = begun(ann)
    good = {"kind": "buttons", "text": "How was it?", "buttons": "Good\nNot so good"}
    page = ann.post(f"~/automation/{id}/steps", good | {"add_wording": "1", "added_wording": "fr"})
    assert page.status_code == 200 and "Pas très bien" in page.text and draft(shop, id) == []
    french = {"wording": "fr", "text:fr": "C'était bien ?", "buttons:fr": "Bien\nPas très bien"}
    ann.post(f"~/automation/{id}/steps", good | french)
    (step,) = draft(shop, id)
    assert step["wordings"] == {"fr": {"text": "C'était bien ?", "buttons": ["Bien", "Pas très bien"]}}
    assert "Français" in ann.get(f"~/automation/{id}").text
    address = f"~/automation/{id}/steps/{step['id']}"
    assert "C&#39;était bien ?" not in ann.post(address, good | french | {"removed_wording": "fr"}).text
    ann.post(address, good)
    assert "wordings" not in draft(shop, id)[0]


@pytest.mark.parametrize(("buttons", "words"), [("Oui", "as many choices"), ("Beaucoup trop de mots\nNon", "Français")])
def test_choices_of_another_language_have_to_fit(ann: Browser, shop: Shop, buttons: str, words: str) -> None:
    id = begun(ann)
    given = {"kind": "buttons", "text": "Offers?", "buttons": "Yes\nNo", "wording": "fr", "text:fr": "Offres ?"}
    page = ann.post(f"~/automation/{id}/steps", given | {"buttons:fr": buttons})
    assert page.status_code == 422 and words in page.text and draft(shop, id) == []


def test_a_text_that_is_too_long_says_so_at_its_field(ann: Browser, shop: Shop) -> None:
    given = {"kind": "buttons", "text": "Offers?", "buttons": "Yes", "wording": "fr", "text:fr": "o" * 1_025}
    page = ann.post(f"~/automation/{begun(ann)}/steps", given | {"buttons:fr": "Oui"})
    assert page.status_code == 422 and 'id="text:fr-problem"' in page.text


def test_a_link_leads_to_its_auto_reply_and_back(ann: Browser, shop: Shop) -> None:
    with tenant_scope(shop.id):
        texts = [{"language": code, "text": "{title}"} for code in ("fr", "ar", "tr")]
        point = EntryPoint.create("Villas", shop.number, kind="page", texts=texts)
    made = ann.post(f"~/automation/entry-points/{point.id}", {}).headers["Location"]
    (hello,) = draft(shop, made.rpartition("/")[2])
    assert hello["text"].startswith("Merci") and set(hello["wordings"]) == {"ar", "en"}
    assert f"/links/{point.id}" in ann.get(made).text or str(point.id) in ann.get(made).text
    page = ann.get(f"~/entry-points/{point.id}").text
    assert made.rpartition("/")[2] in page and "Auto-reply: Villas" in page
