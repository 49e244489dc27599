"""What becomes of a number at Meta is seen here: by webhooks at once, by looking once an hour."""

from __future__ import annotations

import datetime as dt
import json
from functools import partial

import pytest
from sqlalchemy import update

from app.tenancy import db, now, platform_scope, tenant_scope
from app.wabas.changes import NumberChange
from app.wabas.jobs import check, check_photos_of, enqueue_checks, probe
from app.wabas.models import PhoneNumber, Waba
from simulator.number_extras import Extras
from simulator.phone_numbers import PhoneNumber as PlayedNumber
from tests.enqueued import Enqueued
from tests.onboarding.test_connecting import AS_PLATFORM
from tests.simulated import Meta, Road
from tests.world import World


def number(road: Road) -> PhoneNumber:
    with tenant_scope(road.world.bakery.id):
        return PhoneNumber.get_or_404(road.number.id)


def waba(road: Road) -> Waba:
    with tenant_scope(road.world.bakery.id):
        return db.session.query(Waba).one()


def look(road: Road) -> PhoneNumber:
    check(road.world.bakery.id, waba(road).id)
    return number(road)


def happens(road: Road, event: str) -> None:
    road.meta.post("account-events", event=event, phone_number_id=road.ids["phone_number_id"])


def history(road: Road) -> list[tuple[str, str]]:
    with tenant_scope(road.world.bakery.id):
        results = db.session.query(NumberChange).order_by(NumberChange.occurred_at, NumberChange.id)
        return [(change.kind, change.new) for change in results]


def test_a_look_writes_down_what_meta_says(road: Road) -> None:
    seen = look(road)
    assert (seen.state, seen.status, seen.quality_rating) == ("connected", "CONNECTED", "GREEN")
    assert (seen.can_send, seen.messaging_limit) == ("AVAILABLE", "TIER_250")
    assert {entity["type"] for entity in seen.health} == {"PHONE_NUMBER", "WABA", "BUSINESS", "APP"}
    assert waba(road).subscribed_at and waba(road).checked_at


def test_a_photo_added_elsewhere_is_noticed(road: Road, played: PlayedNumber, enqueued: Enqueued) -> None:
    look(road)
    assert "wabas.check_photos" in enqueued.names
    Extras(played)["profile"] = json.dumps({"profile_picture_url": "https://pps.whatsapp.net/photo.jpg"})
    check_photos_of(road.world.bakery.id, waba(road).id)
    assert number(road).has_photo


def test_a_photo_stays_noted_while_meta_does_not_answer(road: Road) -> None:
    with tenant_scope(road.world.bakery.id):
        db.session.execute(update(PhoneNumber).values(has_photo=True))
    road.meta.post("faults", edge="whatsapp_business_profile", kind="error", code=2)
    check_photos_of(road.world.bakery.id, waba(road).id)
    assert number(road).has_photo


@pytest.mark.parametrize("event", ["revoke", "unsubscribe", "deregistered"])
def test_what_no_webhook_reported_pauses_sending_and_never_receiving(road: Road, event: str) -> None:
    look(road)
    happens(road, event)
    paused = look(road)
    assert (paused.state, paused.takes_messages) == ("paused", True)
    assert paused.pause_reason
    assert paused.pause_fix


def test_what_customers_write_arrives_while_sending_is_paused(road: Road) -> None:
    happens(road, "revoke")
    assert look(road).state == "paused"
    assert road.customer_writes("Are you there?").id


def test_a_blocked_health_pauses_and_says_which_part(road: Road) -> None:
    allocation = road.meta.get("state")["allocations"][0]["id"]
    road.meta.client.delete(f"/v25.0/{allocation}", headers=AS_PLATFORM)
    blocked = look(road)
    assert blocked.state == "paused"
    account = next(entity for entity in blocked.health if entity["type"] == "WABA")
    assert account["problems"][0]["code"] == 141006


