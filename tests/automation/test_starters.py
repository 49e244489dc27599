"""Automations to begin with, in six languages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from app.automation.models import Automation
from app.automation.parts import Names
from app.automation.starters import LANGUAGES, LONGEST_NAME, STARTERS, TEXTS, Starter, nearest, translated, words_in
from app.tenancy import db, tenant_scope
from tests.client import Browser
from tests.world import World

EACH = [pytest.param(starter, id=starter.name) for starter in STARTERS]
NAMES = re.compile(r"\{\{\s*([\w.]+)")


def words_of(starter: Starter) -> list[str]:
    """Every text that a starter asks a language for."""
    requested: list[str] = [starter.title]
    starter.make(lambda words: requested.append(words) or words)  # type: ignore[func-returns-value]
    return requested


def texts_in(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for one in value.values():
                yield from texts_in(one)
        case list():
            for one in value:
                yield from texts_in(one)


@pytest.mark.parametrize("starter", EACH)
def test_every_language_has_words_for_all_of_it(starter: Starter) -> None:
    assert [(code, words) for code, texts in TEXTS.items() for words in words_of(starter) if words not in texts] == []


@pytest.mark.parametrize("code", TEXTS)
def test_no_language_has_words_that_nothing_says(code: str) -> None:
    assert set(TEXTS[code]) == {words for starter in STARTERS for words in words_of(starter)}


@pytest.mark.parametrize("code", TEXTS)
def test_translations_fill_in_the_same_variables(code: str) -> None:
    assert [one for one, text in TEXTS[code].items() if NAMES.findall(one) != NAMES.findall(text)] == []


@pytest.mark.parametrize("starter", EACH)
@pytest.mark.parametrize("code", LANGUAGES)
def test_each_is_whole_in_each_language(world: World, starter: Starter, code: str) -> None:
    with tenant_scope(world.bakery.id):
        troubles, english = (starter.definition(one).troubles(Names()) for one in (code, "en_US"))
        assert len(troubles) == len(english)


def test_the_chosen_language_is_what_customers_read(app: Flask, world: World) -> None:
    world.connect_numbers()
    ann = Browser(app, "bakery").signed_in_as(world.ann)
    assert "Message de bienvenue" in ann.get("~/automation/starters?language=fr").text
    ann.post("~/automation/", {"starter": "welcome", "language": "fr"})
    with tenant_scope(world.bakery.id):
        (made,) = db.session.scalars(Automation.in_order())
        assert made.name == "Message de bienvenue" and not made.is_on
        assert any(text.startswith("Bonjour {{first_name") for text in texts_in(made.draft))


def test_the_browsers_language_is_the_first_choice(app: Flask, world: World) -> None:
    ann = Browser(app, "bakery").signed_in_as(world.ann)
    page = ann.get("~/automation/starters", headers={"Accept-Language": "pt-PT,en;q=0.5"}).text
    assert "Mensagem de boas-vindas" in page


def test_the_language_that_a_person_chose_comes_before_the_browsers(app: Flask, world: World) -> None:
    ann, french = Browser(app, "bakery").signed_in_as(world.ann), {"Accept-Language": "fr"}
    ann.post("~/account/language", {"language": "de"}, headers=french)
    assert '<option value="de" lang="de" selected' in ann.get("~/automation/starters", headers=french).text


@pytest.mark.parametrize(("code", "choice"), [("de", "Öffnungszeiten"), ("ar", "مواعيد العمل")])
def test_a_choice_that_is_also_a_keyword_is_translated_as_a_choice(code: str, choice: str) -> None:
    assert TEXTS[code]["Opening times"] == choice and translated(choice, "fr") == "Horaires d’ouverture"


@pytest.mark.parametrize("starter", EACH)
def test_german_speaks_to_customers_as_its_pages_do(starter: Starter) -> None:
    german = "\n".join(TEXTS["de"][words] for words in words_of(starter))
    assert not re.search(r"\b(?:du|dich|dir|dein\w*|euch|euer|eure\w*)\b|[\"”!]", german, re.IGNORECASE)


@pytest.mark.parametrize(
    ("given", "code"), [("fr-SN", "fr"), ("pt_PT", "pt_BR"), ("de-AT", "de"), ("AR", "ar"), ("wo", "en_US")]
)
def test_a_language_that_is_written_in_another_way_is_found(given: str, code: str) -> None:
    assert nearest(given) == code and words_in("xx")("Good") == "Good"


@pytest.mark.parametrize("language", sorted(TEXTS))
def test_the_name_of_a_starter_fits_in_every_language(language: str) -> None:
    assert [one.name for one in STARTERS if len(TEXTS[language].get(one.title, one.title)) > LONGEST_NAME] == []
