"""Subscriptions by program, and the reminders around their end."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import select, update

from app.inbox.conversations import Conversation, Message
from app.notifications.models import Notification
from app.notifications.values import Variable
from app.subscriptions import models
from app.subscriptions.jobs import end, move, remind, remind_all
from app.subscriptions.models import (
    Subscription,
    SubscriptionReminder,
    SubscriptionSettings,
    due_at,
)
from app.tenancy import db, now, tenant_scope
from app.wabas.models import PhoneNumber
from tests.api.conftest import Caller, MakeCaller
from tests.enqueued import Enqueued
from tests.happenings import kinds
from tests.message_templates.templates import approved
from tests.notifications.notifications import NAME, plain_notification
from tests.world import World

TODAY = now().date()
BODY = {
    "type": "BODY",
    "text": "Hello {{name}}, your plan ends on {{date}}. Thank you.",
    "example": {
        "body_text_named_params": [
            {"param_name": "name", "example": "Awa"},
            {"param_name": "date", "example": "December 5, 2026"},
        ]
    },
}
DATE = Variable("date", "date", True, "2026-12-05", "", "date")


def days(count: int) -> str:
    return (TODAY + dt.timedelta(days=count)).isoformat()


def of(talk: Conversation, **more: Any) -> dict[str, Any]:
    ends = {} if "ends_at" in more else {"ends_on": days(30)}
    return {"contact": {"contact_id": str(talk.contact_id)}, "title": "Pro"} | ends | more


@pytest.fixture
def chosen(number: PhoneNumber) -> Notification:
    """Bakery's notification for every reminder."""
    approved(number, "t_ending", "en_US", components=[BODY])
    made = plain_notification(number, "ending", "t_ending", mapping=[NAME.row, DATE.row])
    with tenant_scope(number.tenant_id):
        SubscriptionSettings.current().save(9, dict.fromkeys(models.DAYS, made.id))
    return made


def make_due(number: PhoneNumber, day: int) -> None:
    """As if that reminder's hour had come a minute ago."""
    with tenant_scope(number.tenant_id):
        its = SubscriptionReminder.state == "waiting", SubscriptionReminder.days == day
        moved = update(SubscriptionReminder).where(*its).values(due_at=now() - dt.timedelta(minutes=1))
        db.session.execute(moved)


def run(number: PhoneNumber) -> None:
    remind(str(number.tenant_id))


def sent(number: PhoneNumber) -> list[Message]:
    with tenant_scope(number.tenant_id):
        return list(db.session.scalars(select(Message).where(Message.direction == "outbound").order_by(Message.id)))


def reminders(answer: Any) -> dict[int, str]:
    return {one["days"]: one["state"] for one in answer.get_json()["reminders"]}


def test_it_has_a_reminder_on_each_of_its_days(shop: Caller, carla: Conversation) -> None:
    made = shop.put("/subscriptions/s-1", of(carla, zone="Africa/Dakar"))
    assert made.status_code == 201
    assert reminders(made) == dict.fromkeys((-14, -3, 0, 3), "waiting")
    assert made.get_json()["reminders"][0]["due_at"] == f"{days(16)}T09:00:00.000Z"


def test_a_day_that_has_passed_is_skipped(shop: Caller, carla: Conversation) -> None:
    made = shop.put("/subscriptions/s-1", of(carla, ends_on=days(5)))
    assert reminders(made) == {-14: "skipped", -3: "waiting", 0: "waiting", 3: "waiting"}
    past = shop.put("/subscriptions/s-2", of(carla, ends_on=days(-400)))
    assert set(reminders(past).values()) == {"skipped"}


