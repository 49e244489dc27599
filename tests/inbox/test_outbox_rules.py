"""Taking back, sending later, shares, the portfolio's limit."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from typing import Any

import pytest
from sqlalchemy import text

from app.inbox.conversations import Conversation, Later, Message
from app.inbox.outbound import reach
from app.inbox.outbound.lanes import waiting_lanes
from app.inbox.outbound.pace import AHEAD_SECONDS, CAMPAIGNS_SHARE, SHARE, NumberPace
from app.message_templates.jobs import fetch_templates
from app.meta.outgoing import Outgoing
from app.tenancy import Actor, db, now, platform_scope, tenant_scope
from app.tenancy.queue import stopping
from app.wabas.models import PhoneNumber
from tests.enqueued import release_due
from tests.simulated import Road

HOUR = dt.timedelta(hours=1)
MOMENT = dt.timedelta(seconds=0.4)
TEMPLATE = {"name": "hello", "language": {"code": "en_US"}, "components": []}
INSTEAD = {"type": "template", "body": "Welcome", "content": {"raw": TEMPLATE, "preview": "Welcome"}}


@pytest.fixture(autouse=True)
def hello(road: Road) -> None:
    """A template without gaps."""
    body = [{"type": "BODY", "text": "Hello"}]
    road.meta.post("templates", waba_id=road.ids["waba_id"], name="hello", components=body)
    fetch_templates(str(road.world.bakery.id), str(road.number.waba_id))


def sent_texts(road: Road) -> list[str]:
    return [json.loads(row["body"]).get("body", "") for row in road.meta.accepted()]


def change(road: Road, message: Message, **values: Any) -> None:
    with tenant_scope(road.world.bakery.id):
        row = Message.get_or_404(message.id)
        for name, value in values.items():
            setattr(row, name, value)


def schedule(road: Road, conversation: Conversation, later: Later, words: str = "later") -> Message:
    with tenant_scope(road.world.bakery.id):
        talk = Conversation.get_or_404(conversation.id)
        return talk.reply(words, by=Actor.agent(road.world.ann), client_id=uuid.uuid4(), later=later)


def close_window(road: Road, conversation: Conversation) -> None:
    with tenant_scope(road.world.bakery.id):
        Conversation.get_or_404(conversation.id).last_inbound_at = now() - 25 * HOUR


def campaign(road: Road, conversation: Conversation, words: str, **more: Any) -> Message:
    with tenant_scope(road.world.bakery.id):
        talk = Conversation.get_or_404(conversation.id)
        message = Message.outbound(
            talk, Outgoing("text", words), by=Actor.agent(road.world.ann), client_id=uuid.uuid4()
        )
        message.lane, message.expires_at = "campaigns", None
        for name, value in more.items():
            setattr(message, name, value)
        db.session.add(message)
    return message


def test_a_held_message_is_sent_after_a_moment(road: Road) -> None:
    message = road.reply(road.customer_writes(), "hi")
    with tenant_scope(road.world.bakery.id):
        Message.get_or_404(message.id).hold(MOMENT)
    assert road.reload(message).can_be_undone
    road.deliver()
    assert sent_texts(road) == ["hi"]


def test_a_held_message_that_is_undone_is_not_sent_and_the_next_one_is(road: Road) -> None:
    conversation = road.customer_writes()
    mistake = road.reply(conversation, "a mistake")
    with tenant_scope(road.world.bakery.id):
        Message.get_or_404(mistake.id).hold(MOMENT)
    road.reply(conversation, "better")
    with tenant_scope(road.world.bakery.id):
        assert Message.get_or_404(mistake.id).cancel()
    road.deliver()
    assert sent_texts(road) == ["better"]


def test_nothing_overtakes_a_held_message(road: Road) -> None:
    conversation = road.customer_writes()
    first = road.reply(conversation, "first")
    with tenant_scope(road.world.bakery.id):
        Message.get_or_404(first.id).hold(MOMENT)
    road.reply(conversation, "second")
    road.deliver()
    assert sent_texts(road) == ["first", "second"]


def test_a_scheduled_message_waits_for_its_time(road: Road) -> None:
    message = schedule(road, road.customer_writes(), Later(now() + HOUR))
    release_due()
    road.deliver()
    assert road.state_of(message) == "scheduled" and sent_texts(road) == []
    change(road, message, send_at=now())
    release_due()
    road.deliver()
    assert sent_texts(road) == ["later"]


def test_a_scheduled_message_does_not_delay_a_reply(road: Road) -> None:
    conversation = road.customer_writes()
    schedule(road, conversation, Later(now() + HOUR))
    road.reply(conversation, "now")
    road.deliver()
    assert sent_texts(road) == ["now"]


def test_a_scheduled_message_can_be_canceled(road: Road) -> None:
    message = schedule(road, road.customer_writes(), Later(now()))
    with tenant_scope(road.world.bakery.id):
        assert Message.get_or_404(message.id).cancel()
    release_due()
    road.deliver()
    assert road.state_of(message) == "cancelled" and sent_texts(road) == []


def test_what_is_due_in_a_closed_window_is_not_sent_and_says_why(road: Road) -> None:
    conversation = road.customer_writes()
    message = schedule(road, conversation, Later(now()))
    close_window(road, conversation)
    release_due()
    road.deliver()
    assert road.state_of(message) == "expired" and sent_texts(road) == []
    assert (road.reload(message).error or {})["refusal"] == "window_closed"


def test_what_is_due_in_a_closed_window_becomes_the_template_chosen_for_that(road: Road) -> None:
    conversation = road.customer_writes()
    message = schedule(road, conversation, Later(now(), INSTEAD))
    close_window(road, conversation)
    release_due()
    assert (road.reload(message).type, road.reload(message).body) == ("template", "Welcome")
    assert road.state_of(message) == "queued"


def test_what_waited_until_its_window_closed_becomes_the_template_chosen_for_that(road: Road) -> None:
    message = road.reply(road.customer_writes(), "too late")
    change(road, message, expires_at=now(), instead=INSTEAD)
    road.sweep()
    release_due()
    assert (road.state_of(message), road.reload(message).type) == ("queued", "template")


def test_a_reply_goes_before_the_campaign_that_waits_already(road: Road) -> None:
    talks = [road.customer_writes(wa_id=f"1650555{n:04}") for n in range(12)]
    for talk in talks[:11]:
        campaign(road, talk, "buy")
    road.reply(talks[11], "your answer")
    road.deliver()
    assert len(sent_texts(road)) == 12 and sent_texts(road).index("your answer") < 4


def test_a_reply_does_not_wait_behind_a_campaign_message_to_the_same_person(road: Road) -> None:
    talk = road.customer_writes()
    campaign(road, talk, "buy", next_attempt_at=now() + HOUR)
    road.reply(talk, "your answer")
    road.deliver()
    assert sent_texts(road) == ["your answer"]


def test_a_campaign_leaves_a_share_of_the_pace_to_replies(road: Road) -> None:
    with tenant_scope(road.world.bakery.id):
        PhoneNumber.get_or_404(road.number.id).is_on_biz_app = True
    for n in range(30):
        campaign(road, road.customer_writes(wa_id=f"1650555{n:04}"), "buy")
    road.deliver()
    with platform_scope("tests"):
        times = db.session.scalars(text("select started_at from send_attempts order by 1")).all()
    assert len(times) == 30
    assert (times[-1] - times[0]).total_seconds() > (30 - 2) / (20 * SHARE * CAMPAIGNS_SHARE) - AHEAD_SECONDS


def test_a_portfolio_at_its_limit_waits_with_the_reason(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "people_a_day", lambda limit: 2)
    talks = [road.customer_writes(wa_id=f"1650555{n:04}") for n in range(4)]
    for talk in talks:
        close_window(road, talk)
    messages = [
        campaign(road, talk, "buy", type="template", content={"raw": TEMPLATE, "preview": "Hello"}) for talk in talks
    ]
    road.deliver()
    assert len(sent_texts(road)) == 2
    waiting = [road.reload(message) for message in messages if road.state_of(message) == "queued"]
    assert [message.error for message in waiting] == [reach.LIMIT_REACHED] * 2


def test_whoever_was_reached_today_may_be_written_to_again(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "people_a_day", lambda limit: 1)
    talk = road.customer_writes()
    close_window(road, talk)
    for n in range(3):
        campaign(road, talk, str(n), type="template", content={"raw": TEMPLATE, "preview": "Hello"})
    road.deliver()
    assert len(sent_texts(road)) == 3


def test_tomorrow_there_is_room_again(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "people_a_day", lambda limit: 1)
    for n in range(2):
        talk = road.customer_writes(wa_id=f"1650555{n:04}")
        close_window(road, talk)
        campaign(road, talk, "buy", type="template", content={"raw": TEMPLATE, "preview": "Hello"})
    road.deliver()
    assert len(sent_texts(road)) == 1
    with platform_scope("tests"):
        db.session.execute(text("update reached_people set reached_at = now() - interval '25 h'"))
        db.session.execute(text("update messages set next_attempt_at = now() where state = 'queued'"))
    road.deliver()
    assert len(sent_texts(road)) == 2


def test_a_worker_that_is_asked_to_stop_hands_over_nothing_more(road: Road) -> None:
    message = road.reply(road.customer_writes(), "hi")
    stopping.set()
    try:
        road.deliver()
    finally:
        stopping.clear()
    assert road.state_of(message) == "queued" and sent_texts(road) == []
    assert [waiting.number_id for waiting in waiting_lanes()] == [road.number.id]


def test_a_number_that_waits_for_its_pace_holds_up_no_other(road: Road) -> None:
    talks = [road.customer_writes(wa_id=f"1650555{n:04}") for n in range(4)]
    with tenant_scope(road.world.bakery.id):
        db.session.add(NumberPace(id=road.number.id, slowdown=1 / 80))
    for talk in talks[:3]:
        road.reply(talk, "slow")
    other = road.another_number("+1 555 078 4000")
    swift = road.reply(road.customer_writes(number=other, wa_id="16505550099"), "swift")
    road.deliver()
    assert sent_texts(road).index("swift") <= 1 and len(sent_texts(road)) == 4
    assert road.reload(swift).phone_number_id == other.id


def test_a_number_without_access_is_paused_and_nothing_is_lost(road: Road) -> None:
    message = road.reply(road.customer_writes(), "hi")
    with tenant_scope(road.world.bakery.id):
        PhoneNumber.get_or_404(road.number.id).waba.token_ciphertext = None
    road.deliver()
    assert road.state_of(message) == "queued" and sent_texts(road) == []
    with tenant_scope(road.world.bakery.id):
        assert PhoneNumber.get_or_404(road.number.id).state == "paused"
