"""A message that may be sent twice, and of which no one knows whether it went out, is tried once more under proof."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import text

from app.inbox.conversations import Conversation, Message, MessageEvent, SendAttempt
from app.inbox.outbound.unknowns import LATER_MESSAGES, SILENCE, SILENCES, Candidate, retry_lost, tenants_in_turn
from app.tenancy import db, now, platform_scope, tenant_scope, uuid7
from app.webhook_events.models import WebhookEvent
from tests import world as people
from tests.world import World

SECOND = dt.timedelta(seconds=1)
TRIED = 300 * SECOND


class Case:
    """A code to sign in, tried five minutes ago; since then all went well with everything else."""

    def __init__(self, world: World) -> None:
        self.world, (self.number, _) = world, world.connect_numbers()
        self.talk = people.conversation(self.number)
        self.message = self.tried("Your code is 123456", "unknown", ago=TRIED, may_repeat=True)
        self.hear(every=30 * SECOND)

    def tried(
        self, words: str, state: str, *, ago: dt.timedelta, reported: bool = False, may_repeat: bool = False
    ) -> Message:
        with tenant_scope(self.world.bakery.id):
            talk = Conversation.get_or_404(self.talk.id)
            message = Message(conversation_id=talk.id, phone_number_id=self.number.id, direction="outbound")
            message.body, message.state, message.may_repeat = words, state, may_repeat
            db.session.add(message)
            db.session.flush()
            outcome = "unknown" if state == "unknown" else "accepted"
            times = {"started_at": now() - ago, "finished_at": now() - ago + SECOND}
            db.session.add(SendAttempt(message_id=message.id, outcome=outcome, **times))
            if reported:
                at = now() - ago + 2 * SECOND
                db.session.add(MessageEvent(message_id=message.id, status="sent", occurred_at=at, received_at=at))
        return message

    def later(self, count: int = LATER_MESSAGES, *, reported: bool = True, ago: dt.timedelta = 200 * SECOND) -> None:
        for n in range(count):
            self.tried(f"later {n}", "sent" if reported else "accepted", ago=ago, reported=reported)

    def hear(self, *, every: dt.timedelta, until: dt.timedelta = 0 * SECOND) -> None:
        with platform_scope("tests"):
            ago = TRIED
            while ago >= until:
                db.session.add(WebhookEvent(body=b"{}", received_at=now() - ago, drained_at=now()))
                ago -= every

    def state(self) -> str:
        retry_lost()
        with tenant_scope(self.world.bakery.id):
            return Message.get_or_404(self.message.id).state


@pytest.fixture
def case(world: World) -> Case:
    return Case(world)


def test_it_is_retried_once_meta_would_have_reported_it(case: Case) -> None:
    case.later()
    assert case.state() == "queued"


def test_it_is_not_sent_a_third_time(case: Case) -> None:
    case.later()
    assert case.state() == "queued"
    with platform_scope("tests"):
        db.session.execute(text("update messages set state = 'unknown' where id = :id"), {"id": case.message.id})
    assert case.state() == "unknown"


def test_a_message_of_a_person_is_never_retried_automatically(case: Case) -> None:
    with tenant_scope(case.world.bakery.id):
        Message.get_or_404(case.message.id).may_repeat = False
    case.later()
    assert case.state() == "unknown"


def test_too_few_later_messages_prove_nothing(case: Case) -> None:
    case.later(LATER_MESSAGES - 1)
    assert case.state() == "unknown"


def test_a_later_message_of_which_nothing_was_heard_either_proves_that_statuses_are_missing(case: Case) -> None:
    case.later()
    case.later(1, reported=False)
    assert case.state() == "unknown"


def test_webhooks_that_wait_to_be_read_may_speak_of_it(case: Case) -> None:
    case.later()
    with platform_scope("tests"):
        db.session.add(WebhookEvent(body=b"{}", received_at=now() - 20 * SECOND))
    assert case.state() == "unknown"


def test_after_a_silence_the_clock_starts_anew(case: Case) -> None:
    case.later()
    with platform_scope("tests"):
        silence = "received_at between now() - interval '170 s' and now() - interval '70 s'"
        db.session.execute(text(f"delete from webhook_events where {silence}"))
    assert case.state() == "unknown"


def test_what_is_made_up_for_a_test_key_ends_no_silence(case: Case) -> None:
    case.later()
    with platform_scope("tests"):
        silence = "received_at between now() - interval '170 s' and now() - interval '70 s'"
        db.session.execute(text(f"update webhook_events set address = '00123' where {silence}"))
    assert case.state() == "unknown"


def test_statuses_that_usually_take_long_are_waited_for(case: Case) -> None:
    case.later()
    with platform_scope("tests"):
        db.session.execute(text("update message_events set received_at = received_at + interval '60 s'"))
    assert case.state() == "unknown"


def test_a_code_that_has_expired_is_not_sent(case: Case) -> None:
    case.later()
    with tenant_scope(case.world.bakery.id):
        Message.get_or_404(case.message.id).expires_at = now() - SECOND
    assert case.state() == "unknown"


def test_those_of_one_business_do_not_hide_that_of_another(world: World) -> None:
    waiting = [
        Candidate(tenant.id, uuid7(), uuid7(), uuid7(), now(), TRIED)
        for tenant in [*[world.bakery] * 9, world.shoes, *[world.bakery] * 9]
    ]
    first, second, *_ = tenants_in_turn(waiting)
    assert {first.tenant_id, second.tenant_id} == {world.bakery.id, world.shoes.id}


def test_silences_are_found_however_often_webhooks_came_in_between(case: Case) -> None:
    at = now()
    ago = [300, 299.5, 299, 250, 200, 139, 138, 100, 41, 20]
    with platform_scope("tests"):
        db.session.execute(text("delete from webhook_events"))
        db.session.add_all(WebhookEvent(body=b"{}", received_at=at - one * SECOND, drained_at=at) for one in ago)
        ends = db.session.scalars(SILENCES, {"first": at - 310 * SECOND, "now": at + 41 * SECOND, "silence": SILENCE})
        assert [round((at - end).total_seconds()) for end in ends] == [139, -41]
