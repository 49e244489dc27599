"""Automations beside records of other systems."""

from __future__ import annotations

import pytest

from app.records.models import Record, Values
from app.records.stages import RecordStage
from app.tenancy import Actor, tenant_scope
from tests.automation.conftest import Shop, keyword, reply
from tests.world import World


@pytest.fixture
def shop(world: World) -> Shop:
    made = Shop(world)
    made.write("Hello")
    with tenant_scope(made.id):
        RecordStage.define("deal", [("Offer", "open"), ("Signed", "won")])
    return made


def moved(shop: Shop, *stages: str, type: str = "deal") -> None:
    """A record about Carla goes through these stages."""
    by = Actor.system("test")
    with tenant_scope(shop.id):
        for place, stage in enumerate(stages):
            record, _ = Record.upsert("agency", type, "1", Values("Villa", stage=stage), by=by)
            if not place:
                record.link(shop.talk.contact_id, by=by)
    shop.work()


THANKS = reply("Thank you for {{record_title}}")


def test_a_deal_that_is_won_begins_an_automation(shop: Shop) -> None:
    shop.rule({"kind": "record_stage", "type": "deal", "to": "won"}, THANKS)
    moved(shop, "Offer", "signed")
    assert shop.sent() == ["Thank you for Villa"]


@pytest.mark.parametrize(("stage", "type"), [("Lost", "deal"), ("Signed", "lead"), ("Somewhere", "deal")])
def test_other_stages_and_types_do_not(shop: Shop, stage: str, type: str) -> None:
    shop.rule({"kind": "record_stage", "type": "deal", "to": "won"}, THANKS)
    moved(shop, "Offer", stage, type=type)
    assert shop.sent() == [] and shop.why == ["trigger"]


def test_the_same_stage_again_begins_nothing(shop: Shop) -> None:
    shop.rule({"kind": "record_stage", "type": "deal", "stage": "SIGNED"}, THANKS)
    moved(shop, "Offer", "Signed", "signed ", "Signed")
    assert len(shop.sent()) == 1


@pytest.mark.parametrize(("stage", "sent"), [("Offer", ["Noted"]), ("", ["Noted"]), ("Signed", [])])
def test_a_condition_looks_at_the_customers_deals(shop: Shop, stage: str, sent: list[str]) -> None:
    moved(shop, "Offer")
    has = {"kind": "record", "has": "has", "type": "deal", "stage": stage}
    shop.rule(keyword("hi"), reply("Noted"), conditions=[has])
    shop.write("hi")
    assert shop.sent() == sent
