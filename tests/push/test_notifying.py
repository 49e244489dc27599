"""A customer writes, and members who want to know are notified: once, in time, and no one else."""

from __future__ import annotations

import datetime as dt
import time
import uuid

import pytest
import time_machine
from sqlalchemy import select

from app.inbox.conversations import Conversation
from app.inbox.desk.notes import Note
from app.push.jobs import push
from app.push.models import PushNotification
from app.push.web_push import public_key
from app.team.models import UserSession
from app.tenancy import Actor, db, global_scope, now, tenant_scope
from tests.arrivals import conversation
from tests.client import Browser
from tests.happenings import deliver_to_subscriber

from .conftest import Desk


def waiting(desk: Desk) -> list[PushNotification]:
    with tenant_scope(desk.world.bakery.id):
        return list(db.session.scalars(select(PushNotification)))


def test_a_browser_is_notified_that_a_customer_wrote(desk: Desk, ann: Browser) -> None:
    chromium = desk.turn_on(ann)
    desk.write("Two rye loaves, please")
    desk.pass_on()
    (heard,) = chromium.heard()
    assert (heard["title"], heard["body"], heard["unread"]) == ("Carla", "Two rye loaves, please", 1)
    assert heard["url"] == f"/t/bakery/inbox/{conversation(desk.world).id}"
    assert heard["tag"] == str(conversation(desk.world).id)
    assert waiting(desk) == []


def test_the_push_service_learns_who_we_are_and_not_the_message(desk: Desk, ann: Browser) -> None:
    desk.turn_on(ann)
    desk.write("Two rye loaves, please")
    desk.pass_on()
    ((_, headers, body),) = desk.service.got
    assert headers["Authorization"].endswith(public_key(ann.app.config["SECRET_KEY"]))
    assert headers["Ttl"] and headers["Content-Encoding"] == "aes128gcm"
    assert b"loaves" not in body and b"Carla" not in body


def test_a_burst_is_one_notification(desk: Desk, ann: Browser) -> None:
    chromium = desk.turn_on(ann)
    for words in ("Hello", "are you open", "today?"):
        desk.write(words)
    desk.pass_on()
    desk.pass_on()
    assert [heard["body"] for heard in chromium.heard()] == ["today?"]


def test_a_later_message_replaces_the_notification_of_the_one_before(desk: Desk, ann: Browser) -> None:
    chromium = desk.turn_on(ann)
    for words in ("Hello", "And?"):
        desk.write(words)
        desk.pass_on()
    first, second = chromium.heard()
    assert second["body"] == "And?" and first["tag"] == second["tag"]
    topics = {headers["Topic"] for _, headers, _ in desk.service.got}
    assert len(topics) == 1


def test_a_conversation_that_was_read_is_not_notified(desk: Desk, ann: Browser, ben: Browser) -> None:
    chromium = desk.turn_on(ann)
    desk.write()
    ben.post(f"~/inbox/{conversation(desk.world).id}/reading")
    desk.pass_on()
    assert chromium.heard() == []


def test_a_conversation_read_while_the_push_waited_is_not_notified(desk: Desk, ann: Browser) -> None:
    chromium = desk.turn_on(ann)
    desk.write()
    desk.notify()
    ann.post(f"~/inbox/{conversation(desk.world).id}/reading")
    push(desk.world.bakery.id)
    assert chromium.heard() == [] and waiting(desk) == []


def test_there_is_a_moment_to_read_it_before_the_push(desk: Desk, ann: Browser) -> None:
    chromium = desk.turn_on(ann)
    desk.write(at=time.time())
    desk.pass_on()
    assert chromium.heard() == []
    with time_machine.travel(now() + dt.timedelta(seconds=4), tick=True):
        desk.pass_on()
    assert len(chromium.heard()) == 1


def test_a_name_and_words_stay_here_when_somebody_wants_that(desk: Desk, ann: Browser) -> None:
    chromium = desk.turn_on(ann)
    desk.choose(desk.world.ann, preview=False)
    desk.write("Two rye loaves")
    desk.pass_on()
    (heard,) = chromium.heard()
    assert "Carla" not in str(heard) and "loaves" not in str(heard)
    assert (heard["title"], heard["body"]) == ("Bakery", "A customer wrote.")