@pytest.mark.parametrize(
    ("clock", "ends_on", "day", "state", "due", "detail"),
    [
        ("15:13", "2026-12-05", -3, "waiting", "15:13", ""),
        ("15:13", "2026-12-02", 0, "waiting", "15:13", ""),
        ("08:00", "2026-12-05", -3, "waiting", "09:00", ""),
        ("20:01", "2026-12-05", -3, "skipped", "09:00", "already past 20:00"),
        ("15:13", "2026-12-04", -3, "skipped", "09:00", "day had passed"),
    ],
)
def test_a_reminder_whose_day_is_today_goes_out_at_once_unless_it_is_evening(
    shop: Caller,
    carla: Conversation,
    monkeypatch: pytest.MonkeyPatch,
    clock: str,
    ends_on: str,
    day: int,
    state: str,
    due: str,
    detail: str,
) -> None:
    monkeypatch.setattr(models, "now", lambda: dt.datetime.fromisoformat(f"2026-12-02T{clock}+00:00"))
    made = shop.put("/subscriptions/s-1", of(carla, ends_on=ends_on, zone="Africa/Dakar")).get_json()
    one = next(one for one in made["reminders"] if one["days"] == day)
    assert (one["state"], one["due_at"][11:16]) == (state, due)
    assert detail in one["detail"]


