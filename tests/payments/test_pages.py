"""The pages of payments, the card, the export."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from flask import Flask

from app.inbox.conversations import Conversation, Message
from app.payments.models import Given, Payment, PaymentSettings
from app.tenancy import Actor, db, now, tenant_scope
from app.wabas.models import PhoneNumber
from tests.client import Browser
from tests.notifications.notifications import AMOUNT, NAME, notification
from tests.world import World, conversation


@pytest.fixture
def number(world: World) -> PhoneNumber:
    return world.connect_numbers()[0]


@pytest.fixture
def carla(number: PhoneNumber) -> Conversation:
    return conversation(number)


@pytest.fixture
def ann(app: Flask, world: World) -> Browser:
    return Browser(app, "bakery").signed_in_as(world.ann)


def payment(carla: Conversation, external_id: str = "inv-1", **more: Any) -> Payment:
    values: dict[str, Any] = {"contact_id": carla.contact_id, "amount_micros": 500_000_000_000, "currency": "XOF"}
    values |= {"title": "Villa 14", "reference": "R-1", "paid_at": now(), "status": "received"} | more
    with tenant_scope(carla.tenant_id):
        made, _is_new = Payment.claim(external_id, Given(**values))
        made.settle(by=Actor.system("tests"))
    return made


def test_they_are_listed_and_found(ann: Browser, carla: Conversation) -> None:
    payment(carla)
    payment(carla, "inv-2", status="refunded", title="Parking", reference="R-2", paid_at=now() - dt.timedelta(days=40))
    page = ann.get("~/payments/").text
    assert "Villa 14" in page and "Parking" in page and "500,000" in page and "no notification is chosen" in page
    assert "Parking" not in ann.get("~/payments/?status=received").text
    assert "Villa 14" not in ann.get("~/payments/?q=R-2").text
    assert "Parking" not in ann.get(f"~/payments/?since={now():%Y-%m-%d}").text
    assert "No payments found" in ann.get("~/payments/?q=nothing").text


def test_one_says_what_became_of_its_confirmation(ann: Browser, carla: Conversation, number: PhoneNumber) -> None:
    made, chosen = payment(carla), notification(number)
    page = f"~/payments/{made.id}"
    assert "No notification was chosen for it." in ann.get(page).text
    with tenant_scope(number.tenant_id):
        PaymentSettings(notification_id=chosen.id).save()
    for _ in range(2):
        ann.post(f"{page}/confirmation")
    assert "Hello Carla" in ann.get(page).text
    with tenant_scope(number.tenant_id):
        assert db.session.query(Message).count() == 1


def test_the_settings_say_what_a_notification_lacks(ann: Browser, number: PhoneNumber) -> None:
    other = AMOUNT.row | {"name": "sum_paid"}
    fits, lacks = notification(number), notification(number, "other", mapping=[NAME.row, other])
    ann.post("~/payments/settings", {"notification": str(fits.id)})
    assert "be sent here" not in ann.get("~/payments/settings").text
    refused = ann.post("~/payments/settings", {"notification": str(lacks.id)})
    assert refused.status_code == 422 and "nothing fills in sum_paid" in refused.text
    with tenant_scope(number.tenant_id):
        assert PaymentSettings.current().notification_id == fits.id
    assert "Confirmation of payments" in ann.get(f"~/notifications/{fits.id}").text
    ann.post(f"~/notifications/{fits.id}/removal")
    assert ann.get(f"~/notifications/{fits.id}").status_code == 200


def test_they_are_beside_the_conversation(ann: Browser, carla: Conversation) -> None:
    for name in "abcd":
        payment(carla, name)
    page = ann.get(f"~/inbox/{carla.id}/details").text
    assert page.count("/payments/0") == 3 and f"/payments/?contact={carla.contact_id}" in page


def test_the_export_is_safe_in_a_spreadsheet(ann: Browser, carla: Conversation) -> None:
    payment(carla, title="=1+1")
    text = ann.confirmed().post("~/payments/export").text
    assert "'=1+1" in text and '"500000","XOF","received"' in text and "16505551234" in text