@pytest.mark.parametrize("choice", ["none", "mine"])
def test_a_member_who_chose_none_or_mine_is_not_notified(desk: Desk, ann: Browser, ben: Browser, choice: str) -> None:
    anns, bens = desk.turn_on(ann), desk.turn_on(ben, "ben")
    desk.choose(desk.world.ann, about=choice)
    desk.write()
    desk.pass_on()
    assert (len(anns.heard()), len(bens.heard())) == (0, 1)


def test_a_muted_number_is_silent(desk: Desk, ann: Browser) -> None:
    chromium = desk.turn_on(ann)
    desk.choose(desk.world.ann, muted_numbers=[str(conversation_number(desk))])
    desk.write()
    desk.pass_on()
    assert chromium.heard() == []


def conversation_number(desk: Desk) -> object:
    desk.write("before")
    return conversation(desk.world).phone_number_id


def test_no_one_is_notified_in_quiet_hours_nor_afterwards(desk: Desk, ann: Browser) -> None:
    chromium = desk.turn_on(ann)
    hour = dt.timedelta(hours=1)
    desk.choose(desk.world.ann, quiet_from=(now() - hour).time(), quiet_until=(now() + hour).time())
    desk.write()
    desk.pass_on()
    desk.choose(desk.world.ann, quiet_from=None, quiet_until=None)
    desk.pass_on()
    assert chromium.heard() == []


@pytest.mark.parametrize(
    ("begin", "end", "zone", "at", "is_quiet"),
    [
        ("22:00", "07:00", "UTC", "23:30", True),
        ("22:00", "07:00", "UTC", "06:59", True),
        ("22:00", "07:00", "UTC", "07:00", False),
        ("12:00", "13:00", "UTC", "12:30", True),
        ("12:00", "13:00", "UTC", "13:00", False),
        ("22:00", "07:00", "Asia/Tokyo", "14:00", True),
        ("22:00", "07:00", "America/New_York", "23:30", False),
        ("08:00", "08:00", "UTC", "08:00", False),
    ],
)
def test_quiet_hours_go_over_midnight_where_the_member_lives(
    desk: Desk, begin: str, end: str, zone: str, at: str, is_quiet: bool
) -> None:
    times = {"quiet_from": dt.time.fromisoformat(begin), "quiet_until": dt.time.fromisoformat(end)}
    rule = desk.choose(desk.world.ann, time_zone=zone, **times)
    moment = dt.datetime.combine(dt.date(2026, 1, 15), dt.time.fromisoformat(at), dt.UTC)
    assert rule.is_quiet(moment) is is_quiet


def test_a_closing_window_is_notified_once(desk: Desk, ann: Browser) -> None:
    chromium = desk.turn_on(ann)
    desk.write("Still there?", at=time.time() - 23.5 * 3600)
    desk.pass_on()
    desk.pass_on()
    (heard,) = chromium.heard()
    assert heard["title"] == "Less than an hour to reply" and "Carla" in heard["body"]


def mention(desk: Desk, name: str) -> None:
    talk = conversation(desk.world)
    with tenant_scope(desk.world.bakery.id):
        again = Conversation.get_or_404(talk.id)
        Note.write(again, f"@{name} can you look?", by=Actor.agent(desk.world.sue), client_id=uuid.uuid4())


def test_a_mention_notifies_the_colleague_it_names_once(desk: Desk, ann: Browser, ben: Browser) -> None:
    anns, bens = desk.turn_on(ann), desk.turn_on(ben, "ben")
    desk.write()
    desk.pass_on()
    mention(desk, "Ben")
    desk.pass_on_later()
    desk.pass_on_later()
    assert [heard["title"] for heard in anns.heard()] == ["Carla"]
    assert [heard["title"] for heard in bens.heard()] == ["Carla", "A colleague mentioned you"]


def test_a_mention_is_not_lost_behind_a_message(desk: Desk, ann: Browser) -> None:
    chromium = desk.turn_on(ann)
    desk.write()
    mention(desk, "Ann")
    desk.pass_on_later()
    heard = chromium.heard()
    assert {one["title"] for one in heard} == {"A colleague mentioned you", "Carla"}
    assert len({one["tag"] for one in heard}) == 2


