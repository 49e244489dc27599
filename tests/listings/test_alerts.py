from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from app.inbox.inbound import subscribers as _inbound  # noqa: F401
from app.listings.alerts import alert_in, stop_token
from app.listings.criteria import TooWide
from app.listings.saved_searches import NoConsent, SavedSearch
from app.tenancy import db, tenant_scope
from tests.arrivals import arrive
from tests.happenings import deliver_to_subscriber, happenings
from tests.posts import message

from .conftest import Agency


@pytest.fixture
def looking(agency: Agency) -> Agency:
    """The customer agreed to alerts, looks for something in Dakar, and alerts are set up."""
    agency.agree()
    agency.notify()
    agency.look_for()
    return agency


def test_a_search_needs_consent_to_marketing(agency: Agency) -> None:
    with pytest.raises(NoConsent):
        agency.look_for()


def test_a_search_for_everything_is_refused(agency: Agency) -> None:
    agency.agree()
    with pytest.raises(TooWide, match="match every listing"):
        agency.look_for(words=" ", currency="XOF")


def test_a_search_that_matches_too_much_says_how_much(agency: Agency, monkeypatch: pytest.MonkeyPatch) -> None:
    agency.agree()
    monkeypatch.setattr("app.listings.criteria.MOST_MATCHES", 0)
    agency.put()
    with pytest.raises(TooWide) as refused:
        agency.look_for()
    assert refused.value.explain() == "This search matches 1 listings. Narrow it."


def test_new_listings_go_out_as_one_alert_with_the_newest_and_the_count(looking: Agency) -> None:
    looking.look_for(kind="sale", types=["villa"])
    for place in range(3):
        looking.put(f"DKR-{place}", title=f"Villa {place}")
    assert looking.match() == 2
    looking.send()
    (sent,) = looking.sent()
    assert "Villa 2" in sent.body and " 3 and" in sent.body and "500,000 XOF" in sent.body
    assert looking.alerts()[0].state == "sent"
    assert happenings(looking.tenant.id, "alert.sent")[0].facts["listing_count"] == 3


def test_a_contact_gets_one_alert_a_day_and_the_rest_the_next_day(looking: Agency) -> None:
    looking.put("A")
    looking.match()
    looking.put("B")
    assert looking.match(hour=13) == 0
    assert looking.match(days=1) == 1
    assert [alert.listing_count for alert in looking.alerts()] == [1, 1]


def test_a_search_that_nothing_matches_is_moved_on_once_a_day(looking: Agency) -> None:
    old = looking.look_for(kind="rent", places=["Thiès"], since=dt.timedelta(days=2))
    young = looking.look_for(kind="rent", places=["Saly"])
    looking.put()
    assert looking.match() == 1
    with tenant_scope(looking.tenant.id):
        seen = {one.id: one.seen_until for one in db.session.query(SavedSearch)}
    assert seen[old.id] > old.seen_until + dt.timedelta(days=1) and seen[young.id] == young.seen_until


def test_alerts_wait_for_the_hour_that_was_chosen_and_never_go_at_night(looking: Agency) -> None:
    looking.put()
    assert looking.match(hour=8) == looking.match(hour=21) == 0
    assert looking.match(hour=9) == 1


def test_at_once_does_not_wait_for_the_hour(looking: Agency) -> None:
    looking.look_for(kind="sale", types=["villa"], frequency="at_once")
    looking.put()
    assert looking.match(hour=8) == 1


def test_what_was_sold_or_withdrawn_before_the_alert_goes_is_not_in_it(looking: Agency) -> None:
    looking.put("A", title="Sold house")
    looking.put("B", title="Free house")
    looking.match()
    looking.change("A", status="sold")
    looking.send()
    assert "Free house" in looking.sent()[0].body and " 1 and" in looking.sent()[0].body


def test_an_alert_without_anything_left_is_not_sent(looking: Agency) -> None:
    looking.put()
    looking.match()
    looking.change("DKR-204", status="withdrawn")
    looking.send()
    assert [(one.state, one.reason) for one in looking.alerts()] == [("skipped", "gone")] and not looking.sent()


def test_who_takes_back_consent_gets_no_alert(looking: Agency) -> None:
    looking.put()
    looking.match()
    looking.agree(is_granted=False)
    looking.send()
    assert looking.alerts()[0].reason == "no_consent" and not looking.sent()
    deliver_to_subscriber("listings_consents", looking.tenant.id)
    assert [one.facts["how"] for one in happenings(looking.tenant.id, "alert.stopped")] == ["consent"]


def test_nothing_is_matched_for_who_refused_marketing(looking: Agency) -> None:
    looking.agree(is_granted=False)
    looking.put()
    assert looking.match() == 0 and looking.alerts() == []


def test_a_job_that_is_killed_after_sending_sends_nothing_twice(looking: Agency) -> None:
    """The alert is due again, as after a kill before its commit; the message is the same one."""
    looking.put()
    looking.match()
    looking.send()
    with tenant_scope(looking.tenant.id):
        db.session.execute(db.text("update listing_alerts set state = 'due', message_id = null"))
    looking.send()
    assert len(looking.sent()) == 1 and looking.alerts()[0].state == "sent"