def test_what_was_sent_today_is_not_sent_again_by_another_plan(
    shop: Caller, carla: Conversation, number: PhoneNumber, chosen: Notification, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as morning:
        morning.setattr(models, "now", lambda: dt.datetime.combine(TODAY, dt.time(8), dt.UTC))
        shop.put("/subscriptions/s-1", of(carla, ends_on=days(3), zone="UTC"))
    make_due(number, -3)
    run(number)
    with tenant_scope(number.tenant_id):
        db.session.execute(update(Message).where(Message.direction == "outbound").values(state="sent"))
    monkeypatch.setattr(models, "now", lambda: dt.datetime.combine(TODAY, dt.time(15), dt.UTC))
    changed = shop.put("/subscriptions/s-1", of(carla, ends_on=days(3), zone="Africa/Dakar"))
    assert reminders(changed)[-3] == "skipped" and len(sent(number)) == 1


def test_a_reminder_goes_out_once_when_it_is_due(
    shop: Caller, carla: Conversation, number: PhoneNumber, chosen: Notification
) -> None:
    shop.put("/subscriptions/s-1", of(carla))
    make_due(number, -14)
    run(number)
    run(number)
    assert len(sent(number)) == 1 and sent(number)[0].body.startswith("Hello Carla, your plan ends on ")
    assert kinds(number.tenant_id).count("subscription.ending") == 1
    assert reminders(shop.get("/subscriptions/s-1"))[-14] == "sent"


def test_a_renewed_one_sends_no_stale_reminder(
    shop: Caller, carla: Conversation, number: PhoneNumber, chosen: Notification
) -> None:
    shop.put("/subscriptions/s-1", of(carla))
    make_due(number, -14)
    renewed = shop.post("/subscriptions/s-1/renewal", {"ends_on": days(395)})
    run(number)
    assert sent(number) == [] and set(reminders(renewed).values()) == {"waiting"}
    assert "subscription.renewed" in kinds(number.tenant_id)


def test_a_reminder_that_has_not_left_is_taken_back(
    shop: Caller, carla: Conversation, number: PhoneNumber, chosen: Notification
) -> None:
    shop.put("/subscriptions/s-1", of(carla))
    make_due(number, -14)
    run(number)
    shop.put("/subscriptions/s-1", of(carla, ends_on=days(395)))
    assert [message.state for message in sent(number)] == ["cancelled"]


def test_a_cancelled_one_sends_no_reminder(
    shop: Caller, carla: Conversation, number: PhoneNumber, chosen: Notification
) -> None:
    shop.put("/subscriptions/s-1", of(carla))
    make_due(number, -3)
    cancelled = shop.post("/subscriptions/s-1/cancellation")
    run(number)
    assert cancelled.get_json()["status"] == "cancelled" and sent(number) == []


@pytest.mark.parametrize("order", ["move first", "claim first"])
def test_a_move_and_a_claim_at_once_send_nothing_stale(
    app: Flask, shop: Caller, carla: Conversation, number: PhoneNumber, chosen: Notification, order: str
) -> None:
    shop.put("/subscriptions/s-1", of(carla))
    make_due(number, -14)
    began, may_end = threading.Event(), threading.Event()

    def hold(work: Any) -> None:
        with app.app_context(), tenant_scope(number.tenant_id):
            work()
            db.session.flush()
            began.set()
            may_end.wait(5)

    def renew() -> None:
        one = db.session.scalars(select(Subscription).with_for_update(key_share=True)).one()
        one.renew(TODAY + dt.timedelta(days=395), by=models.REMINDER)

    first, second = (renew, models.remind_due) if order == "move first" else (models.remind_due, renew)
    one = threading.Thread(target=hold, args=(first,))
    two = threading.Thread(target=work_in, args=(app, number, second))
    one.start()
    began.wait(5)
    two.start()
    two.join(0.2)
    may_end.set()
    one.join()
    two.join()
    run(number)
    assert [message.state for message in sent(number)] in ([], ["cancelled"])


def work_in(app: Flask, number: PhoneNumber, work: Any) -> None:
    with app.app_context(), tenant_scope(number.tenant_id):
        work()


def test_one_that_renews_by_itself_sends_no_reminder(shop: Caller, carla: Conversation) -> None:
    assert reminders(shop.put("/subscriptions/s-1", of(carla, renews=True))) == {}


def test_without_a_notification_it_happens_and_nothing_is_sent(
    shop: Caller, carla: Conversation, number: PhoneNumber
) -> None:
    shop.put("/subscriptions/s-1", of(carla))
    make_due(number, 0)
    run(number)
    assert "subscription.ending" in kinds(number.tenant_id) and sent(number) == []
    details = [one["detail"] for one in shop.get("/subscriptions/s-1").get_json()["reminders"]]
    assert "No notification was chosen for it." in details


def test_one_that_is_over_ends_once_and_is_still_reminded(
    shop: Caller, carla: Conversation, number: PhoneNumber, chosen: Notification
) -> None:
    body = of(carla, ends_at=(now() - dt.timedelta(hours=30)).isoformat())
    shop.put("/subscriptions/s-1", body)
    end(str(number.tenant_id))
    assert shop.put("/subscriptions/s-1", body).get_json()["status"] == "ended"
    end(str(number.tenant_id))
    assert kinds(number.tenant_id).count("subscription.ended") == 1
    make_due(number, 3)
    run(number)
    assert len(sent(number)) == 1


def test_what_was_due_half_a_day_ago_is_skipped(
    shop: Caller, carla: Conversation, number: PhoneNumber, chosen: Notification
) -> None:
    shop.put("/subscriptions/s-1", of(carla))
    with tenant_scope(number.tenant_id):
        late = update(SubscriptionReminder).where(SubscriptionReminder.days == -14)
        db.session.execute(late.values(due_at=now() - dt.timedelta(hours=13)))
    run(number)
    assert sent(number) == [] and reminders(shop.get("/subscriptions/s-1"))[-14] == "skipped"


@pytest.mark.parametrize(
    ("zone", "day", "hour", "at"),
    [
        ("Africa/Dakar", "2026-12-05", 9, "2026-12-05T09:00+00:00"),
        ("Europe/Paris", "2026-03-28", 9, "2026-03-28T08:00+00:00"),
        ("Europe/Paris", "2026-03-30", 9, "2026-03-30T07:00+00:00"),
        # Clocks go from 2:00 to 3:00.
        ("Europe/Paris", "2026-03-29", 2, "2026-03-29T01:00+00:00"),
        # 2:00 comes twice: the first.
        ("Europe/Paris", "2026-10-25", 2, "2026-10-25T00:00+00:00"),
        # Midnight is skipped.
        ("Africa/Cairo", "2026-04-24", 0, "2026-04-23T22:00+00:00"),
    ],
)
def test_the_hour_is_by_the_clock_of_its_zone(zone: str, day: str, hour: int, at: str) -> None:
    assert due_at(dt.date.fromisoformat(day), 0, hour, ZoneInfo(zone)) == dt.datetime.fromisoformat(at)


def test_another_hour_moves_those_that_wait(shop: Caller, carla: Conversation, number: PhoneNumber) -> None:
    shop.put("/subscriptions/s-1", of(carla))
    with tenant_scope(number.tenant_id):
        SubscriptionSettings.current().save(17, {})
    move(str(number.tenant_id))
    times = [one["due_at"][11:16] for one in shop.get("/subscriptions/s-1").get_json()["reminders"]]
    assert times == ["17:00"] * 4


def test_each_tenant_with_something_due_has_a_job(
    shop: Caller, caller: MakeCaller, carla: Conversation, number: PhoneNumber, world: World, enqueued: Enqueued
) -> None:
    shop.put("/subscriptions/s-1", of(carla))
    make_due(number, 0)
    remind_all()
    assert enqueued.names.count("subscriptions.remind") == 1


def test_many_are_taken_some_at_a_time(
    shop: Caller, carla: Conversation, number: PhoneNumber, monkeypatch: pytest.MonkeyPatch, enqueued: Enqueued
) -> None:
    monkeypatch.setattr(models, "AT_ONCE", 2)
    for name in "abc":
        shop.put(f"/subscriptions/{name}", of(carla))
    make_due(number, 0)
    for left in (1, 0, 0):
        run(number)
        with tenant_scope(number.tenant_id):
            due = select(SubscriptionReminder).where(
                SubscriptionReminder.state == "waiting", SubscriptionReminder.due_at < now()
            )
            assert len(db.session.scalars(due).all()) == left
    assert "subscriptions.remind" in enqueued.names


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"ends_at": "2027-01-01T00:00:00Z", "ends_on": "2027-01-01"}, ""),
        ({"ends_on": "1999-01-01"}, "/ends_on"),
        ({"ends_on": "soon"}, "/ends_on"),
        ({"zone": "Mars/Olympus"}, "/zone"),
        ({"price_micros": -1, "currency": "XOF"}, "/price_micros"),
        ({"price_micros": 500, "currency": "XOF"}, "/price_micros"),
        ({"price_micros": 5_000_000}, ""),
        ({"status": "paused"}, "/status"),
    ],
)
def test_what_is_wrong_is_named(shop: Caller, carla: Conversation, change: dict[str, Any], pointer: str) -> None:
    answer = shop.put("/subscriptions/s-1", of(carla) | change)
    assert answer.status_code == 422
    assert [fault["pointer"] for fault in answer.get_json(force=True)["errors"]] == [pointer]


def test_a_renewal_is_later(shop: Caller, carla: Conversation) -> None:
    shop.put("/subscriptions/s-1", of(carla))
    assert shop.post("/subscriptions/s-1/renewal", {"ends_on": days(30)}).status_code == 422


def test_midnight_is_the_end_of_the_day_before(shop: Caller, carla: Conversation) -> None:
    made = shop.put("/subscriptions/s-1", of(carla, ends_at="2027-01-01T00:00:00+01:00", zone="Europe/Paris"))
    assert made.get_json()["ends_on"] == "2026-12-31"


def test_they_are_listed_with_filters(shop: Caller, carla: Conversation, world: World, caller: MakeCaller) -> None:
    shop.put("/subscriptions/a", of(carla))
    shop.put("/subscriptions/b", of(carla, ends_on=days(60), status="cancelled"))

    def ids(query: str = "") -> list[str]:
        return [one["external_id"] for one in shop.get(f"/subscriptions?{query}").get_json()["data"]]

    assert ids() == ["b", "a"] and ids("filter[status]=active") == ["a"] and ids(f"ends_after={days(31)}") == ["b"]
    assert caller(world.shoes).get("/subscriptions/a").status_code == 404
