"""The page that says why a message did or did not arrive, and who may open it."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
from sqlalchemy import select, text

from app.inbox.conversations import Conversation, Message, MessageEvent, SendAttempt
from app.inbox.outbound.outbox import expire_late
from app.meta.outgoing import Outgoing
from app.team.models import Look
from app.tenancy import Actor, db, now, platform_scope, tenant_scope
from app.wabas.models import PhoneNumber
from tests.arrivals import arrive
from tests.client import Browser
from tests.posts import message as post_of_message
from tests.posts import status
from tests.simulated import Road
from tests.world import World, conversation

REFUSED: dict[str, Any] = {
    "kind": "human",
    "title": "Meta refused this for a reason of its own.",
    "fix": "Read the details from Meta.",
    "code": 131026,
    "subcode": None,
    "details": "Undeliverable",
    "fbtrace_id": "AbC123",
    "http_status": 400,
}


def page(browser: Browser, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    return " ".join(answer.get_data(as_text=True).split())


def verdict(browser: Browser, message: Message) -> str:
    shown = page(browser, f"~/stories/{message.id}")
    return shown.partition('data-testid="verdict"')[2].partition("<ol")[0]


@pytest.fixture
def talk(world: World) -> Conversation:
    ours, theirs = world.connect_numbers()
    conversation(theirs, wa_id="4479999")
    return conversation(ours)


def sent(world: World, talk: Conversation, state: str, words: str = "good morning", **more: Any) -> Message:
    with tenant_scope(world.bakery.id):
        made = Message.outbound(talk, Outgoing("text", words), by=Actor.agent(world.ann), client_id=uuid.uuid4())
        made.state, made.attempts = state, 1
        made.expires_at = now() + dt.timedelta(hours=3)
        for name, value in more.items():
            setattr(made, name, value)
        db.session.add(made)
    return made


def attempt(world: World, message: Message, outcome: str | None, error: Any = None) -> None:
    with tenant_scope(world.bakery.id):
        tried = SendAttempt(message_id=message.id, outcome=outcome, error=error)
        tried.finished_at = now() if outcome else None
        db.session.add(tried)


def states(world: World) -> list[str]:
    with tenant_scope(world.bakery.id):
        return list(db.session.scalars(select(Message.state).order_by(Message.id)))


def test_a_refusal_shows_its_reason_and_the_fix_in_the_first_line(
    ann: Browser, world: World, talk: Conversation
) -> None:
    message = sent(world, talk, "failed", error=REFUSED)
    attempt(world, message, "failed", REFUSED)
    assert "This message wasn&#39;t delivered." in verdict(ann, message)
    assert REFUSED["title"] in verdict(ann, message) and "Read the details from Meta" in verdict(ann, message)
    shown = page(ann, f"~/stories/{message.id}")
    for words in (
        "Sent to WhatsApp and refused",
        "Undeliverable",
        "code 131026",
        "fbtrace_id AbC123",
        "Response after",
    ):
        assert words in shown, words


def test_a_lost_answer_is_shown_as_unknown_with_the_risk(ann: Browser, world: World, talk: Conversation) -> None:
    message = sent(world, talk, "unknown")
    attempt(world, message, None)
    facts = verdict(ann, message)
    assert "Delivery is unconfirmed." in facts and "the customer may get the message twice" in facts
    assert "no response" in page(ann, f"~/stories/{message.id}")


def test_what_waited_too_long_says_what_it_waited_for(ann: Browser, world: World, talk: Conversation) -> None:
    message = sent(world, talk, "queued", expires_at=now() - dt.timedelta(minutes=1))
    with tenant_scope(world.bakery.id):
        PhoneNumber.get_or_404(talk.phone_number_id).pause("Meta was cross.", "Wait for Meta.")
    with tenant_scope(world.bakery.id):
        expire_late()
    facts = verdict(ann, message)
    assert "The 24-hour reply window closed first" in facts and "Meta was cross." in facts and "Wait for Meta." in facts


def test_a_late_status_says_how_late_it_came(ann: Browser, world: World, talk: Conversation) -> None:
    message = sent(world, talk, "accepted", wamid="wamid.late")
    pricing = {"category": "service", "type": "free_customer_service", "pricing_model": "PMP", "billable": False}
    arrive(status("wamid.late", "delivered", at=now().timestamp() - 3 * 3600, pricing=pricing))
    assert "This message was delivered." in verdict(ann, message)
    shown = page(ann, f"~/stories/{message.id}")
    assert "reported 3 hours later" in shown and "free_customer_service" in shown


def test_a_delivery_after_a_failure_counts_for_more(ann: Browser, world: World, talk: Conversation) -> None:
    message = sent(world, talk, "accepted", wamid="wamid.both")
    arrive(status("wamid.both", "failed", errors=[{"code": 131026, "title": "x"}]), status("wamid.both", "delivered"))
    assert "also reported a failure" in verdict(ann, message)


@pytest.mark.parametrize("state", ["queued", "dispatching", "accepted", "sent", "read", "played", "cancelled"])
def test_every_state_has_a_verdict(ann: Browser, world: World, talk: Conversation, state: str) -> None:
    assert len(verdict(ann, sent(world, talk, state))) > 50


def test_an_inbound_message_tells_when_it_came(ben: Browser, world: World, talk: Conversation) -> None:
    arrive(post_of_message("hello there", wamid="wamid.in"))
    with tenant_scope(world.bakery.id):
        (message,) = db.session.scalars(select(Message)).unique()
    shown = page(ben, f"~/stories/{message.id}")
    assert "This message was received and is in the inbox." in shown and "WhatsApp's time" in shown


def test_the_steps_with_a_failure_are_shown_as_they_were(road: Road, ann: Browser) -> None:
    refused = road.reply(road.customer_writes(wa_id="15559131051", name="Magic"), "one")
    late = road.reply(road.customer_writes(wa_id="15558000016", name="Late"), "two")
    lost = road.reply(road.customer_writes(wa_id="15558000003", name="Lost"), "three")
    road.deliver()
    road.until(lambda: road.state_of(late) == "failed" and road.state_of(lost) in ("delivered", "read"))
    assert road.reload(refused).error
    assert road.reload(refused).error["title"] in verdict(ann, refused).replace("&#39;", "'")  # type: ignore[index]
    assert "This message wasn&#39;t delivered." in verdict(ann, late)
    assert "response was lost at first" in verdict(ann, lost)


def test_a_failed_bubble_leads_to_its_story(ben: Browser, world: World, talk: Conversation) -> None:
    message = sent(world, talk, "failed", error=REFUSED)
    assert f"/stories/{message.id}" in page(ben, f"~/inbox/{talk.id}")


@pytest.mark.parametrize(
    "ask", ["{m.wamid}", "{m.id}", "+1 650 555 1234", "١٦٥٠٥٥٥١٢٣٤", "16505551234.0", "wa.me/16505551234"]
)
def test_a_message_is_found_by_either_id_or_the_customers_number(
    ben: Browser, pat: Browser, world: World, talk: Conversation, ask: str
) -> None:
    message = sent(world, talk, "failed", wamid="wamid.abc/+=")
    words = {"q": ask.format(m=message)}
    assert ben.get("~/stories", query_string=words).location.endswith(f"/stories/{message.id}")
    answer = pat.get("/platform/messages", query_string=words)
    assert answer.location == f"/platform/tenants/{world.bakery.id}/messages/{message.id}"


def test_a_time_narrows_what_a_number_finds(ben: Browser, world: World, talk: Conversation) -> None:
    old = sent(world, talk, "read", occurred_at=dt.datetime(2026, 1, 5, 12, 3, tzinfo=dt.UTC))
    sent(world, talk, "read")
    results = ben.get("~/stories", query_string={"q": "16505551234", "at": "2026-01-05T12:00"})
    assert results.location.endswith(str(old.id))


def test_what_is_not_found_says_what_to_look_for(ben: Browser, pat: Browser, world: World, talk: Conversation) -> None:
    assert "No message found for" in page(ben, "~/stories?q=<b>hm")
    assert "Search the webhooks" in page(pat, "/platform/messages?q=wamid.nothing")


def test_a_stranger_finds_and_opens_nothing(sue: Browser, app: Any, world: World, talk: Conversation) -> None:
    message = sent(world, talk, "failed", wamid="wamid.ours")
    assert sue.get(f"~/stories/{message.id}").status_code == 404
    neighbour = Browser(app, tenant="shoes").signed_in_as(world.sue)
    assert neighbour.get(f"~/stories/{message.id}").status_code == 404
    for words in ("wamid.ours", str(message.id), "16505551234"):
        assert "No message found" in page(neighbour, f"~/stories?q={words}")
    assert "No failed messages" in page(neighbour, "~/failures")


def test_failures_are_grouped_by_number_and_code(ann: Browser, pat: Browser, world: World, talk: Conversation) -> None:
    for _ in range(3):
        sent(world, talk, "failed", error=REFUSED)
    sent(world, talk, "unknown")
    sent(world, talk, "read")
    for browser, path in ((ann, "~/failures"), (pat, "/platform/failures")):
        shown = page(browser, path)
        assert 'tabular-nums">3</span>' in shown and "code 131026" in shown and REFUSED["title"] in shown
        assert shown.count('name="id"') == 4
        assert page(browser, f"{path}?state=failed&code=131026").count('name="id"') == 3


def test_agents_do_not_manage_failures(ben: Browser, world: World, talk: Conversation) -> None:
    assert ben.get("~/failures").status_code == 403
    assert ben.post("~/failures/attempts", {"all": "yes"}).status_code == 403


@pytest.mark.parametrize(("who", "path"), [("ann", "~/failures"), ("pat", "/platform/failures")])
def test_failed_messages_are_sent_again_and_unknown_ones_only_on_leave(
    request: pytest.FixtureRequest, world: World, talk: Conversation, who: str, path: str
) -> None:
    browser: Browser = request.getfixturevalue(who)
    sent(world, talk, "failed", error=REFUSED)
    sent(world, talk, "unknown")
    browser.post(f"{path}/attempts", {"all": "yes"})
    assert states(world) == ["queued", "unknown"]
    browser.post(f"{path}/attempts", {"all": "yes", "twice_is_fine": "yes"})
    assert states(world) == ["queued", "queued"]


def test_only_the_chosen_are_sent_again(ann: Browser, world: World, talk: Conversation) -> None:
    chosen, _ = (sent(world, talk, "failed", error=REFUSED) for _ in range(2))
    ann.post("~/failures/attempts", {"id": [str(chosen.id), "nonsense"]})
    assert states(world) == ["queued", "failed"]


def test_what_can_never_go_is_left_alone_and_reported(ann: Browser, world: World, talk: Conversation) -> None:
    sent(world, talk, "failed", error=REFUSED | {"kind": "final"})
    sent(world, talk, "failed", error=REFUSED, expires_at=now() - dt.timedelta(hours=1))
    answer = ann.post("~/failures/attempts", {"all": "yes"}, follow_redirects=True)
    assert "2 messages were not retried" in answer.get_data(as_text=True)
    assert states(world) == ["failed", "failed"]


def test_an_id_of_another_tenant_is_not_sent_again(app: Any, world: World, talk: Conversation) -> None:
    message = sent(world, talk, "failed", error=REFUSED)
    Browser(app, tenant="shoes").signed_in_as(world.sue).post("~/failures/attempts", {"id": str(message.id)})
    assert states(world) == ["failed"]


def test_the_console_hides_what_was_written_until_a_reason_is_given(
    pat: Browser, world: World, talk: Conversation
) -> None:
    message = sent(world, talk, "failed", "my secret wish", error=REFUSED)
    path = f"/platform/tenants/{world.bakery.id}/messages/{message.id}"
    for closed in (page(pat, path), page(pat, "/platform/failures"), page(pat, "/platform/messages?q=650555")):
        assert "my secret wish" not in closed and "650 555 1234" not in closed and "Carla" not in closed
    assert pat.post(f"{path}/looks", {"reason": ""}).status_code == 422
    assert pat.post(f"{path}/looks", {"reason": "ticket 12"}).status_code == 303
    assert "my secret wish" in page(pat, path)


def test_the_owner_sees_who_looked_and_no_one_else_does(
    pat: Browser, ann: Browser, ben: Browser, sue: Browser, world: World, talk: Conversation
) -> None:
    message = sent(world, talk, "failed", error=REFUSED)
    assert "No one has looked" in page(ann, "~/looks")
    pat.post(f"/platform/tenants/{world.bakery.id}/messages/{message.id}/looks", {"reason": "<b>ticket"})
    shown = page(ann, "~/looks")
    assert "Pat" in shown and "&lt;b&gt;ticket" in shown and str(message.id) in shown
    assert (ben.get("~/looks").status_code, sue.get("~/looks").status_code) == (403, 404)


def test_a_tenant_cannot_change_who_looked(world: World, talk: Conversation) -> None:
    with platform_scope("tests"):
        Look.record(world.pat, world.bakery.id, "message", "x", "why")
    for statement in ("delete from looks", "update looks set reason = 'nothing'"):
        with pytest.raises(Exception, match="permission denied"), tenant_scope(world.bakery.id):
            db.session.execute(text(statement))


def test_a_message_is_found_only_under_its_own_tenant(pat: Browser, world: World, talk: Conversation) -> None:
    message = sent(world, talk, "failed")
    path = f"/platform/tenants/{world.shoes.id}/messages/{message.id}"
    assert pat.get(path).status_code == 404
    assert pat.get(f"{path}/posts").status_code == 404
    assert pat.post(f"{path}/looks", {"reason": "x"}).status_code == 404


def test_the_console_finds_the_post_a_message_came_with(pat: Browser, world: World, talk: Conversation) -> None:
    arrive(post_of_message("my secret wish", wamid="wamid.in"))
    with tenant_scope(world.bakery.id):
        (message,) = db.session.scalars(select(Message)).unique()
    shown = page(pat, f"/platform/tenants/{world.bakery.id}/messages/{message.id}/posts")
    assert "/platform/posts/" in shown and "my secret wish" not in shown


def test_hostile_words_are_only_text(ann: Browser, world: World, talk: Conversation) -> None:
    bad = "<script>alert(1)</script>"
    message = sent(world, talk, "failed", bad, error=REFUSED | {"details": bad, "title": bad, "fbtrace_id": bad})
    attempt(world, message, "failed", message.error)
    for path in (f"~/stories/{message.id}", "~/failures"):
        assert "<script>alert" not in page(ann, path)


def test_every_status_is_in_the_story_once(ann: Browser, world: World, talk: Conversation) -> None:
    message = sent(world, talk, "accepted", wamid="wamid.x")
    arrive(status("wamid.x", "sent"), status("wamid.x", "delivered"), status("wamid.x", "delivered", at=1_790_000_000))
    with tenant_scope(world.bakery.id):
        assert len(db.session.scalars(select(MessageEvent)).all()) == 3
    assert page(ann, f"~/stories/{message.id}").count("Delivered to the phone") == 2
