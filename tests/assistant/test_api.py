"""What the assistant knows, sent by programs: by their own ids, as often as they like."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from app.assistant.knowledge import KnowledgePassage, KnowledgeSource
from app.assistant.retrieval import find
from app.tenancy import db, tenant_scope
from tests.api.conftest import Caller, MakeCaller, caller, shop
from tests.api.test_contacts import code, made
from tests.world import World

__all__ = ["caller", "shop"]

BREAD: dict[str, Any] = {"kind": "question", "title": "Rye bread?", "body": "Every day, 4.20 €."}


@pytest.fixture
def program(caller: MakeCaller) -> Caller:
    return caller()


def test_a_source_is_put_found_and_deleted(program: Caller, world: World) -> None:
    source = made(program.put("/knowledge/sku-7", BREAD))
    assert source["external_id"] == "sku-7" and source["state"] == "ready"
    assert [one["id"] for one in made(program.get("/knowledge"))["data"]] == [source["id"]]
    with tenant_scope(world.bakery.id):
        assert find(["rye bread"])[0].body == "Every day, 4.20 €."
    assert program.delete("/knowledge/sku-7").status_code == 204
    with tenant_scope(world.bakery.id):
        assert find(["rye bread"]) == [] and db.session.query(KnowledgePassage).count() == 0


def test_the_same_again_changes_nothing(program: Caller, world: World) -> None:
    first = made(program.put("/knowledge/sku-7", BREAD))
    with tenant_scope(world.bakery.id):
        passages = {one.id for one in db.session.query(KnowledgePassage)}
    assert made(program.put("/knowledge/sku-7", BREAD))["id"] == first["id"]
    with tenant_scope(world.bakery.id):
        assert {one.id for one in db.session.query(KnowledgePassage)} == passages


def test_a_change_replaces_what_was_written(program: Caller, world: World) -> None:
    made(program.put("/knowledge/sku-7", BREAD))
    made(program.put("/knowledge/sku-7", BREAD | {"body": "Sold out.", "valid_until": "2099-01-01T00:00:00Z"}))
    with tenant_scope(world.bakery.id):
        assert [one.body for one in find(["rye bread"])] == ["Sold out."]
        assert db.session.query(KnowledgeSource).one().valid_until is not None


def test_another_businesss_source_does_not_exist(caller: MakeCaller, world: World) -> None:
    made(caller(world.shoes).put("/knowledge/sku-7", BREAD))
    assert code(caller().delete("/knowledge/sku-7")) == "not_found"


@pytest.mark.parametrize("body", [{}, BREAD | {"body": ""}, BREAD | {"kind": "page"}, BREAD | {"body": "x" * 100_001}])
def test_what_makes_no_sense_is_refused(program: Caller, body: dict[str, Any]) -> None:
    assert program.put("/knowledge/x", body).status_code == 422


def test_an_id_has_its_limit(program: Caller) -> None:
    assert program.put(f"/knowledge/{'x' * 101}", BREAD).status_code in (400, 422)
    assert code(program.delete(f"/knowledge/{uuid.uuid4()}")) == "not_found"
