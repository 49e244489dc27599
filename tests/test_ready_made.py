"""What is ready-made for customers is in every language of the pages: the business that reads German writes German."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pytest

from app.appointments import phrases as appointments
from app.appointments import typed
from app.assistant import phrases as assistant
from app.automation import starters as automations
from app.automation.asking import CHOOSE
from app.entry_points.models import FIRST_WORDS
from app.entry_points.snippets import LABELS
from app.inbox.conversations.questions import RATINGS
from app.languages import FUNCTION_WORDS, NAMES, main_language
from app.listings.wording import STOPPED
from app.message_templates import starters as templates
from app.message_templates.forms import OPT_OUT
from app.meta.template_promotion import _WORDS as PROMOTION
from app.whatsapp_flows import phrases as forms_phrases
from app.whatsapp_flows import starters as forms
from dev.messages import catalogues

PAGES = {"en", *(path.parent.parent.name for path in catalogues())}
TABLES: dict[str, Iterable[str]] = {
    "automations": automations.LANGUAGES,
    "templates": templates.LANGUAGES,
    "forms": forms.LANGUAGES,
    "a list's button": CHOOSE,
    "first words": FIRST_WORDS,
    "a button's label": LABELS,
    "ratings": RATINGS,
    "languages that are recognised": FUNCTION_WORDS,
    "languages of the assistant": NAMES,
    "stopped alerts": STOPPED,
    "refusing marketing": OPT_OUT,
    "promotional words": PROMOTION,
}


def tables_in(module: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The tables by language of a module, also those inside another table."""
    for name, value in vars(module).items():
        if isinstance(value, dict) and name.isupper():
            inner = {f"{name} {key}": one for key, one in value.items() if isinstance(one, dict)}
            yield from (inner or {name: value}).items()


PHRASES = {
    f"{module.__name__} {name}": table
    for module in (appointments, typed, assistant, forms_phrases)
    for name, table in tables_in(module)
    if "en" in table
}


@pytest.mark.parametrize("name", [*TABLES, *PHRASES])
def test_what_customers_read_is_in_every_language_of_the_pages(name: str) -> None:
    assert {main_language(code) for code in (TABLES | PHRASES)[name]} >= PAGES


def test_every_table_of_phrases_is_looked_at() -> None:
    assert len(PHRASES) >= 24 and "app.appointments.phrases OUTCOMES cancel" in PHRASES


@pytest.mark.parametrize("language", sorted(PAGES))
def test_a_readers_language_chooses_texts_in_that_language(language: str) -> None:
    assert main_language(automations.nearest(language)) == language
    assert {main_language(one.nearest(language)) for one in forms.STARTERS} == {language}
