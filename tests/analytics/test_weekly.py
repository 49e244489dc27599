"""The figures of the week by email: who gets them, when, and what is in them."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from typing import Any

import pytest
from flask import Flask

from app.analytics.jobs import enqueue_mails, mail
from app.analytics.models import ReportSubscription
from app.tenancy import Membership, User, db
from tests.client import Browser
from tests.closing.closures import mark_closed
from tests.enqueued import Enqueued
from tests.team.helpers import mails

from .conftest import BERLIN, Bakery, berlin

# Monday, 2 November 2026, 08:00 in Berlin.
MONDAY = dt.datetime(2026, 11, 2, 8, tzinfo=BERLIN).astimezone(dt.UTC)


@pytest.fixture
def busy(bakery: Bakery) -> Bakery:
    """It is Friday. Ben replied to one of two customers this week, and to one the week before."""
    mails()
    bakery.hears(berlin(20, "10:00"))
    bakery.says(berlin(20, "10:05"), bakery.ben)
    bakery.hears(berlin(28, "10:00"), "Dora")
    bakery.hears(berlin(28, "10:00"), body="Two rye")
    bakery.says(berlin(28, "10:10"), bakery.ben)
    bakery.count()
    return bakery


def subscribe(app: Flask, bakery: Bakery, who: User, zone: str = "Europe/Berlin") -> ReportSubscription:
    browser = Browser(app, "bakery").signed_in_as(who)
    browser.client.set_cookie("time_zone", zone, domain="localhost")
    assert browser.post("~/reports/subscription").status_code == 303
    with bakery.scope():
        member = db.session.scalars(db.select(Membership).where(Membership.user_id == who.id)).one()
        subscription = ReportSubscription.of(member)
        assert subscription
        return subscription


def send(bakery: Bakery, subscription: ReportSubscription) -> list[tuple[str, str, str]]:
    mail(bakery.tenant.id, str(subscription.id))
    return mails()


def test_it_comes_on_monday_morning_by_the_readers_clock(app: Flask, busy: Bakery, clock: Any) -> None:
    subscription = subscribe(app, busy, busy.world.ann)
    assert subscription.next_at == MONDAY and send(busy, subscription) == []
    clock.move_to(MONDAY)
    ((to, subject, body),) = send(busy, subscription)
    assert (to, subject) == ("ann@example.com", "Bakery: last week's figures")
    assert "26 October 2026 to 1 November 2026" in body and "rye" not in body
    assert "Messages received: 2 (+100%, 1 before)" in body
    assert "Next response, median: 10 min" in body
    assert "http://localhost/t/bakery/reports?from=2026-10-26&to=2026-11-01" in body
    assert send(busy, subscription) == []
    clock.move_to(MONDAY + dt.timedelta(days=7))
    assert len(send(busy, subscription)) == 1


def test_an_agent_gets_their_own_figures(app: Flask, busy: Bakery, clock: Any) -> None:
    subscription = subscribe(app, busy, busy.world.ben)
    clock.move_to(MONDAY)
    ((to, _, body),) = send(busy, subscription)
    assert to == "ben@example.com" and "your own figures" in body and "Messages received" not in body


def test_where_the_week_of_the_business_is_not_over_it_waits(app: Flask, busy: Bakery) -> None:
    subscription = subscribe(app, busy, busy.world.ann, "Pacific/Auckland")
    assert subscription.next_at == dt.datetime(2026, 11, 2, 1, tzinfo=BERLIN)
    los_angeles = zoneinfo.ZoneInfo("America/Los_Angeles")
    assert subscription.next_after(berlin(30, "12:00"), los_angeles) == dt.datetime(2026, 11, 2, 1, tzinfo=los_angeles)


def test_one_who_no_longer_wants_it_gets_nothing(app: Flask, busy: Bakery, clock: Any) -> None:
    subscription = subscribe(app, busy, busy.world.ann)
    Browser(app, "bakery").signed_in_as(busy.world.ann).post("~/reports/subscription/removal")
    clock.move_to(MONDAY)
    assert send(busy, subscription) == []


def test_the_clock_enqueues_those_that_are_due_and_none_of_a_closed_business(
    app: Flask, busy: Bakery, clock: Any, enqueued: Enqueued
) -> None:
    subscribe(app, busy, busy.world.ann)
    enqueued.clear()
    enqueue_mails()
    assert enqueued.names == []
    clock.move_to(MONDAY)
    enqueue_mails()
    assert len(enqueued.names) == 1
    enqueued.clear()
    mark_closed(busy.world)
    enqueue_mails()
    assert enqueued.names == []