@pytest.mark.parametrize("kind", ["http500", "refuse", "429", "drop-after-accept"])
@pytest.mark.parametrize("edge", ["debug_token", "GET waba", "GET phone_number", "GET subscribed_apps"])
def test_a_fault_of_metas_is_no_reason_to_pause(road: Road, edge: str, kind: str) -> None:
    look(road)
    road.meta.post("faults", edge=edge, kind=kind, times=9)
    assert look(road).state == "connected"


def test_what_is_repaired_resumes_automatically(road: Road) -> None:
    happens(road, "unsubscribe")
    assert look(road).state == "paused"
    token = {"Authorization": f"Bearer {road.ids['token']}"}
    road.meta.client.post(f"/v25.0/{road.ids['waba_id']}/subscribed_apps", headers=token)
    probe(road.world.bakery.id, road.number.id)
    assert number(road).state == "connected"


def test_an_account_is_looked_at_once_an_hour(road: Road, enqueued: Enqueued) -> None:
    enqueued.clear()
    enqueue_checks()
    assert enqueued.count("wabas.check") == 1
    look(road)
    enqueued.clear()
    enqueue_checks()
    assert enqueued.count("wabas.check") == 0
    with platform_scope("tests"):
        db.session.execute(update(Waba).values(checked_at=now() - dt.timedelta(minutes=61)))
    enqueue_checks()
    assert enqueued.count("wabas.check") == 1


NOTICES = [
    ("quality_low", "quality_rating", "RED"),
    ("limit_raised", "messaging_limit", "TIER_10K"),
    ("name_approved", "name_status", "APPROVED"),
    ("name_rejected", "name_status", "DECLINED"),
]


@pytest.mark.parametrize(("event", "column", "value"), NOTICES)
def test_news_are_seen_at_once_and_join_the_history(road: Road, event: str, column: str, value: str) -> None:
    look(road)
    happens(road, event)

    def was_notified() -> bool:
        check(road.world.bakery.id, waba(road).id)
        return bool(getattr(number(road), column) == value)

    road.until(was_notified)
    assert (column, value) in history(road)


def test_a_name_that_was_refused_is_not_waited_for_any_more(road: Road) -> None:
    happens(road, "name_rejected")
    road.until(lambda: number(road).name_status == "DECLINED")
    assert number(road).requested_name == ""


def test_a_limit_is_known_from_the_webhook_alone(road: Road) -> None:
    look(road)
    happens(road, "limit_raised")
    road.until(lambda: number(road).messaging_limit == "TIER_10K")


@pytest.mark.parametrize(
    ("event", "words"),
    [("alerted", "PROFILE_PICTURE_LOST"), ("violated", "SPAM"), ("pin_changed", "security PIN_CHANGED")],
)
def test_what_meta_wants_read_is_stored_once(road: Road, event: str, words: str) -> None:
    road.meta.post("knobs", duplicates=1)
    happens(road, event)
    road.until(lambda: ("alert", words) in history(road))
    assert history(road).count(("alert", words)) == 1


def test_a_disabled_account_pauses_with_the_way_to_appeal(road: Road) -> None:
    happens(road, "disabled")
    road.until(lambda: number(road).state == "paused")
    assert "request a review" in number(road).pause_fix


def test_an_account_that_was_unshared_has_its_exact_words(road: Road) -> None:
    happens(road, "partner_removed")
    road.until(lambda: number(road).state == "paused")
    assert "stopped sharing" in number(road).pause_reason
    assert "stopped sharing" in look(road).pause_reason


def test_old_news_do_not_undo_newer_ones(world: World) -> None:
    mine, _ = world.connect_numbers()
    note = partial(PhoneNumber.note, kind="quality_rating")
    with tenant_scope(world.bakery.id):
        it = PhoneNumber.get_or_404(mine.id)
        note(it, value="RED", at=now())
        note(it, value="GREEN", at=now() - dt.timedelta(hours=1))
        assert it.quality_rating == "RED"
        assert db.session.query(NumberChange).count() == 2


def test_a_look_at_a_number_that_was_taken_off_changes_nothing(road: Road, meta: Meta) -> None:
    with tenant_scope(road.world.bakery.id):
        PhoneNumber.get_or_404(road.number.id).disconnect()
    assert look(road).state == "disconnected"
