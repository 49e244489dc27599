"""While a business is closed, a message gets one automatic text: an answer, else the out-of-office reply."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from app.entry_points.models import EntryPoint, EntryReference
from app.entry_points.subjects import Subject
from app.hours.models import ServicePolicy
from app.inbox.conversations import Message
from app.tenancy import db, now, tenant_scope
from tests.automation.conftest import Shop, keyword, reply
from tests.client import Browser
from tests.happenings import deliver_to_subscriber

AWAY = "We are asleep."
WHEN_CLOSED = [{"kind": "hours", "when": "closed"}]
Json = dict[str, Any]


@pytest.fixture
def night(shop: Shop) -> Shop:
    """Open for a minute, twelve hours from now."""
    at = now() + dt.timedelta(hours=12)
    span = f"{at:%H:%M}-{at + dt.timedelta(minutes=1):%H:%M}"
    with tenant_scope(shop.id):
        db.session.add(ServicePolicy(time_zone="UTC", week=[span] * 7, holidays=[], away_text=AWAY))
    return shop


def texts_after(shop: Shop, words: str, *, away_first: bool) -> list[str]:
    """What a customer reads who writes this, in whatever order workers come to it."""
    shop.write(words, works=False)
    if away_first:
        deliver_to_subscriber("away", shop.id)
    shop.work()
    deliver_to_subscriber("away", shop.id)
    return read(shop)


def read(shop: Shop) -> list[str]:
    with tenant_scope(shop.id):
        mine = Message.direction == "outbound", Message.state != "cancelled"
        return [one.words for one in db.session.scalars(db.select(Message).where(*mine).order_by(Message.id))]


@pytest.mark.parametrize("away_first", [True, False])
@pytest.mark.parametrize(
    ("trigger", "conditions", "more", "text"),
    [
        ("first_message", [], {"stops": False}, AWAY),
        ("message", [], {}, AWAY),
        ("message", WHEN_CLOSED, {"stops": False, "repeats": "days"}, "Mine"),
        (keyword("hours"), [], {}, "Mine"),
        (keyword("cake"), [], {}, AWAY),
        ("message", [{"kind": "hours", "when": "open"}], {}, AWAY),
    ],
)
def test_a_message_at_night_gets_one_text(
    night: Shop, trigger: str | Json, conditions: list[Json], more: Json, text: str, away_first: bool
) -> None:
    night.rule(trigger, reply("Mine"), conditions=conditions, **more)
    assert texts_after(night, "hours", away_first=away_first) == [text]


def test_who_had_the_automations_reply_this_night_gets_no_other(night: Shop) -> None:
    night.rule("message", reply("Mine"), conditions=WHEN_CLOSED, repeats="days", stops=False)
    texts_after(night, "Hello?", away_first=True)
    assert texts_after(night, "Anybody?", away_first=True) == ["Mine"]


@pytest.mark.parametrize("away_first", [True, False])
def test_who_comes_by_a_button_is_answered_about_it_and_nothing_else(night: Shop, away_first: bool) -> None:
    with tenant_scope(night.id):
        villas = EntryPoint.create("Villas", night.number, kind="page", texts=[])
        code = EntryReference.issue(villas, Subject("property", "V-12", "Villa"), None, "en")
    night.rule({"kind": "entry_point"}, reply("About the {{subject.title}}"), repeats="once")
    assert texts_after(night, f"Hello (ref {code})", away_first=away_first) == ["About the Villa"]


def test_a_greeting_does_everything_but_write(night: Shop) -> None:
    tag = night.tag("New")
    night.rule("first_message", reply("Welcome"), {"kind": "tag", "what": "add", "tag": tag})
    assert texts_after(night, "Hello", away_first=True) == [AWAY]
    assert night.results() == ["left_out", "done"] and night.tags() == ["New"]


def test_a_branch_that_stays_silent_leaves_the_word_to_the_reply(night: Shop) -> None:
    closed = {"kind": "group", "mode": "all", "items": [{"kind": "hours", "when": "open"}]}
    night.rule("message", {"kind": "branch", "conditions": closed, "yes": [reply("Mine")], "no": []})
    assert texts_after(night, "Hello", away_first=True) == [AWAY]


def test_by_day_the_welcome_is_sent(shop: Shop) -> None:
    with tenant_scope(shop.id):
        db.session.add(ServicePolicy(time_zone="UTC", week=["00:00-24:00"] * 7, holidays=[], away_text=AWAY))
    shop.rule("first_message", reply("Welcome"))
    assert texts_after(shop, "Hello", away_first=True) == ["Welcome"]


def test_each_of_the_two_pages_names_the_other_text(night: Shop, ann: Browser) -> None:
    closed = night.rule("message", reply("Mine"), conditions=WHEN_CLOSED, name="Night reply")
    welcome = night.rule("first_message", reply("Welcome"), name="Welcome all")
    assert "Customers get only one: this where it replies" in ann.get(f"~/automation/{closed.id}").text
    assert "customers get the out-of-office reply of Business hours" in ann.get(f"~/automation/{welcome.id}").text
    page = ann.get("~/hours/").text
    assert "“Night reply” also replies while you are closed" in page
    assert "customers get this instead of the text of “Welcome all”" in page
