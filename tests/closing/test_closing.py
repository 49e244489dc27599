"""A business is closed: who decides, in which order, what is left, and what dies on the way."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.api import ApiKey
from app.assistant.knowledge import KnowledgeSource
from app.billing.balances import Balance
from app.billing.guard import GuardStep
from app.billing.holds import Claimed, Funds, Hold
from app.billing.invoices import Close, Invoice
from app.billing.ledger import Ledger
from app.billing.subscriptions import charge_monthly_fee
from app.closing.jobs import enqueue_closures
from app.closing.steps import STEPS, Step
from app.crm.models import CrmConnection
from app.hooks.endpoints import WebhookEndpoint
from app.inbox.conversations import BusinessClosed, Conversation, Message
from app.listings.settings import ListingSettings
from app.meta.outgoing import Outgoing
from app.team.models import Invitation
from app.tenancy import Actor, Role, Tenant, db, now, platform_scope, tenant_scope
from app.tenancy.limits import OverLimit
from app.wabas.models import PhoneNumber
from tests.billing.books import arrive_and_post, balance, give_plan, journals, priced, problems, reported
from tests.client import Browser
from tests.closing.closures import Closing
from tests.enqueued import Enqueued
from tests.onboarding.attempts import Attempt, Killed
from tests.world import World, conversation


@pytest.fixture
def talk(connected: Attempt, world: World) -> Conversation:
    """A conversation with Carla, in the United States, whose window is open."""
    return conversation(connected.number())


def queue(world: World, talk: Conversation, words: str = "Hello", **more: Any) -> Message:
    with tenant_scope(world.bakery.id):
        again = Conversation.get_or_404(talk.id)
        return again.reply(words, by=Actor.agent(world.ann), client_id=uuid.uuid4(), **more)


def reload(world: World, message: Message) -> Message:
    with tenant_scope(world.bakery.id):
        return Message.get_or_404(message.id)


def test_closing_needs_a_reason_and_a_second_admin(closing: Closing, world: World) -> None:
    assert closing.ask("").status_code == 422
    closing.ask()
    closing.approve(closing.pat)
    assert closing.load().state == "waiting" and closing.tenant().closed_at is None
    closing.approve()
    assert (closing.load().state, balance(world).stage) == ("running", "closed")
    assert closing.load().approved_by_name == "Quinn"


def test_approving_is_offered_to_another_admin_only(closing: Closing, quinn: Browser, world: World) -> None:
    closing.ask()
    assert "another admin has to approve it" in closing.page() and "Approve and close" not in closing.page()
    assert "Approve and close" in quinn.get(f"/platform/tenants/{world.bakery.id}/closure").text


def test_asking_twice_or_for_a_closed_business_changes_nothing(closing: Closing, world: World) -> None:
    closing.ask()
    closing.ask("again")
    assert closing.load().reason == "it does not pay"
    closing.approve()
    closing.finish()
    closing.ask("again")
    assert closing.load().state == "done"


def test_approving_what_was_withdrawn_says_that_nothing_was_changed(closing: Closing, world: World) -> None:
    closing.ask()
    closing.pat.post(f"{closing.path}/{closing.load().id}/withdrawal")
    closing.approve()
    page = closing.quinn.get(closing.path).text
    assert "Nothing was changed" in page and "Sending has stopped" not in page
    assert closing.load().state == "withdrawn"


def test_the_page_says_what_it_hits_before_anybody_asks(
    closing: Closing, connected: Attempt, world: World, talk: Conversation
) -> None:
    give_plan(world, micros=10_000_000, held_micros=25_000)
    queue(world, talk)
    with tenant_scope(world.bakery.id):
        ApiKey.create("shop", "live", [], by=Actor.agent(world.ann))
        WebhookEndpoint.create("https://shop.example/hook", by=Actor.agent(world.ann))
    page = closing.page()
    number = connected.number().display_number
    for words in ("1 waiting message is cancelled", number, "US$0.02", "US$10.00", "<dt>API keys</dt><dd>1</dd>"):
        assert words in page, words


def test_once_approved_the_gate_refuses_and_says_why(
    closing: Closing, world: World, talk: Conversation, ann: Browser
) -> None:
    closing.begin()
    with pytest.raises(BusinessClosed):
        queue(world, talk)
    answer = ann.post(f"/t/bakery/inbox/{talk.id}/messages", {"body": "Hi", "client_id": str(uuid.uuid4())})
    assert "This business is closed" in answer.text


def test_the_outbox_claims_nothing_of_a_closed_business(closing: Closing, world: World, talk: Conversation) -> None:
    message = queue(world, talk)
    closing.begin()
    with tenant_scope(world.bakery.id):
        funds = Funds.locked(talk.phone_number_id, "USD")
        assert funds and funds.hold([Claimed(message.id, "service", "16505551234")]) == {message.id: "closed"}


def test_what_waits_is_cancelled_and_its_money_released(closing: Closing, world: World, talk: Conversation) -> None:
    give_plan(world, micros=10_000_000)
    first, later = queue(world, talk), queue(world, talk, "Later")
    with tenant_scope(world.bakery.id):
        Message.get_or_404(later.id).state = "scheduled"
        hold = Hold(id=first.id, phone_number_id=talk.phone_number_id, category="service", micros=3_400)
        hold.held_at, hold.expires_at = now(), now() + dt.timedelta(days=1)
        db.session.add(hold)
        db.session.scalars(select(Balance)).one().held_micros = 3_400
    closing.begin()
    closing.go()
    assert {reload(world, each).state for each in (first, later)} == {"cancelled"}
    assert (reload(world, first).error or {}).get("refusal") == "business_closed"
    assert balance(world).held_micros == 0 and problems(world) == []
    assert closing.load().steps[1].facts == {"cancelled": 2, "under_way": 0}


def test_it_waits_for_what_is_being_sent(closing: Closing, world: World, talk: Conversation) -> None:
    message = queue(world, talk)
    with tenant_scope(world.bakery.id):
        Message.get_or_404(message.id).state = "dispatching"
    closing.begin()
    assert closing.go().next_step.name == "cancel_waiting"  # type: ignore[union-attr]
    with tenant_scope(world.bakery.id):
        Message.get_or_404(message.id).state = "accepted"
    assert closing.go().next_step.name == "leave_meta"  # type: ignore[union-attr]
    assert reload(world, message).state == "accepted"


def test_at_meta_the_credit_line_ends_first_and_nothing_is_left(
    closing: Closing, connected: Attempt, calls: list[str]
) -> None:
    allocation = connected.allocation_id()
    closing.begin()
    assert closing.finish().state == "done"
    assert calls.index(f"DELETE {allocation}") < calls.index("DELETE subscribed_apps") < calls.index("POST deregister")
    assert connected.waba().token is None and connected.number().state == "disconnected"


def test_what_meta_refuses_is_shown_and_can_be_retried(closing: Closing, connected: Attempt) -> None:
    connected.fail("DELETE subscribed_apps", 2, times=99)
    closing.begin()
    for _ in range(8):
        closing.go()
    assert closing.load().next_step.name == "leave_meta"  # type: ignore[union-attr]
    assert "1 still to be ended at Meta" in closing.page() and closing.tenant().closed_at is None
    connected.meta.client.delete("/control/api/faults")
    closing.pat.post(f"{closing.path}/{closing.load().id}/retry")
    assert closing.finish().state == "done"


@pytest.mark.parametrize("name", STEPS)
def test_killed_at_any_step_it_goes_on(
    closing: Closing, world: World, talk: Conversation, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_plan(world, micros=10_000_000, monthly_fee_micros=3_000_000)
    queue(world, talk)
    closing.begin()
    step = STEPS[name]

    def die(*given: Any) -> None:
        step.run(*given)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setitem(STEPS, name, Step(step.title, die))
        with pytest.raises(Killed):
            closing.finish()
    assert closing.finish().state == "done" and problems(world) == []
    with tenant_scope(world.bakery.id):
        assert len(db.session.scalars(select(Invoice)).all()) <= 1
    assert closing.tenant().closed_at


def test_the_fee_is_given_back_and_the_month_is_invoiced_at_once(
    closing: Closing, world: World, talk: Conversation
) -> None:
    give_plan(world, micros=50_000_000, monthly_fee_micros=30_000_000, markup={"marketing": 1_000})
    with tenant_scope(world.bakery.id):
        charge_monthly_fee()
    arrive_and_post(world, reported("delivered", priced(), number=number_of(world, talk), at=now().timestamp()))
    closing.begin()
    closing.finish()
    (invoice,) = invoices(world)
    fees = [journal.charged_micros for journal in journals(world) if journal.kind == "fee"]
    assert fees[0] == 30_000_000 and fees[1] < 0
    assert invoice.net_micros == round(sum(fees) + 27_500, -4)
    assert problems(world) == []


def number_of(world: World, talk: Conversation) -> str:
    with tenant_scope(world.bakery.id):
        return PhoneNumber.get_or_404(talk.phone_number_id).meta_id


def invoices(world: World) -> list[Invoice]:
    with tenant_scope(world.bakery.id):
        return list(db.session.scalars(select(Invoice).order_by(Invoice.id)))


def test_a_late_status_is_posted_at_its_price_and_is_on_the_next_invoice(
    closing: Closing, world: World, talk: Conversation
) -> None:
    give_plan(world, micros=50_000_000, monthly_fee_micros=30_000_000, markup={"marketing": 1_000})
    closing.begin()
    closing.finish()
    before = len(invoices(world))
    arrive_and_post(world, reported("delivered", priced(), number=number_of(world, talk), at=now().timestamp()))
    charged = [each for each in journals(world) if each.kind == "message"]
    assert [each.charged_micros for each in charged] == [27_500] and problems(world) == []
    following = (now().date().replace(day=1) + dt.timedelta(days=32)).replace(day=1)
    with tenant_scope(world.bakery.id):
        late = Close(Ledger()).run(following)
        assert late and late.net_micros in (20_000, 30_000)
    assert len(invoices(world)) == before + 1


def test_included_messages_that_were_under_way_stay_included(
    closing: Closing, world: World, talk: Conversation
) -> None:
    give_plan(world, micros=50_000_000, monthly_fee_micros=30_000_000, included_messages=100)
    with tenant_scope(world.bakery.id):
        hold = Hold(id=uuid.uuid4(), phone_number_id=talk.phone_number_id, category="marketing", micros=0)
        hold.held_at, hold.expires_at = now(), now() + dt.timedelta(days=1)
        message = Message.outbound(
            Conversation.get_or_404(talk.id), Outgoing("text", "Hi"), by=Actor.agent(world.ann), client_id=hold.id
        )
        message.id, message.state, message.wamid = hold.id, "accepted", "wamid.1"
        db.session.add_all([hold, message])
    closing.begin()
    closing.finish()
    number = number_of(world, talk)
    for name in ("wamid.1", "wamid.2"):
        arrive_and_post(world, reported("delivered", priced(), name, number=number, at=now().timestamp()))
    assert [each.free for each in journals(world) if each.kind == "message"] == ["included", ""]


def test_keys_webhooks_and_invitations_end(closing: Closing, world: World, app: Flask) -> None:
    with tenant_scope(world.bakery.id):
        _key, secret = ApiKey.create("shop", "live", ["numbers:read"], by=Actor.agent(world.ann))
        WebhookEndpoint.create("https://shop.example/hook", by=Actor.agent(world.ann))
        Invitation.offer("new@example.com", Role.AGENT, by=world.ann)
    closing.begin()
    closing.finish()
    answer = app.test_client().get("/api/v1/numbers", headers={"Authorization": f"Bearer {secret}"})
    assert answer.status_code == 401 and answer.json and answer.json["code"] == "key_revoked"
    with tenant_scope(world.bakery.id):
        assert db.session.scalars(select(WebhookEndpoint.reason)).all() == ["closed"]
        assert not db.session.scalars(Invitation.open_ones()).all()


def test_nothing_is_fetched_for_it_any_more(closing: Closing, world: World) -> None:
    with tenant_scope(world.bakery.id):
        settings = ListingSettings.current()
        settings.feed_url = "https://shop.example/feed.csv"
        source = KnowledgeSource(kind="page", title="Hours", url="https://shop.example/hours", refresh_hours=24)
        source.next_read_at = now()
        db.session.add_all([settings, CrmConnection(provider="hubspot"), source])
    closing.begin()
    closing.finish()
    with tenant_scope(world.bakery.id):
        assert ListingSettings.current().feed_url == "" and CrmConnection.all() == []
        assert db.session.scalars(select(KnowledgeSource.next_read_at)).all() == [None]


def test_a_key_that_was_made_while_it_was_closed_does_not_work(closing: Closing, world: World, app: Flask) -> None:
    closing.begin()
    closing.finish()
    with tenant_scope(world.bakery.id):
        _key, secret = ApiKey.create("shop", "live", ["numbers:read"], by=Actor.agent(world.ann))
    answer = app.test_client().get("/api/v1/numbers", headers={"Authorization": f"Bearer {secret}"})
    assert answer.status_code == 401 and answer.json and answer.json["code"] == "key_revoked"


def test_nothing_can_be_added_to_it(closing: Closing, world: World) -> None:
    closing.begin()
    with tenant_scope(world.bakery.id), pytest.raises(OverLimit, match="seats"):
        Invitation.offer("new@example.com", Role.AGENT, by=world.ann)


def test_the_guard_takes_no_step_any_more(closing: Closing, world: World, pat: Browser) -> None:
    closing.begin()
    answer = pat.post(f"/platform/tenants/{world.bakery.id}/guard", {"stage": "open", "reason": "paid"})
    assert answer.status_code == 303 and balance(world).stage == "closed"


def test_a_step_of_the_guard_that_waited_is_not_approved_any_more(
    closing: Closing, world: World, pat: Browser, quinn: Browser
) -> None:
    pat.post(f"/platform/tenants/{world.bakery.id}/guard", {"stage": "revoked", "reason": "open invoices"})
    closing.begin()
    with tenant_scope(world.bakery.id):
        (step,) = db.session.scalars(select(GuardStep)).all()
    quinn.post(f"/platform/tenants/{world.bakery.id}/guard/{step.id}/approval")
    assert balance(world).stage == "closed"


def test_reopened_its_members_get_in_and_the_rest_begins_anew(
    closing: Closing, world: World, connected: Attempt, ann: Browser
) -> None:
    closing.begin()
    closing.finish()
    closing.pat.post(f"{closing.path}/{closing.load().id}/reopening")
    assert ann.get("/t/bakery/inbox/").status_code == 200 and balance(world).stage == "open"
    assert connected.number().state == "disconnected"
    with tenant_scope(world.bakery.id):
        Invitation.offer("new@example.com", Role.AGENT, by=world.ann)


def test_the_sweep_finds_what_redis_lost(closing: Closing, world: World, enqueued: Enqueued) -> None:
    closing.begin()
    enqueued.clear()
    enqueue_closures()
    assert "closing.go" in enqueued.names


def test_another_business_is_not_touched(closing: Closing, world: World, sue: Browser) -> None:
    closing.begin()
    closing.finish()
    with platform_scope("tests"):
        assert db.session.get_one(Tenant, world.shoes.id).closed_at is None
    assert sue.get("/t/shoes/inbox/").status_code == 200
    assert (
        closing.pat.post(f"/platform/tenants/{world.shoes.id}/closure/{closing.load().id}/reopening").status_code == 404
    )
    assert closing.load().state == "done"