@pytest.mark.parametrize(("giver", "heard"), [("ann", ["A conversation was assigned to you"]), ("ben", [])])
def test_a_member_is_notified_of_a_conversation_that_another_assigns(
    desk: Desk, ben: Browser, giver: str, heard: list[str]
) -> None:
    desk.write()
    desk.pass_on()
    bens = desk.turn_on(ben, "ben")
    with tenant_scope(desk.world.bakery.id):
        talk = Conversation.get_or_404(conversation(desk.world).id)
        talk.give(desk.world.ben, by=Actor.agent(getattr(desk.world, giver)), expected=None)
    desk.pass_on_later()
    assert [one["title"] for one in bens.heard()] == heard


def test_an_answer_makes_the_warning_needless(desk: Desk, ann: Browser) -> None:
    chromium = desk.turn_on(ann)
    desk.write("Still there?", at=time.time() - 23.5 * 3600)
    desk.notify()
    with tenant_scope(desk.world.bakery.id):
        db.session.execute(db.update(Conversation).values(waiting_since=None))
    push(desk.world.bakery.id)
    assert chromium.heard() == []


@pytest.mark.parametrize("status", [404, 410])
def test_a_browser_that_is_gone_is_forgotten(desk: Desk, ann: Browser, status: int) -> None:
    desk.turn_on(ann)
    desk.service.status = status
    desk.write()
    desk.pass_on()
    assert desk.browsers() == [] and waiting(desk) == []


@pytest.mark.parametrize("status", [500, 429, 307, 403])
def test_what_was_not_taken_is_tried_again_and_given_up_in_the_end(desk: Desk, ann: Browser, status: int) -> None:
    desk.turn_on(ann)
    desk.service.status = status
    desk.write()
    desk.pass_on()
    for minutes in range(1, 60, 5):
        with tenant_scope(desk.world.bakery.id):
            db.session.execute(
                db.update(PushNotification).values(next_attempt_at=now() - dt.timedelta(minutes=minutes))
            )
        push(desk.world.bakery.id)
    assert len(desk.service.got) == 4 and waiting(desk) == []
    assert desk.browsers()[0].failing_since


def test_a_second_try_reaches_the_browser(desk: Desk, ann: Browser) -> None:
    chromium = desk.turn_on(ann)
    desk.service.status = 503
    desk.write("Hello")
    desk.pass_on()
    desk.service.status, desk.service.got = 201, []
    with tenant_scope(desk.world.bakery.id):
        db.session.execute(db.update(PushNotification).values(next_attempt_at=now()))
    push(desk.world.bakery.id)
    assert [heard["body"] for heard in chromium.heard()] == ["Hello"]
    assert desk.browsers()[0].failing_since is None


def test_an_address_inside_is_never_called(desk: Desk, ann: Browser) -> None:
    from app.extensions import outside

    desk.turn_on(ann)
    wire = outside().egress.wire
    outside().egress.resolve, usual = (lambda host, port: ["169.254.169.254"]), outside().egress.resolve
    wire.dialled.clear()  # type: ignore[attr-defined]
    desk.write()
    desk.pass_on()
    outside().egress.resolve = usual
    assert wire.dialled == [] and desk.service.got == []  # type: ignore[attr-defined]


def test_a_session_that_ended_is_not_notified(desk: Desk, ann: Browser) -> None:
    chromium = desk.turn_on(ann)
    with global_scope():
        UserSession.end_all(desk.world.ann)
    desk.write()
    desk.pass_on()
    assert chromium.heard() == [] and desk.browsers() == []


def test_next_door_no_one_is_notified(desk: Desk, ann: Browser, app: object) -> None:
    sue = Browser(ann.app, tenant="shoes").signed_in_as(desk.world.sue)
    sues = desk.turn_on(sue, "sue")
    desk.turn_on(ann)
    desk.write()
    desk.pass_on()
    deliver_to_subscriber("push", desk.world.shoes.id)
    push(desk.world.shoes.id)
    assert sues.heard() == []
