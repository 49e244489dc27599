"""Comparing with Meta, against webhooks: what is newer stays."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from app.message_templates.changes import TemplateChange
from app.message_templates.figures import TemplateFigures
from app.message_templates.jobs import compare_hourly, fetch_templates
from app.message_templates.models import MessageTemplate, TemplateList
from app.meta.message_templates import Template
from app.meta.template_calls import Fetched
from app.tenancy import db, now, tenant_scope
from app.wabas.models import PhoneNumber
from tests.enqueued import Enqueued
from tests.message_templates.templates import BODY, approved
from tests.simulated import Road
from tests.world import World


@pytest.fixture
def number(world: World) -> PhoneNumber:
    return world.connect_numbers()[0]


def seen(status: str = "APPROVED", *, id: str = "77", name: str = "order_update", **more: Any) -> Fetched:
    template = Template(name, "en_US", more.pop("category", "UTILITY"), status, True, [BODY])
    facts: dict[str, Any] = dict.fromkeys(Fetched.__slots__) | {"id": id, "template": template} | more
    return Fetched(**facts)


def store(number: PhoneNumber, *templates: Fetched, since: dt.datetime | None = None) -> None:
    with tenant_scope(number.tenant_id):
        TemplateList.of(number.waba_id).store(templates, since=since or now())


def row(number: PhoneNumber) -> MessageTemplate:
    with tenant_scope(number.tenant_id):
        return db.session.query(MessageTemplate).filter_by(name="order_update").one()


def changes(number: PhoneNumber) -> list[tuple[str, str, str, str]]:
    with tenant_scope(number.tenant_id):
        rows = db.session.query(TemplateChange).order_by(TemplateChange.id)
        return [(one.what, one.before, one.after, one.source) for one in rows]


def test_what_was_missed_is_recorded_as_seen_when_comparing(number: PhoneNumber) -> None:
    approved(number)
    store(number, seen("PAUSED", category="MARKETING", quality_score="RED"))
    assert changes(number) == [
        ("status", "APPROVED", "PAUSED", "sync"),
        ("category", "UTILITY", "MARKETING", "sync"),
        ("quality", "UNKNOWN", "RED", "sync"),
    ]


def test_a_list_that_was_asked_for_before_a_webhook_came_is_old_news(number: PhoneNumber) -> None:
    asked_at = now() - dt.timedelta(minutes=1)
    approved(number, status="REJECTED", status_at=now())
    store(number, seen("APPROVED"), since=asked_at)
    assert row(number).status == "REJECTED" and changes(number) == []


def test_a_list_says_less_about_a_rejection_than_the_webhook_and_takes_nothing_away(number: PhoneNumber) -> None:
    facts = {"reason": "INVALID_FORMAT", "detail": "The footer has a variable."}
    approved(number, status="REJECTED", status_facts=facts)
    store(number, seen("REJECTED", rejected_reason="INVALID_FORMAT"))
    assert row(number).status_facts == facts


def test_what_is_not_listed_any_more_is_deleted_and_has_its_history(number: PhoneNumber) -> None:
    approved(number)
    store(number)
    assert row(number).status == "DELETED" and changes(number) == [("status", "APPROVED", "DELETED", "sync")]


def test_a_status_of_metas_is_never_our_word_for_what_meta_does_not_have(number: PhoneNumber) -> None:
    store(number, seen("DRAFT"))
    assert row(number).status == "PENDING"
    store(number, seen("APPROVED"))
    store(number, seen("DRAFT"))
    assert row(number).status == "PENDING"


def test_a_draft_is_not_taken_for_deleted(number: PhoneNumber) -> None:
    approved(number, status="DRAFT", meta_id=None)
    store(number)
    assert row(number).status == "DRAFT"


@pytest.mark.parametrize("turned", [False, True])
def test_one_that_is_being_deleted_beside_its_successor_counts_once(number: PhoneNumber, turned: bool) -> None:
    listed = [seen("PENDING_DELETION", id="76"), seen("APPROVED", id="78")]
    store(number, *(reversed(listed) if turned else listed))
    assert (row(number).status, row(number).meta_id) == ("APPROVED", "78")


def test_what_was_made_elsewhere_is_adopted(number: PhoneNumber) -> None:
    store(number, seen())
    assert row(number).status == "APPROVED" and changes(number) == []


def test_every_account_is_compared_every_hour(world: World, number: PhoneNumber, enqueued: Enqueued) -> None:
    compare_hourly()
    assert "message_templates.compare" in enqueued.names
    enqueued.clear()
    with tenant_scope(number.tenant_id):
        db.session.add(TemplateList(waba_id=number.waba_id, asked_at=now() - dt.timedelta(minutes=59)))
    with tenant_scope(world.shoes.id):
        waba_id = db.session.query(PhoneNumber).one().waba_id
        db.session.add(TemplateList(waba_id=waba_id, asked_at=now() - dt.timedelta(minutes=59)))
    compare_hourly()
    assert "message_templates.compare" not in enqueued.names


def test_the_list_is_fetched_from_meta(road: Road) -> None:
    waba = road.ids["waba_id"]
    road.meta.post("templates", waba_id=waba, name="order_update", language="en_US", components=[BODY])
    fetch_templates(str(road.world.bakery.id), str(road.number.waba_id))
    assert row(road.number).status == "APPROVED" and row(road.number).components == [BODY]


def test_figures_are_fetched_and_later_ones_of_a_day_win(number: PhoneNumber) -> None:
    template = approved(number)
    day = now().date()
    with tenant_scope(number.tenant_id):
        for sent in (3, 5):
            figures: dict[str, Any] = {"sent": sent, "delivered": 2, "read": 1, "clicked": []}
            TemplateFigures.store([{"template_id": template.id, "day": day, **figures}])
        (stored,) = TemplateFigures.between(template.id, day, day)
    assert stored.sent == 5


def test_a_category_that_was_announced_stays_announced_until_it_comes(number: PhoneNumber) -> None:
    approved(number, correct_category="MARKETING")
    store(number, seen())
    assert row(number).correct_category == "MARKETING"
    store(number, seen(category="MARKETING"))
    assert (row(number).category, row(number).correct_category) == ("MARKETING", None)
