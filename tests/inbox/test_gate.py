"""What may go out: one gate that every sender passes, whoever it is, and again when something scheduled is due."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest

from app.contacts.consents import Consent
from app.inbox.compose.macros import Macro
from app.inbox.compose.offers import best_offer
from app.inbox.conversations import (
    Blocked,
    Conversation,
    Later,
    MarkedSpam,
    Message,
    NumberUnavailable,
    Refusal,
    Unsubscribed,
    WindowClosed,
)
from app.message_templates.models import MessageTemplate
from app.meta.outgoing import Outgoing
from app.tenancy import Actor, db, now, tenant_scope
from app.wabas.models import PhoneNumber
from tests.arrivals import arrive, messages, of_field
from tests.client import FRAGMENT, Browser
from tests.enqueued import release_due
from tests.happenings import deliver_to_subscriber
from tests.posts import status
from tests.world import World, conversation

NEWS = Outgoing("template", "Spring is here", {"name": "spring", "language": {"code": "en"}, "components": []})
SENDERS = [None, Actor("campaign"), Actor("automation"), Actor("api"), Actor.system("away")]
CARLA = "16505551234"


@pytest.fixture
def talk(world: World) -> Conversation:
    number, _ = world.connect_numbers()
    with tenant_scope(world.bakery.id):
        one = MessageTemplate(waba_id=number.waba_id, meta_id="1", name="spring", language="en", category="MARKETING")
        one.status, one.parameter_format = "APPROVED", "NAMED"
        one.components = [{"type": "BODY", "text": "Spring is here"}]
        db.session.add(one)
    return conversation(number, wa_id=CARLA)


def change(world: World, talk: Conversation, **values: Any) -> None:
    with tenant_scope(world.bakery.id):
        for name, value in values.items():
            setattr(Conversation.get_or_404(talk.id), name, value)


def consent(world: World, talk: Conversation, purpose: str = "marketing", *, is_granted: bool = False) -> None:
    with tenant_scope(world.bakery.id):
        Consent.record(talk.contact_id, purpose, is_granted=is_granted, source="phone")


def send(world: World, talk: Conversation, outgoing: Outgoing = NEWS, by: Actor | None = None, **more: Any) -> Message:
    with tenant_scope(world.bakery.id):
        sender = by or Actor.agent(world.ann)
        return Conversation.get_or_404(talk.id).send(outgoing, by=sender, client_id=uuid.uuid4(), **more)


@pytest.mark.parametrize("by", SENDERS)
def test_marketing_to_somebody_who_refused_it_is_refused_whoever_sends(
    world: World, talk: Conversation, by: Actor | None
) -> None:
    consent(world, talk)
    with pytest.raises(Unsubscribed) as refused:
        send(world, talk, by=by)
    assert refused.value.facts == {"purpose": "marketing"} and messages(world) == []


def test_who_agreed_again_gets_it(world: World, talk: Conversation) -> None:
    consent(world, talk)
    consent(world, talk, is_granted=True)
    assert send(world, talk).state == "queued"


def test_a_no_to_marketing_is_no_no_to_a_reply(world: World, talk: Conversation) -> None:
    consent(world, talk)
    assert send(world, talk, Outgoing("text", "Your cake is ready")).state == "queued"


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        ({"state": "blocked"}, Blocked),
        ({"last_inbound_at": now() - dt.timedelta(days=2)}, WindowClosed),
        ({"last_inbound_at": None}, WindowClosed),
    ],
)
def test_a_text_is_refused_to_everybody(
    world: World, talk: Conversation, values: dict[str, Any], refusal: type[Refusal]
) -> None:
    change(world, talk, **values)
    for by in SENDERS:
        with pytest.raises(refusal):
            send(world, talk, Outgoing("text", "Hello"), by=by)


def test_from_a_number_that_is_not_connected_nothing_goes_out(world: World, talk: Conversation) -> None:
    with tenant_scope(world.bakery.id):
        PhoneNumber.get_or_404(talk.phone_number_id).disconnect()
    with pytest.raises(NumberUnavailable):
        send(world, talk)


def test_only_people_write_into_spam(world: World, talk: Conversation) -> None:
    change(world, talk, state="spam")
    with pytest.raises(MarkedSpam):
        send(world, talk, Outgoing("text", "Hello"), by=Actor("automation"))
    assert send(world, talk, Outgoing("text", "Hello")).state == "queued"


def test_the_page_says_why_and_sends_nothing(ann: Browser, world: World, talk: Conversation) -> None:
    consent(world, talk)
    with tenant_scope(world.bakery.id):
        template = db.session.scalars(db.select(MessageTemplate)).one().id
    form = {"client_id": str(uuid.uuid4())}
    answer = ann.post(f"~/inbox/{talk.id}/templates/{template}", form, headers=FRAGMENT)
    assert answer.status_code == 422 and "opted out of marketing messages" in answer.text
    assert messages(world) == []


def test_a_macro_that_would_send_it_does_nothing(ann: Browser, world: World, talk: Conversation) -> None:
    consent(world, talk)
    with tenant_scope(world.bakery.id):
        macro = Macro(name="Spring", template_name="spring", template_language="en", ending="resolved")
        db.session.add(macro)
    answer = ann.post(f"~/inbox/{talk.id}/macros/{macro.id}/runs", {"run_id": str(uuid.uuid4())}, headers=FRAGMENT)
    assert answer.status_code == 409 and "opted out of marketing messages" in answer.text
    with tenant_scope(world.bakery.id):
        assert Conversation.get_or_404(talk.id).state == "open"


def test_what_would_be_refused_is_not_offered(ann: Browser, world: World, talk: Conversation) -> None:
    consent(world, talk)
    with tenant_scope(world.bakery.id):
        again = Conversation.get_or_404(talk.id)
        assert best_offer(again, by=Actor.agent(world.ann), tenant=world.bakery) is None
    assert "“Spring" not in ann.get(f"~/inbox/{talk.id}/later").text


def test_it_is_not_scheduled_either_nor_as_what_goes_out_instead(world: World, talk: Conversation) -> None:
    consent(world, talk)
    at = now() + dt.timedelta(hours=1)
    instead = {"type": "template", "body": "", "content": {"raw": NEWS.raw}}
    for outgoing, later in ((NEWS, Later(at)), (Outgoing("text", "Hi"), Later(at, instead))):
        with pytest.raises(Unsubscribed):
            send(world, talk, outgoing, later=later)


def scheduled(world: World, talk: Conversation, *, instead: bool = False) -> Message:
    """One that is due now."""
    content = {"raw": NEWS.raw, "preview": "Spring"}
    later = Later(now(), {"type": "template", "body": "Spring", "content": content} if instead else None)
    return send(world, talk, Outgoing("text", "Hi") if instead else NEWS, later=later)


def after_release(world: World) -> tuple[str, str]:
    release_due()
    (message,) = messages(world)
    return message.state, (message.error or {}).get("refusal", "")


def test_the_gate_is_asked_again_when_it_is_due(world: World, talk: Conversation) -> None:
    scheduled(world, talk)
    with tenant_scope(world.bakery.id):
        db.session.add(Consent(contact_id=talk.contact_id, purpose="marketing", is_granted=False, source="phone"))
    assert after_release(world) == ("failed", "unsubscribed")


def test_the_gate_is_asked_about_what_goes_out_instead(world: World, talk: Conversation) -> None:
    scheduled(world, talk, instead=True)
    change(world, talk, last_inbound_at=now() - dt.timedelta(days=2))
    with tenant_scope(world.bakery.id):
        db.session.add(Consent(contact_id=talk.contact_id, purpose="marketing", is_granted=False, source="phone"))
    assert after_release(world) == ("failed", "unsubscribed")


def test_what_is_due_for_a_blocked_customer_does_not_go_out(world: World, talk: Conversation) -> None:
    scheduled(world, talk)
    change(world, talk, state="blocked")
    assert after_release(world) == ("failed", "blocked")


def test_what_is_a_day_late_does_not_go_out(world: World, talk: Conversation) -> None:
    late = scheduled(world, talk)
    with tenant_scope(world.bakery.id):
        Message.get_or_404(late.id).send_at = now() - dt.timedelta(hours=25)
    assert after_release(world) == ("expired", "too_late")


def test_marketing_that_waits_is_withdrawn_when_the_customer_opts_out(world: World, talk: Conversation) -> None:
    send(world, talk)
    saved = send(world, talk, Outgoing("text", "Your cake is ready"))
    consent(world, talk)
    deliver_to_subscriber("unwanted", world.bakery.id)
    states = {message.id: message.state for message in messages(world)}
    assert states.pop(saved.id) == "queued" and list(states.values()) == ["failed"]


def preference(value: str = "stop", at: float = 1_790_000_000, **more: Any) -> dict[str, Any]:
    """As Meta documents it."""
    one = {"wa_id": CARLA, "detail": "User requested to stop marketing messages", "category": "marketing_messages"}
    existing = [{"profile": {"name": "Carla"}, "wa_id": CARLA}]
    change = one | {"value": value, "timestamp": int(at)} | more
    return of_field("user_preferences", contacts=existing, user_preferences=[change])


def log(world: World) -> list[tuple[str, bool, str]]:
    with tenant_scope(world.bakery.id):
        results = db.session.scalars(db.select(Consent).order_by(Consent.occurred_at, Consent.id))
        return [(one.purpose, one.is_granted, one.source) for one in results]


def test_who_stops_marketing_in_whatsapp_has_refused_it(world: World, talk: Conversation) -> None:
    arrive(preference())
    arrive(preference())
    assert log(world) == [("marketing", False, "whatsapp")]
    with pytest.raises(Unsubscribed):
        send(world, talk)


@pytest.mark.parametrize(
    "change",
    [
        {"value": "STOP"},
        {"category": "MARKETING_MESSAGES"},
        {"wa_id": f"+{CARLA}"},
        {"user_id": "US.1"},
        {"detail": None},
    ],
)
def test_a_refusal_counts_however_it_is_spelt(world: World, talk: Conversation, change: dict[str, Any]) -> None:
    arrive(preference(**change))
    with pytest.raises(Unsubscribed):
        send(world, talk)


def test_a_refusal_that_is_no_list_counts(world: World, talk: Conversation) -> None:
    change = preference()
    (change["value"]["user_preferences"],) = change["value"]["user_preferences"]
    arrive(change)
    assert log(world) == [("marketing", False, "whatsapp")]


def test_who_resumes_it_gets_it_again_in_whatever_order_that_is_reported(world: World, talk: Conversation) -> None:
    arrive(preference("resume", at=1_790_000_100))
    arrive(preference("stop", at=1_790_000_000))
    assert log(world) == [("marketing", False, "whatsapp"), ("marketing", True, "whatsapp")]
    assert send(world, talk).state == "queued"


@pytest.mark.parametrize(
    "change",
    [
        {"category": "weather"},
        {"value": "perhaps"},
        {"value": None},
        {"wa_id": None},
        {"wa_id": {"id": 1}},
        {"category": ["marketing_messages"]},
    ],
)
def test_a_preference_that_makes_no_sense_is_passed_over(
    world: World, talk: Conversation, change: dict[str, Any]
) -> None:
    arrive(preference(**change), preference(wa_id="447700900123"))
    assert log(world) == [("marketing", False, "whatsapp")]


def test_a_preference_names_somebody_by_the_id_of_the_business(world: World, talk: Conversation) -> None:
    arrive(preference(wa_id=None, user_id="US.13491208655302741918"))
    assert log(world) == [("marketing", False, "whatsapp")]


def test_a_refusal_that_whatsapp_reports_with_a_failure_counts(world: World, talk: Conversation) -> None:
    sent = send(world, talk)
    with tenant_scope(world.bakery.id):
        Message.get_or_404(sent.id).wamid = "wamid.m"
    for _ in range(2):
        arrive(status("wamid.m", "failed", errors=[{"code": 131050}]))
        deliver_to_subscriber("opt_outs", world.bakery.id)
    assert log(world) == [("marketing", False, "whatsapp")]