def test_what_was_matched_and_not_sent_is_sent_later(looking: Agency) -> None:
    looking.put()
    looking.match()
    assert looking.match() == 0
    looking.send()
    assert len(looking.sent()) == 1


CRITERIA: dict[str, dict[str, Any]] = {
    "another place": {"places": ["Thiès"]},
    "another kind": {"kind": "rent", "places": ["Dakar"]},
    "another type": {"types": ["land"]},
    "cheaper": {"price_to": 400_000_000_000, "currency": "XOF", "places": ["Dakar"]},
    "another currency": {"price_to": 900_000_000_000, "currency": "EUR", "places": ["Dakar"]},
    "more rooms": {"rooms_from": 6.0, "places": ["Dakar"]},
    "smaller": {"area_to": 100.0, "places": ["Dakar"]},
    "other words": {"words": "pool"},
}


@pytest.mark.parametrize("name", CRITERIA)
def test_a_search_does_not_match(agency: Agency, name: str) -> None:
    agency.agree()
    agency.look_for(**CRITERIA[name])
    agency.put()
    assert agency.match() == 0


FITTING: dict[str, dict[str, Any]] = {
    "a district, without accents and capitals": {"places": ["ALMADIES"]},
    "a type in another language": {"types": ["فيلا"]},
    "a range": {"price_from": 400_000_000_000, "price_to": 500_000_000_000, "currency": "XOF", "rooms_from": 5.0},
    "words": {"words": "Garden DKR-204"},
}


@pytest.mark.parametrize("name", FITTING)
def test_a_search_matches(agency: Agency, name: str) -> None:
    agency.agree()
    agency.look_for(**FITTING[name])
    agency.put()
    assert agency.match() == 1


def test_a_lower_price_is_news_for_who_wants_that(agency: Agency) -> None:
    agency.agree()
    agency.put()
    agency.look_for(since=dt.timedelta(), places=["Dakar"], wants_drops=True)
    agency.change("DKR-204", price_micros=450_000_000_000)
    assert agency.match() == 1


def test_a_lower_price_is_no_news_for_others(looking: Agency) -> None:
    looking.put()
    looking.match()
    looking.change("DKR-204", price_micros=450_000_000_000)
    assert looking.match(days=1) == 0


def test_whom_whatsapp_spares_gets_no_alert_for_two_days(looking: Agency) -> None:
    looking.put("A")
    looking.match()
    looking.send()
    with tenant_scope(looking.tenant.id):
        alert = looking.alerts()[0]
        db.session.get_one(type(alert), (alert.tenant_id, alert.id)).settle("capped", "held_back")
    looking.put("B")
    assert looking.match(days=1) == 0


def tap(agency: Agency, payload: str) -> None:
    button = {"payload": payload, "text": "Stop alerts"}
    arrive(message(wa_id="221771234567", type="button", button=button))
    deliver_to_subscriber("listings_buttons", agency.tenant.id)


def test_the_button_stops_the_searches_of_its_alert_and_says_so_in_its_language(agency: Agency) -> None:
    looking = agency
    looking.agree()
    looking.notify(language="fr")
    looking.look_for(name="Dakar")
    looking.put()
    looking.match()
    looking.send()
    tap(looking, looking.sent()[0].raw["components"][-1]["parameters"][0]["payload"])
    assert looking.sent()[-1].body.startswith("Les alertes pour « Dakar » sont arrêtées.")
    (stopped,) = happenings(looking.tenant.id, "alert.stopped")
    assert stopped.facts["how"] == "customer" and stopped.subject_id == looking.talk.contact_id
    looking.put("B")
    assert looking.match(days=1) == 0


def test_a_second_tap_stops_nothing_more(looking: Agency) -> None:
    looking.put()
    looking.match()
    token = stop_token_of(looking)
    tap(looking, token)
    tap(looking, token)
    assert len(happenings(looking.tenant.id, "alert.stopped")) == 1


def stop_token_of(agency: Agency) -> str:
    with tenant_scope(agency.tenant.id):
        return stop_token(agency.alerts()[0].id)


def test_another_customers_button_stops_nothing(looking: Agency) -> None:
    looking.put()
    looking.match()
    token = stop_token_of(looking)
    arrive(message(wa_id="221779999999", type="button", button={"payload": token, "text": "Stop alerts"}))
    deliver_to_subscriber("listings_buttons", looking.tenant.id)
    assert happenings(looking.tenant.id, "alert.stopped") == []


def test_a_payload_that_was_made_up_or_is_another_tenants_is_none(looking: Agency) -> None:
    looking.put()
    looking.match()
    token = stop_token_of(looking)
    changed = token[:-1] + ("1" if token[-1] == "0" else "0")
    for wrong in ("", "a1", "a1.x.y", changed, f"{token}.x", "a1." + "g" * 32 + ".x"):
        with tenant_scope(looking.tenant.id):
            assert alert_in(wrong) is None or wrong == token
    with tenant_scope(looking.world.shoes.id):
        assert alert_in(token) is None


def test_the_same_search_again_is_the_same_one(looking: Agency) -> None:
    again = looking.look_for()
    with tenant_scope(looking.tenant.id):
        assert [one.id for one in db.session.scalars(SavedSearch.of_contact(looking.talk.contact_id))] == [again.id]
