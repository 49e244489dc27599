"""Payments by program: one row, one event, one confirmation."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import select

from app.contacts.consents import Consent
from app.contacts.models import Contact
from app.inbox.conversations import Conversation, Message
from app.payments.models import Payment, PaymentSettings
from app.people.erasure import erase
from app.tenancy import Actor, db, now, tenant_scope
from app.wabas.models import PhoneNumber
from tests.api.conftest import Caller, MakeCaller
from tests.happenings import kinds
from tests.notifications.notifications import AMOUNT, NAME, notification
from tests.world import World

PAID = {"amount_micros": 500_000_000_000, "currency": "XOF", "title": "Villa 14", "paid_at": now().isoformat()}


def of(talk: Conversation, **more: Any) -> dict[str, Any]:
    return PAID | {"contact": {"contact_id": str(talk.contact_id)}} | more


@pytest.fixture
def confirmed(number: PhoneNumber) -> None:
    """Bakery has chosen a notification for payments."""
    made = notification(number)
    with tenant_scope(number.tenant_id):
        PaymentSettings(notification_id=made.id).save()


def messages(number: PhoneNumber) -> list[str]:
    with tenant_scope(number.tenant_id):
        return list(db.session.scalars(select(Message.body).where(Message.direction == "outbound")))


def test_it_happens_and_is_confirmed_once(
    shop: Caller, carla: Conversation, number: PhoneNumber, confirmed: None
) -> None:
    first = shop.put("/payments/inv-1", of(carla))
    again = shop.put("/payments/inv-1", of(carla, amount_micros=600_000_000_000))
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.get_json()["amount_micros"] == 600_000_000_000
    assert messages(number) == ["Hello Carla, we got F\u202fCFA\xa0500,000 from you. Thank you."]
    assert kinds(number.tenant_id).count("payment.received") == 1
    assert first.get_json()["confirmation"]["message_id"]


def test_two_systems_at_once_make_one_payment(
    shop: Caller, caller: MakeCaller, carla: Conversation, number: PhoneNumber, confirmed: None
) -> None:
    callers, answers = [shop, caller(), caller()], list[int]()
    threads = [
        threading.Thread(target=lambda one=one: answers.append(one.put("/payments/x", of(carla)).status_code))
        for one in callers
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200, 200, 201] and len(messages(number)) == 1


def test_a_refund_and_a_failure_tell_the_customer_nothing(
    shop: Caller, carla: Conversation, number: PhoneNumber, confirmed: None
) -> None:
    shop.put("/payments/a", of(carla, status="failed"))
    shop.put("/payments/b", of(carla, status="refunded"))
    assert messages(number) == []
    shop.put("/payments/a", of(carla))
    refunded = shop.post("/payments/a/refund")
    assert refunded.get_json()["status"] == "refunded" and len(messages(number)) == 1
    shop.put("/payments/a", of(carla))
    assert len(messages(number)) == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"contact": None}, "It belongs to no contact"),
        ({"paid_at": "2020-01-01T00:00:00Z"}, "more than two days"),
        ({"notify": False}, "asked for none"),
    ],
)
def test_why_no_confirmation_went_out_is_shown(
    shop: Caller, carla: Conversation, number: PhoneNumber, confirmed: None, change: dict[str, Any], words: str
) -> None:
    answer = shop.put("/payments/inv-1", of(carla, **change))
    assert answer.status_code == 201 and words in answer.get_json()["confirmation"]["detail"]
    assert messages(number) == []


def test_somebody_who_opted_out_gets_none(
    shop: Caller, carla: Conversation, number: PhoneNumber, confirmed: None
) -> None:
    with tenant_scope(number.tenant_id):
        by = Actor.system("tests")
        Consent.record(carla.contact_id, "utility", is_granted=False, source="message", by=by)
    assert "opted out" in shop.put("/payments/inv-1", of(carla)).get_json()["confirmation"]["detail"]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"amount_micros": -1}, "/amount_micros"),
        ({"amount_micros": 0}, "/amount_micros"),
        ({"amount_micros": 500}, "/amount_micros"),
        ({"currency": "EUR", "amount_micros": 1_005_000}, "/amount_micros"),
        ({"currency": "XXQ"}, "/currency"),
        ({"amount_micros": 10**19}, "/amount_micros"),
        ({"title": "x" * 301}, "/title"),
        ({"contact": {"phone": "12"}}, "/contact/phone"),
        ({"contact": {"contact_id": "00000000-0000-0000-0000-000000000001"}}, "/contact/contact_id"),
        ({"status": "pending"}, "/status"),
    ],
)
def test_what_is_wrong_is_named(shop: Caller, carla: Conversation, change: dict[str, Any], pointer: str) -> None:
    answer = shop.put("/payments/inv-1", of(carla, **change))
    assert answer.status_code == 422
    assert [fault["pointer"] for fault in answer.get_json(force=True)["errors"]] == [pointer]


@pytest.mark.parametrize("id", ["a/b//c", "..", "with space", "دفعة-١", "100%", "x" * 200])
def test_an_id_may_be_any_text(shop: Caller, carla: Conversation, id: str) -> None:
    path = f"/payments/{quote(id, safe='')}"
    assert shop.put(path, of(carla)).get_json()["external_id"] == id
    assert shop.get(path).get_json()["external_id"] == id
    assert shop.post(f"{path}/refund").get_json()["status"] == "refunded"


def test_a_change_of_another_version_is_refused(shop: Caller, carla: Conversation) -> None:
    shop.put("/payments/inv-1", of(carla))
    old = shop.get("/payments/inv-1").headers["ETag"]
    assert shop.put("/payments/inv-1", of(carla, title="Villa 15"), If_Match=old).status_code == 200
    assert shop.put("/payments/inv-1", of(carla, title="Villa 16"), If_Match=old).status_code == 412
    assert shop.put("/payments/new", of(carla), If_Match=old).status_code == 412


def test_they_are_listed_with_filters(shop: Caller, carla: Conversation, world: World, caller: MakeCaller) -> None:
    shop.put("/payments/a", of(carla, paid_at="2026-01-01T00:00:00Z"))
    shop.put("/payments/b", of(carla, status="failed"))

    def ids(query: str = "") -> list[str]:
        return [one["external_id"] for one in shop.get(f"/payments?{query}").get_json()["data"]]

    assert ids() == ["b", "a"] and ids("filter[status]=failed") == ["b"]
    assert ids(f"filter[contact_id]={carla.contact_id}") == ["b", "a"]
    assert ids("paid_before=2026-02-01T00:00:00Z") == ["a"]
    assert caller(world.shoes).get("/payments").get_json()["data"] == []
    assert caller(world.shoes).get("/payments/a").status_code == 404


def test_of_an_erased_contact_the_figure_stays(shop: Caller, carla: Conversation, number: PhoneNumber) -> None:
    shop.put("/payments/a", of(carla, reference="R-1"))
    with tenant_scope(number.tenant_id):
        erase(Contact.get_or_404(carla.contact_id), by=Actor.system("tests"))
        left = db.session.scalars(select(Payment)).one()
        assert (left.title, left.reference, left.amount_micros) == ("", "", 500_000_000_000)
    assert shop.put("/payments/a", of(carla)).status_code == 422


def test_a_payment_of_the_future_is_refused(shop: Caller, carla: Conversation) -> None:
    def paid(days: float, **more: Any) -> Any:
        return shop.put("/payments/inv-1", of(carla, paid_at=(now() + dt.timedelta(days=days)).isoformat(), **more))

    refused = paid(1.1)
    assert refused.status_code == 422 and refused.get_json(force=True)["errors"][0]["pointer"] == "/paid_at"
    assert paid(0.9).status_code == 201


def test_what_the_confirmation_needs_is_named(shop: Caller, carla: Conversation, number: PhoneNumber) -> None:
    made = notification(number, mapping=[NAME.row, AMOUNT.row | {"name": "title", "type": "text"}])
    with tenant_scope(number.tenant_id):
        PaymentSettings(notification_id=made.id).save()
    detail = shop.put("/payments/inv-1", of(carla, title="")).get_json()["confirmation"]["detail"]
    assert detail == "The notification needs a value for title."
