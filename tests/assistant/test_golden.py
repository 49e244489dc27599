"""The 30 golden conversations of the demo's bakery, and that a worse answer fails them."""

from __future__ import annotations

import pytest

from app.assistant.access import ModelAccess
from app.assistant.engine import Decision, decide
from app.assistant.golden import GoldenCase
from app.assistant.toolbox import Switched
from app.tenancy import Actor, db, tenant_scope
from dev import bakery
from dev.model import MODEL
from tests.world import World

from .conftest import SETUP, Model


@pytest.fixture
def taught(world: World, model: Model) -> World:
    with tenant_scope(world.bakery.id):
        access = ModelAccess(provider="openai", base_url=f"{model.url}/v1", model=MODEL, problem="")
        db.session.add(access)
        bakery.teach(by=Actor.agent(world.ann))
    return world


@pytest.mark.parametrize("title", [case[0] for case in bakery.GOLDEN])
def test_the_bakery_answers_its_golden_conversations(taught: World, title: str) -> None:
    with tenant_scope(taught.bakery.id):
        case = db.session.query(GoldenCase).filter_by(title=title).one()
        access = ModelAccess.current()
        assert access
        tools = Switched.of(SETUP, contact_id=None, turn_id=None, pretends=True)
        decision = decide(case.situation(SETUP), access.endpoint(), tools)
        assert case.failures(decision) == [], decision


def test_there_are_thirty() -> None:
    assert len({case[0] for case in bakery.GOLDEN}) == len(bakery.GOLDEN) == 30


def test_a_case_says_what_is_wrong() -> None:
    case = GoldenCase(title="", messages=[], action="answer", must=["4.20 €"], must_not=["free"])
    wrong = case.failures(Decision("hand_over", reply="It is free"))
    assert wrong == ["action:hand_over", "missing:4.20 €", "forbidden:free"]
    assert case.failures(Decision("answer", reply="A loaf is 4.20 €")) == []
