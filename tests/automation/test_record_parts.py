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


def stage_of_the_deal(shop: Shop) -> str:
    with tenant_scope(shop.id):
        record = Record.with_external_id("agency", "deal", "1")
        assert record
        return record.stage


def test_a_record_is_moved_to_a_stage(shop: Shop) -> None:
    moved(shop, "Offer")
    shop.rule(keyword("yes"), {"kind": "move_record", "type": "deal", "stage": "Signed"}, THANKS)
    shop.write("yes")
    assert stage_of_the_deal(shop) == "Signed" and shop.sent() == ["Thank you for Villa"]


def test_a_moved_record_begins_other_automations_once(shop: Shop) -> None:
    moved(shop, "Offer")
    shop.rule({"kind": "record_stage", "type": "deal", "to": "won"}, THANKS)
    shop.rule(keyword("yes"), {"kind": "move_record", "type": "deal", "stage": "Signed"})
    shop.write("yes")
    shop.write("yes")
    assert shop.sent() == ["Thank you for Villa"]


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_record_that_is_missing_or_changed_elsewhere_is_not_moved(shop: Shop, mirrored: bool) -> None:
    if mirrored:
        by = Actor.system("test")
        with tenant_scope(shop.id):
            record, _ = Record.upsert("agency", "deal", "1", Values("Villa", stage="Offer"), by=by, is_mirrored=True)
            record.link(shop.talk.contact_id, by=by)
    shop.rule(keyword("yes"), {"kind": "move_record", "type": "deal", "stage": "Signed"}, reply("Noted"))
    shop.write("yes")
    assert shop.sent() == ["Noted"] and (not mirrored or stage_of_the_deal(shop) == "Offer")
