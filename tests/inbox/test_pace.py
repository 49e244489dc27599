"""Meta's pace, on a clock of the test's own: never more than the limit in any second, and hardly less."""

from __future__ import annotations

import datetime as dt
import random
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import event

from app.inbox.conversations import Conversation
from app.inbox.outbound.lanes import Lane
from app.inbox.outbound.pace import HIGH, HIGH_SHARE, ON_BIZ_APP, SHARE, STANDARD, Moments, NumberPace, Pace, Throttle
from app.tenancy import Actor, db, tenant_scope
from app.wabas.models import PhoneNumber
from tests.world import World, conversation

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
LIMITS = pytest.mark.parametrize(("limit", "share"), [(ON_BIZ_APP, SHARE), (STANDARD, SHARE), (HIGH, HIGH_SHARE)])


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def most_in_a_second(times: list[float]) -> int:
    return max(sum(at <= time < at + 1 for time in times[n : n + 2 * HIGH]) for n, at in enumerate(times))


def claims(rate: float, seconds: float, late: float) -> list[float]:
    """The moments of all that is claimed, by claims that come up to `late` seconds later than they might."""
    tat, now, taken, dice = START, 0.0, [], random.Random(7)
    while now < seconds:
        moments = Moments(rate, START + dt.timedelta(seconds=now), tat)
        taken += [now + moment for moment in moments.take(moments.free)]
        tat, now = moments.tat, now + moments.wait + dice.uniform(0, late)
    return taken


@LIMITS
def test_a_backlog_goes_out_close_below_metas_limit(limit: int, share: float) -> None:
    taken = claims(limit * share, 10, late=0.03)
    assert most_in_a_second(taken) <= limit
    assert len(taken) / (taken[-1] - taken[0]) >= 0.99 * limit * share


@LIMITS
def test_claims_that_come_far_too_late_make_up_for_nothing(limit: int, share: float) -> None:
    assert most_in_a_second(claims(limit * share, 10, late=1.5)) <= limit


def test_a_message_of_a_number_that_was_idle_goes_at_once() -> None:
    assert Moments(STANDARD, START, START - dt.timedelta(hours=1)).take(1) == [0.0]


def test_a_claim_waits_until_it_is_worth_its_while() -> None:
    moments = Moments(STANDARD, START, START)
    most = len(moments.take(moments.free))
    later = Moments(STANDARD, START + dt.timedelta(seconds=moments.wait), moments.tat)
    assert most // 4 < later.free < most


@LIMITS
def test_a_suspended_process_does_not_send_in_a_burst(limit: int, share: float) -> None:
    clock, started = Clock(), []
    throttle = Throttle(lambda: clock.now, clock.sleep)
    throttle.gap = 1 / (limit * share)
    for n in range(3 * limit):
        clock.now += 0.5 if n == limit else 0.0
        throttle.wait_for(1000 + n * throttle.gap)
        started.append(clock.now)
    assert most_in_a_second(started) <= limit


def test_what_still_waits_in_a_process_counts_as_time_that_is_taken() -> None:
    clock = Clock()
    throttle = Throttle(lambda: clock.now, clock.sleep)
    throttle.gap, throttle.next_at, throttle.expected = 0.1, clock.now, 5
    assert throttle.behind == pytest.approx(0.5)
    for _ in range(5):
        throttle.wait_for(clock.now)
    clock.now += 1
    assert throttle.behind == 0


@pytest.fixture
def number(world: World) -> Iterator[PhoneNumber]:
    bakery, _ = world.connect_numbers()
    with tenant_scope(world.bakery.id):
        yield PhoneNumber.get_or_404(bakery.id)


def test_all_that_meta_refused_at_once_slows_a_number_down_once(number: PhoneNumber) -> None:
    pace = Pace(number)
    pace.begin()
    for _ in range(3):
        pace.slow_down()
    assert db.session.get_one(NumberPace, (number.tenant_id, number.id)).slowdown == 0.5


@pytest.mark.parametrize("slowdown", [1.0, 0.5])
def test_a_clock_that_is_set_back_stops_no_number(number: PhoneNumber, slowdown: float) -> None:
    pace = Pace(number)
    pace.begin()
    row = db.session.get_one(NumberPace, (number.tenant_id, number.id))
    row.sending_tat = row.campaigns_tat = row.slowed_at = row.slowed_at + dt.timedelta(days=1)
    row.slowdown = slowdown
    db.session.flush()
    assert pace.begin()
    assert pace.spend(1, campaigns=1) == [0.0] and pace.sending.rate > STANDARD / 2


def test_a_number_is_slowed_down_also_after_the_clock_was_set_back(number: PhoneNumber) -> None:
    pace = Pace(number)
    pace.begin()
    row = db.session.get_one(NumberPace, (number.tenant_id, number.id))
    row.slowed_at, row.slowdown = row.slowed_at + dt.timedelta(days=1), 0.5
    db.session.flush()
    pace.slow_down()
    db.session.refresh(row)
    assert row.slowdown == 0.5 and pace.begin() and STANDARD / 3 < pace.sending.rate < STANDARD


def test_the_next_claim_starts_after_what_this_process_has_still_to_send(number: PhoneNumber) -> None:
    pace = Pace(number)
    pace.begin(behind=0.2)
    assert pace.spend(1) == [pytest.approx(0.2)]


def test_a_claim_compares_what_it_takes_with_that_person_only_and_not_with_all_that_waits(
    number: PhoneNumber, world: World
) -> None:
    for n in range(100):
        talk = Conversation.get_or_404(conversation(number, f"1650555{n:04}").id)
        talk.reply("Hello", by=Actor.agent(world.ann), client_id=uuid.uuid4())
    db.session.flush()
    connection, seen = db.session.connection(), []
    event.listen(connection, "before_cursor_execute", lambda *given: seen.append(given[2:4]))
    assert len(Lane(number).claim_due(4)) == 4
    (statement, values) = next(call for call in seen if "with chosen" in call[0])
    (plan,) = connection.exec_driver_sql(f"explain (analyze, format json) {statement}", values).scalar_one()
    assert rows_read(plan["Plan"], "ix_messages_pair") < 20


def rows_read(plan: dict[str, Any], index: str) -> float:
    each = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0) if plan.get("Index Name") == index else 0
    return float(each * plan["Actual Loops"]) + sum(rows_read(part, index) for part in plan.get("Plans", ()))
