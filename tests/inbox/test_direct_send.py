"""Direct Send: utility messages without a template, where Meta lets an account and the business wants it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from app.contacts.consents import Consent
from app.inbox.compose.problems import explain
from app.inbox.conversations import (
    Conversation,
    Later,
    Message,
    MessageEvent,
    NoDirectSend,
    SendAttempt,
    Unsubscribed,
    WindowClosed,
)
from app.message_templates.direct_send import REST, DirectSendAccess
from app.message_templates.jobs import fetch_templates
from app.message_templates.models import MessageTemplate
from app.message_templates.settings import TemplateSettings
from app.meta.outgoing import Outgoing, buttons, text
from app.tenancy import Actor, db, now, tenant_scope
from tests.client import FRAGMENT, Browser
from tests.happenings import deliver_to_subscriber
from tests.message_templates.templates import approved
from tests.simulated import Road

READY = "Your order 17 is ready to collect."
FORM = {"client_id": str(uuid.uuid4()), "body": READY}


@pytest.fixture
def talk(road: Road) -> Conversation:
    """Carla wrote two days ago; the business uses Direct Send."""
    talk = road.customer_writes()
    with tenant_scope(road.world.bakery.id):
        TemplateSettings.change(uses_direct_send=True)
        Conversation.get_or_404(talk.id).last_inbound_at = now() - dt.timedelta(days=2)
    return talk


@pytest.fixture
def allow(road: Road) -> Callable[[str], None]:
    """What Meta lets the account do."""

    def order(state: str) -> None:
        road.meta.post("direct-send", waba_id=road.ids["waba_id"], state=state)

    return order


def send(road: Road, talk: Conversation, words: str = READY, **more: Any) -> Message:
    with tenant_scope(road.world.bakery.id):
        here = Conversation.get_or_404(talk.id)
        outgoing = more.pop("outgoing", None) or Outgoing("text", words, category="utility")
        return here.send(outgoing, by=Actor.agent(road.world.ann), client_id=uuid.uuid4(), **more)


def access(road: Road) -> DirectSendAccess:
    with tenant_scope(road.world.bakery.id):
        return DirectSendAccess.of(road.number.waba_id)


def change(road: Road, **values: Any) -> None:
    with tenant_scope(road.world.bakery.id):
        DirectSendAccess.store(road.number.waba_id, **values)


def refusal_of(road: Road, talk: Conversation, words: str = READY) -> str:
    with pytest.raises(NoDirectSend) as refusal:
        send(road, talk, words)
    return explain(refusal.value)


def test_a_utility_message_goes_into_a_closed_window(road: Road, talk: Conversation, allow: Any) -> None:
    allow("on")
    message = send(road, talk)
    road.deliver()
    assert [one["type"] for one in road.meta.accepted()] == ["text"]
    road.until(lambda: road.state_of(message) == "delivered")
    assert access(road).state == "on" and categories(road) == {"utility"}


def categories(road: Road) -> set[str]:
    """What Meta charges messages as."""
    with tenant_scope(road.world.bakery.id):
        return {one.pricing["category"] for one in db.session.query(MessageEvent) if one.pricing}


def test_buttons_go_too(road: Road, talk: Conversation, allow: Any) -> None:
    allow("on")
    question = replace(buttons("Is 10:00 all right?", ("Yes", "No")), category="utility")
    send(road, talk, outgoing=question)
    road.deliver()
    assert road.meta.accepted()[0]["type"] == "interactive"


def test_an_open_window_needs_no_direct_send(road: Road, allow: Any) -> None:
    talk = road.customer_writes()
    message = send(road, talk)
    road.deliver()
    assert message.category == "" and road.state_of(message) != "failed"


def test_without_a_category_the_window_stays_closed(road: Road, talk: Conversation) -> None:
    with pytest.raises(WindowClosed):
        send(road, talk, outgoing=text(READY))


def test_it_is_off_until_an_owner_switches_it_on(road: Road, talk: Conversation) -> None:
    with tenant_scope(road.world.bakery.id):
        TemplateSettings.change(uses_direct_send=False)
    assert "An owner can switch it on" in refusal_of(road, talk)


def test_an_account_without_it_fails_with_the_way_on_and_is_remembered(
    road: Road, talk: Conversation, allow: Any
) -> None:
    message = send(road, talk)
    road.deliver()
    failed = road.reload(message)
    assert failed.state == "failed" and failed.error and "Send a template instead" in failed.error["fix"]
    assert not failed.can_be_retried and access(road).state == "off"
    assert "hasn't enabled" in refusal_of(road, talk)


def test_what_waits_behind_a_refusal_fails_without_being_tried(road: Road, talk: Conversation) -> None:
    first, second = send(road, talk), send(road, talk, "Your table is booked for 19:00.")
    road.deliver()
    road.deliver()
    with tenant_scope(road.world.bakery.id):
        tries = {one.message_id for one in db.session.query(SendAttempt)}
    assert tries == {first.id} and road.reload(second).error["refusal"] == "no_direct_send"  # type: ignore[index]


def test_a_refusal_is_tried_again_after_some_days(road: Road, talk: Conversation, allow: Any) -> None:
    change(road, state="off", learnt_at=now() - REST, try_again_at=now())
    allow("on")
    message = send(road, talk)
    road.deliver()
    assert road.state_of(message) != "failed" and access(road).state == "on"


def test_a_blocked_account_is_remembered_with_words(road: Road, talk: Conversation, allow: Any) -> None:
    allow("blocked")
    road.until(lambda: access(road).state == "blocked")
    assert "blocked" in refusal_of(road, talk)


def test_an_answer_that_it_is_blocked_counts_without_the_webhook(road: Road, talk: Conversation, allow: Any) -> None:
    allow("blocked")
    message = send(road, talk)
    road.deliver()
    assert access(road).state == "blocked" and road.state_of(message) == "failed"
    with tenant_scope(road.world.bakery.id):
        again = Message.get_or_404(message.id)
        again.retry()
        assert again.error and again.error["refusal"] == "no_direct_send"


@pytest.mark.parametrize("words", ["All rye bread 20% off.", "Aproveite: pão com desconto", "خصم على الخبز"])
def test_advertising_is_refused_in_every_language(road: Road, talk: Conversation, words: str) -> None:
    assert "reads like advertising" in refusal_of(road, talk, words)


def test_who_opted_out_of_utility_messages_gets_none(road: Road, talk: Conversation) -> None:
    with tenant_scope(road.world.bakery.id):
        Consent.record(talk.contact_id, "utility", is_granted=False, source="phone")
    with pytest.raises(Unsubscribed):
        send(road, talk)


def test_an_opt_out_withdraws_what_waits(road: Road, talk: Conversation) -> None:
    message = send(road, talk)
    with tenant_scope(road.world.bakery.id):
        Consent.record(talk.contact_id, "utility", is_granted=False, source="phone")
    deliver_to_subscriber("unwanted", road.world.bakery.id)
    assert road.state_of(message) == "failed"


def misuse(road: Road, talk: Conversation, allow: Any) -> None:
    """A message that only Meta takes for advertising, and its report."""
    allow("on")
    send(road, talk, "Your table is booked.")
    road.deliver()
    listed = road.meta.get("templates")["templates"]
    (one,) = [one for one in listed if one["name"].startswith("auto_generated_text")][-1:]
    road.meta.post(f"templates/{one['id']}", act="report_misuse")
    road.until(lambda: access(road).misused_at is not None)


def test_metas_report_switches_it_off_and_an_owner_on_again_once(
    road: Road, talk: Conversation, allow: Any, ann: Browser, ben: Browser
) -> None:
    misuse(road, talk, allow)
    assert "took one of your messages for advertising" in refusal_of(road, talk)
    assert "Switch on again" in ann.get("~/templates/").text and "Switch on again" not in ben.get("~/templates/").text
    address = f"~/templates/direct-send/{road.number.waba_id}/restoration"
    assert ben.post(address).status_code == 403
    ann.post(address)
    send(road, talk)
    change(road, misused_at=now())
    ann.post(address)
    assert access(road).misused_at and "stays off" in ann.get("~/templates/").text


def test_a_late_copy_of_a_report_changes_nothing(road: Road, talk: Conversation) -> None:
    change(road, restored_at=now())
    with tenant_scope(road.world.bakery.id):
        DirectSendAccess.report_misuse(road.number.waba_id, "auto_generated_text", now() - dt.timedelta(hours=1))
    assert access(road).misused_at is None


def test_a_report_withdraws_what_waits(road: Road, talk: Conversation) -> None:
    message = send(road, talk)
    with tenant_scope(road.world.bakery.id):
        DirectSendAccess.report_misuse(road.number.waba_id, "auto_generated_text", now())
    deliver_to_subscriber("direct_sends", road.world.bakery.id)
    assert road.state_of(message) == "failed"


def test_generated_templates_are_neither_listed_nor_offered(
    road: Road, talk: Conversation, allow: Any, ann: Browser
) -> None:
    allow("on")
    fetch_templates(road.world.bakery.id, str(road.number.waba_id))
    with tenant_scope(road.world.bakery.id):
        (made,) = [one for one in db.session.query(MessageTemplate) if one.name.startswith("auto_generated")]
        assert made.is_generated and not made.is_sendable
        assert made not in MessageTemplate.sendable(road.number.waba_id)
    assert "auto_generated" not in ann.get("~/templates/").text
    assert "auto generated" not in ann.get(f"~/inbox/{talk.id}/templates").text.lower()


def test_a_generated_template_cannot_be_sent(road: Road, talk: Conversation, ann: Browser) -> None:
    made = approved(road.number, "auto_generated_text", source="AUTO_GENERATED")
    answer = ann.post(f"~/inbox/{talk.id}/templates/{made.id}", FORM, headers=FRAGMENT)
    assert answer.status_code == 422


@pytest.mark.parametrize(("has_template", "state", "best"), [(True, "on", "template"), (False, "on", "direct_send")])
def test_a_template_comes_before_direct_send(
    road: Road, talk: Conversation, has_template: bool, state: str, best: str
) -> None:
    if has_template:
        approved(road.number)
    with tenant_scope(road.world.bakery.id):
        assert Conversation.get_or_404(talk.id).ways_to_write.best == best


def test_where_nothing_can_be_sent_the_composer_says_why(road: Road, talk: Conversation, ann: Browser) -> None:
    change(road, state="off", learnt_at=now(), try_again_at=now() + REST)
    page = ann.get(f"~/inbox/{talk.id}").text
    assert "no template that you can send" in page and "enabled Direct Send" in page
    assert "Write without a template" not in page


def test_the_composer_offers_it_with_its_price_and_sends_it(road: Road, talk: Conversation, ann: Browser) -> None:
    page = ann.get(f"~/inbox/{talk.id}").text
    assert "Write without a template" in page and 'data-testid="price"' in page
    assert ann.post(f"~/inbox/{talk.id}/compose/direct-send", FORM).status_code == 303
    with tenant_scope(road.world.bakery.id):
        assert db.session.query(Message).filter_by(direction="outbound").one().category == "utility"
    assert "A utility message was sent." in ann.get(f"~/inbox/{talk.id}/offer", headers=FRAGMENT).text


def test_both_kinds_of_buttons_at_once_are_refused(road: Road, talk: Conversation, ann: Browser) -> None:
    both = FORM | {"first": "Yes", "button": "Track", "url": "https://x.example"}
    answer = ann.post(f"~/inbox/{talk.id}/compose/direct-send", both, headers=FRAGMENT)
    assert answer.status_code == 422 and "not both" in answer.text


def test_somebody_new_is_written_to_without_a_template(road: Road, talk: Conversation, ann: Browser) -> None:
    who = f"to=%2B4915112345678&number={road.number.id}"
    assert "Write without a template" in ann.get(f"~/inbox/new?{who}").text
    answer = ann.post(f"~/inbox/new/direct-send?{who}", FORM | {"save_as": "Hanna"})
    assert answer.status_code == 303
    with tenant_scope(road.world.bakery.id):
        sent = db.session.query(Message).filter_by(direction="outbound").one()
        assert (sent.category, sent.conversation.contact.name) == ("utility", "Hanna")


def test_what_is_written_goes_into_a_conversation_that_was_opened_meanwhile(
    road: Road, talk: Conversation, ann: Browser
) -> None:
    address = f"~/inbox/new/direct-send?contact={talk.contact_id}&number={road.number.id}"
    assert ann.post(address, FORM).location.endswith(str(talk.id))
    with tenant_scope(road.world.bakery.id):
        assert db.session.query(Message).filter_by(direction="outbound").one().body == READY
    assert ann.get(address).location.endswith(str(talk.id))


def test_a_refused_first_message_opens_no_conversation(road: Road, talk: Conversation, ann: Browser) -> None:
    who = f"to=%2B4915112345678&number={road.number.id}"
    answer = ann.post(f"~/inbox/new/direct-send?{who}", FORM | {"body": "Last chance: bread 20% off"})
    assert answer.status_code == 422 and "reads like advertising" in answer.text
    with tenant_scope(road.world.bakery.id):
        assert db.session.query(Conversation).count() == 1


def test_a_scheduled_text_goes_without_a_template_if_the_window_has_closed(
    road: Road, talk: Conversation, allow: Any, ann: Browser
) -> None:
    allow("on")
    at = f"{now() + dt.timedelta(days=1):%Y-%m-%dT%H:%M}"
    fields = FORM | {"at": at, "zone": "UTC", "instead": "direct-send"}
    assert ann.post(f"~/inbox/{talk.id}/later", fields).status_code == 303
    with tenant_scope(road.world.bakery.id):
        message = db.session.query(Message).filter_by(state="scheduled").one()
        assert message.price_when_due
        message.release()
        assert (message.state, message.category) == ("queued", "utility")
    road.deliver()
    road.until(lambda: categories(road) == {"utility"})


def test_a_scheduled_text_that_advertises_has_no_such_fallback(road: Road, talk: Conversation) -> None:
    instead = {"type": "text", "body": "Bread 20% off", "content": {"raw": {}, "category": "utility"}}
    with pytest.raises(NoDirectSend):
        send(road, talk, outgoing=text("Bread 20% off"), later=Later(now() + dt.timedelta(days=1), instead))


def test_the_settings_say_what_is_known_and_only_owners_change_them(road: Road, ann: Browser, ben: Browser) -> None:
    assert ben.post("~/templates/settings", {"direct_send": "1"}).status_code == 403
    ann.post("~/templates/settings", {"direct_send": "1"})
    change(road, state="off", learnt_at=now(), try_again_at=now() + REST)
    assert "not enabled by Meta" in ann.get("~/templates/settings").text
