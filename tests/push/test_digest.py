"""The mail that says who waits: how often, when not, and never what they wrote."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from flask import Flask

from app.push.jobs import digest, enqueue_due_digests
from app.push.models import NotificationRule
from app.tenancy import now
from tests.arrivals import conversation, conversations
from tests.client import Browser
from tests.closing.closures import mark_closed
from tests.enqueued import Enqueued
from tests.team.helpers import mails

from .conftest import Desk

NOON = dt.datetime(2026, 1, 15, 12, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def noon(app: Flask) -> Iterator[Any]:
    """It is noon, and nothing was mailed before."""
    mails()
    with time_machine.travel(NOON, tick=True) as clock:
        yield clock


def waits(
    desk: Desk, minutes: float, words: str = "Two rye loaves", wa_id: str = "16505551234", name: str = "Carla"
) -> None:
    desk.write(words, at=time.time() - minutes * 60, wa_id=wa_id, name=name)


def wanting(desk: Desk, digest: str = "hourly", **more: Any) -> NotificationRule:
    return desk.choose(desk.world.ann, digest=digest, next_digest_at=now(), **more)


def send_digests(desk: Desk, rule: NotificationRule) -> list[tuple[str, str, str]]:
    enqueue_due_digests()
    digest(desk.world.bakery.id, str(rule.id))
    return mails()


def test_it_says_how_many_wait_since_when_and_where_but_not_what_they_wrote(desk: Desk) -> None:
    rule = wanting(desk)
    waits(desk, 50)
    waits(desk, 20, wa_id="16505559999", name="Dora")
    ((to, subject, body),) = send_digests(desk, rule)
    assert (to, subject) == ("ann@example.com", "2 customers wait at Bakery")
    assert "the longest since 15 January, 11:10 UTC" in body and "rye" not in body
    assert all(f"/t/bakery/inbox/{one.id}" in body for one in conversations(desk.world))
    assert "http://localhost/t/bakery/push/" in body


def test_names_are_left_out_for_whoever_wants_that(desk: Desk) -> None:
    rule = wanting(desk, preview=False)
    waits(desk, 50)
    ((_, _, body),) = send_digests(desk, rule)
    assert "Carla" not in body and "A customer" in body


def test_the_first_quarter_of_an_hour_is_no_wait(desk: Desk, noon: Any) -> None:
    rule = wanting(desk)
    waits(desk, 10)
    assert send_digests(desk, rule) == []
    noon.shift(dt.timedelta(minutes=6))
    assert len(send_digests(desk, rule)) == 1


def test_a_customer_who_writes_again_waits_since_the_first_time(desk: Desk) -> None:
    rule = wanting(desk)
    waits(desk, 50)
    waits(desk, 1, "Hello?")
    ((_, _, body),) = send_digests(desk, rule)
    assert "11:10 UTC" in body


def test_what_was_read_does_not_wait(desk: Desk, ann: Browser) -> None:
    rule = wanting(desk)
    waits(desk, 50)
    ann.post(f"~/inbox/{conversation(desk.world).id}/reading")
    assert send_digests(desk, rule) == []


def test_it_comes_at_most_every_hour_and_only_with_somebody_new(desk: Desk, noon: Any) -> None:
    rule = wanting(desk)
    waits(desk, 50)
    assert len(send_digests(desk, rule)) == 1
    waits(desk, 20, wa_id="16505559999", name="Dora")
    assert send_digests(desk, rule) == []
    noon.shift(dt.timedelta(minutes=61))
    assert len(send_digests(desk, rule)) == 0
    waits(desk, 20, wa_id="16505558888", name="Emil")
    noon.shift(dt.timedelta(minutes=6))
    assert len(send_digests(desk, rule)) == 1


def test_who_waits_for_days_is_reported_once_a_day(desk: Desk, noon: Any) -> None:
    rule = wanting(desk)
    waits(desk, 50)
    sent = 0
    for _ in range(48):
        sent += len(send_digests(desk, rule))
        noon.shift(dt.timedelta(hours=1, minutes=1))
    assert sent == 2


def test_the_daily_one_comes_at_eight_where_the_member_lives(desk: Desk, noon: Any) -> None:
    rule = wanting(desk, "daily", time_zone="Asia/Tokyo")
    rule = desk.choose(desk.world.ann, next_digest_at=rule.next_digest_after(now()))
    waits(desk, 50)
    noon.move_to(NOON.replace(hour=22, minute=59))
    assert send_digests(desk, rule) == []
    noon.move_to(NOON.replace(hour=23, minute=1))
    ((_, _, body),) = send_digests(desk, rule)
    assert "20:10 JST" in body
    assert send_digests(desk, rule) == []


def test_in_quiet_hours_it_waits_for_their_end(desk: Desk, noon: Any) -> None:
    rule = wanting(desk, quiet_from=dt.time(11), quiet_until=dt.time(14))
    waits(desk, 50)
    assert send_digests(desk, rule) == []
    noon.move_to(NOON.replace(hour=14, minute=1))
    assert len(send_digests(desk, rule)) == 1


def test_who_wants_none_gets_none(desk: Desk) -> None:
    rule = wanting(desk, "off")
    waits(desk, 50)
    assert send_digests(desk, rule) == []


def test_a_muted_number_is_not_in_it(desk: Desk) -> None:
    waits(desk, 50)
    rule = wanting(desk, muted_numbers=[str(conversation(desk.world).phone_number_id)])
    assert send_digests(desk, rule) == []


def test_members_of_a_closed_business_get_none(desk: Desk, enqueued: Enqueued) -> None:
    wanting(desk)
    waits(desk, 50)
    mark_closed(desk.world)
    enqueued.clear()
    enqueue_due_digests()
    assert enqueued.names == []
