"""What Meta's webhooks say of templates holds at once, and the list is read again."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from app.inbox.conversations import Conversation
from app.message_templates.models import MessageTemplate, TemplateList
from app.tenancy import db, now, platform_scope, tenant_scope
from app.wabas.models import Waba
from app.webhook_events.models import WebhookEvent
from app.webhooks.drain import drain_batch
from tests.arrivals import failures
from tests.client import FRAGMENT, Browser
from tests.enqueued import Enqueued
from tests.posts import post
from tests.world import SHOES_WABA, World, conversation

FETCH = "message_templates.fetch"
BODY = {"type": "BODY", "text": "Spring is here"}


@pytest.fixture
def talk(world: World) -> Conversation:
    """A conversation, and an approved template of its number's account."""
    bakery, _ = world.connect_numbers()
    with tenant_scope(world.bakery.id):
        one = MessageTemplate(waba_id=bakery.waba_id, meta_id="77", name="spring", language="en_US", category="UTILITY")
        one.status, one.parameter_format, one.components = "APPROVED", "POSITIONAL", [BODY]
        db.session.add(one)
    return conversation(bakery)


def template_event(field: str = "message_template_status_update", *, at: float | None = None, **value: Any) -> None:
    about = {"message_template_id": 77, "message_template_name": "spring", "message_template_language": "en_US"}
    body = post({"field": field, "value": about | value})
    if at:
        body = body.replace(b'"changes"', f'"time": {int(at)}, "changes"'.encode())
    deliver(body)


def deliver(body: bytes) -> None:
    with platform_scope("tests"):
        db.session.add(WebhookEvent(body=body))
    while drain_batch():
        pass


def template(world: World) -> MessageTemplate:
    with tenant_scope(world.bakery.id):
        return db.session.query(MessageTemplate).one()


@pytest.mark.parametrize("status", ["REJECTED", "PAUSED", "DISABLED", "PENDING", "LOCKED", "DELETED", "ARCHIVED"])
def test_what_may_not_be_sent_any_more_is_not_on_offer(
    world: World, ben: Browser, talk: Conversation, enqueued: Enqueued, status: str
) -> None:
    assert "Spring is here" in ben.get(f"~/inbox/{talk.id}/templates", headers=FRAGMENT).text
    template_event(event=status, reason="NONE")
    assert "Spring is here" not in ben.get(f"~/inbox/{talk.id}/templates", headers=FRAGMENT).text
    assert FETCH in enqueued.names and failures() == []
    late = ben.post(f"~/inbox/{talk.id}/templates/{template(world).id}", {"client_id": ""}, headers=FRAGMENT)
    assert late.status_code == 422 and "allow this template any more" in late.text


def fetched(world: World, ago: dt.timedelta) -> None:
    with tenant_scope(world.bakery.id):
        waba_id = db.session.query(MessageTemplate).one().waba_id
        db.session.add(TemplateList(waba_id=waba_id, asked_at=now() - ago, fetched_at=now() - ago))


@pytest.mark.parametrize(("status", "asks"), [("APPROVED", False), ("PENDING", True)])
def test_a_list_with_nothing_to_send_is_soon_read_again(
    world: World, ben: Browser, talk: Conversation, enqueued: Enqueued, status: str, asks: bool
) -> None:
    fetched(world, dt.timedelta(minutes=1))
    with tenant_scope(world.bakery.id):
        db.session.query(MessageTemplate).one().status = status
    enqueued.clear()
    ben.get(f"~/inbox/{talk.id}/templates")
    assert (FETCH in enqueued.names) is asks


def test_the_first_look_fills_itself_without_javascript(world: World, ben: Browser, talk: Conversation) -> None:
    first_look = ben.get(f"~/inbox/{talk.id}/templates").text
    assert '<noscript><meta http-equiv="refresh"' in first_look
    with tenant_scope(world.bakery.id):
        db.session.query(TemplateList).one().fetched_at = now()
    assert 'http-equiv="refresh"' not in ben.get(f"~/inbox/{talk.id}/templates").text


def test_what_is_approved_again_is_on_offer_again(ben: Browser, talk: Conversation) -> None:
    for event in ("PAUSED", "REINSTATED"):
        template_event(event=event)
    assert "Spring is here" in ben.get(f"~/inbox/{talk.id}/templates", headers=FRAGMENT).text


def test_a_template_is_found_by_its_name_where_its_id_is_new(world: World, talk: Conversation) -> None:
    template_event(event="REJECTED", message_template_id=78, message_template_language="en-US")
    assert template(world).status == "REJECTED" and talk


def test_a_change_of_category_counts_once_it_is_made(world: World, talk: Conversation) -> None:
    template_event("template_category_update", correct_category="MARKETING", new_category="UTILITY")
    assert template(world).category == "UTILITY" and talk
    template_event("template_category_update", previous_category="UTILITY", new_category="MARKETING")
    assert template(world).category == "MARKETING"


def test_new_words_and_buttons_are_shown(world: World, talk: Conversation) -> None:
    button = {"message_template_button_type": "URL", "message_template_button_text": "See"}
    button["message_template_button_url"] = "https://bakery.example"
    template_event(
        "message_template_components_update", message_template_element="It is May", message_template_buttons=[button]
    )
    definition = template(world).definition
    assert definition.body == "It is May" and talk
    assert definition.buttons == [{"type": "URL", "text": "See", "url": "https://bakery.example"}]


def test_quality_under_the_wrong_field_name_changes_no_status(world: World, talk: Conversation) -> None:
    template_event(previous_quality_score="GREEN", new_quality_score="RED")
    assert template(world).status == "APPROVED" and talk


def test_old_news_does_not_undo_what_was_read_since(world: World, talk: Conversation, enqueued: Enqueued) -> None:
    with tenant_scope(world.bakery.id):
        waba = db.session.query(Waba).one()
        db.session.add(TemplateList(waba_id=waba.id, fetched_at=now()))
    template_event(event="REJECTED", at=(now() - dt.timedelta(hours=2)).timestamp())
    assert template(world).status == "APPROVED" and talk
    assert FETCH in enqueued.names


@pytest.mark.parametrize("value", [{"event": None}, {"event": ["x"]}, {"message_template_id": {}}, {"event": "NEW"}])
def test_what_makes_no_sense_is_held_without_a_tenant(world: World, talk: Conversation, value: dict[str, Any]) -> None:
    template_event(**value)
    assert failures() == [] and template(world) and talk


def test_news_of_another_business_changes_nothing_here(world: World, talk: Conversation) -> None:
    about = {"message_template_id": 77, "message_template_name": "spring", "message_template_language": "en_US"}
    change = {"field": "message_template_status_update", "value": about | {"event": "REJECTED"}}
    deliver(post(change, waba=SHOES_WABA))
    assert template(world).status == "APPROVED" and talk
