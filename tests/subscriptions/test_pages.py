"""The pages of subscriptions, and the card."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from flask import Flask

from app.inbox.conversations import Conversation
from app.subscriptions.models import Given, Subscription, SubscriptionSettings, end_of, zone_called
from app.tenancy import now, tenant_scope
from app.wabas.models import PhoneNumber
from tests.client import Browser
from tests.notifications.notifications import NAME, notification, plain_notification
from tests.world import World, conversation

TODAY = now().date()


@pytest.fixture
def number(world: World) -> PhoneNumber:
    return world.connect_numbers()[0]


@pytest.fixture
def carla(number: PhoneNumber) -> Conversation:
    return conversation(number)


@pytest.fixture
def ann(app: Flask, world: World) -> Browser:
    return Browser(app, "bakery").signed_in_as(world.ann)


def subscription(carla: Conversation, external_id: str, days: int, **more: Any) -> Subscription:
    ends_on = TODAY + dt.timedelta(days=days)
    values: dict[str, Any] = {"contact_id": carla.contact_id, "title": f"Plan {external_id}", "ends_on": ends_on}
    values |= {"ends_at": end_of(ends_on, zone_called("UTC")), "zone": "Africa/Dakar", "renews": False}
    values |= {"price_micros": 15_000_000_000, "currency": "XOF", "status": "active"} | more
    with tenant_scope(carla.tenant_id):
        made, _is_new = Subscription.claim(external_id, Given(**values))
        made.schedule()
    return made


def test_they_are_listed_by_their_end(ann: Browser, carla: Conversation) -> None:
    for name, days in (("a", 2), ("b", 10), ("c", 40)):
        subscription(carla, name, days)
    subscription(carla, "d", 1, renews=True)
    assert "no notification is chosen" in ann.get("~/subscriptions/").text

    def shown(query: str) -> list[str]:
        page = ann.get(f"~/subscriptions/?{query}").text
        return [name for name in "abcd" if f"Plan {name}" in page]

    assert shown("") == list("abcd") and shown("ending=14") == ["a", "b"] and shown("ending=3") == ["a"]
    assert shown("q=c") == ["c"] and shown("status=ended") == []


def test_one_is_renewed_and_cancelled(ann: Browser, carla: Conversation) -> None:
    made = subscription(carla, "a", 20)
    page = f"~/subscriptions/{made.id}"
    assert "14 days before the end" in ann.get(page).text and "09:00" in ann.get(page).text
    assert ann.post(f"{page}/renewal", {"ends_on": TODAY.isoformat()}).status_code == 422
    later = TODAY + dt.timedelta(days=400)
    ann.post(f"{page}/renewal", {"ends_on": later.isoformat()})
    assert "Ends in 400 days" in ann.get(page).text
    ann.post(f"{page}/cancellation")
    assert "None, because it was cancelled." in ann.get(page).text


def test_the_owner_chooses_the_hour_and_a_notification_for_each_day(ann: Browser, number: PhoneNumber) -> None:
    chosen, lacks = plain_notification(number, "ending", "t", mapping=[NAME.row]), notification(number)
    form = {"hour": "17", "before_14_id": str(chosen.id), "before_3_id": "", "on_day_id": "", "after_3_id": ""}
    ann.post("~/subscriptions/settings", form)
    with tenant_scope(number.tenant_id):
        settings = SubscriptionSettings.current()
        assert (settings.hour, settings.chosen(-14), settings.chosen(3)) == (17, chosen.id, None)
    refused = ann.post("~/subscriptions/settings", form | {"on_day_id": str(lacks.id)})
    assert refused.status_code == 422 and "nothing fills in amount" in refused.text
    assert "Reminders of subscriptions" in ann.get(f"~/notifications/{chosen.id}").text
    assert ann.post("~/subscriptions/settings", form | {"hour": "24"}).status_code == 422


def test_they_are_beside_the_conversation(ann: Browser, carla: Conversation) -> None:
    subscription(carla, "a", 5)
    assert "Ends in 5 days" in ann.get(f"~/inbox/{carla.id}/details").text
