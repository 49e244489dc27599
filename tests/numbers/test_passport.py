"""One number, all about it."""

from __future__ import annotations

import datetime as dt
import io
import re
import uuid

import pytest
import time_machine

from app.tenancy import db, tenant_scope
from app.wabas.models import PhoneNumber
from tests.client import FRAGMENT, Browser
from tests.simulated import Road

PAGES = ["", "/profile", "/links", "/greeting", "/blocked", "/traffic"]
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 64


@pytest.fixture
def at(road: Road) -> str:
    return f"~/numbers/{road.number.id}"


def text(browser: Browser, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


@pytest.mark.parametrize("page", PAGES)
def test_strangers_find_nothing_and_agents_may_not(sue: Browser, ben: Browser, at: str, page: str) -> None:
    assert sue.get(at + page).status_code == 404
    assert ben.get(at + page).status_code == 403


@pytest.mark.parametrize("page", PAGES[1:5])
@pytest.mark.parametrize("fault", ["http500", "refuse", "error"])
def test_where_meta_does_not_answer_the_page_says_so(ann: Browser, road: Road, at: str, page: str, fault: str) -> None:
    edges = ("whatsapp_business_profile", "message_qrdls", "GET phone_number", "block_users")
    for edge in edges:
        road.meta.post("faults", edge=edge, kind=fault, code=200, times=3)
    assert 'role="alert"' in text(ann, at + page)


def test_everything_meta_says_is_on_the_page(ann: Browser, at: str) -> None:
    assert ann.post(f"{at}/check").status_code == 303
    page = text(ann, at)
    for words in ("High", "250 people a day", "Up to 80 messages a second", "Your business at Meta", "Yes"):
        assert words in page


def test_the_live_part_is_what_the_page_holds(ann: Browser, at: str) -> None:
    with time_machine.travel(dt.datetime.now(dt.UTC), tick=False):
        part = ann.get(at, headers=FRAGMENT).get_data(as_text=True).strip()
        assert part.startswith('<div id="passport"')
        assert part in text(ann, at)


def test_switched_off_webhooks_are_switched_on_again_from_the_page(ann: Browser, road: Road, at: str) -> None:
    road.meta.post("account-events", event="unsubscribe", phone_number_id=road.number.meta_id)
    ann.post(f"{at}/check")
    assert "Turn on again" in text(ann, at)
    ann.post(f"{at}/subscription")
    with tenant_scope(road.world.bakery.id):
        assert PhoneNumber.get_or_404(road.number.id).state == "connected"


@pytest.mark.parametrize(
    ("review", "verification", "words"),
    [
        ("APPROVED", "verified", ["Approved", "Verified"]),
        ("REJECTED", "pending_need_more_info", ["Rejected by Meta", "Meta needs more information"]),
        ("", "something_new", ["Not known yet", "something_new"]),
    ],
)
def test_metas_review_and_verification_are_shown(
    ann: Browser, road: Road, at: str, review: str, verification: str, words: list[str]
) -> None:
    with tenant_scope(road.world.bakery.id):
        waba = PhoneNumber.get_or_404(road.number.id).waba
        waba.review_status, waba.verification_status = review, verification
    page = text(ann, at)
    _, _, shown = page.partition("Account review")
    assert all(each in shown[:900] for each in words)


def test_the_profile_is_saved_at_meta(ann: Browser, at: str) -> None:
    typed = {"about": "Fresh bread", "email": "a@b.example", "website_1": "https://b.example", "vertical": "GROCERY"}
    assert ann.post(f"{at}/profile", typed).status_code == 303
    page = text(ann, f"{at}/profile")
    assert 'value="Fresh bread"' in page
    assert 'value="https://b.example"' in page


def test_what_will_not_do_is_an_error_and_stays_in_the_form(ann: Browser, at: str) -> None:
    answer = ann.post(f"{at}/profile", {"about": "Kept", "website_1": "b.example", "email": "nobody"})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "starting with https://" in page
    assert "Enter a full email address" in page
    assert 'value="Kept"' in page


def test_a_photo_goes_to_meta_in_two_steps(ann: Browser, at: str) -> None:
    sent = {"picture": (io.BytesIO(PNG), "logo.png")}
    answer = ann.post(f"{at}/profile/picture", sent, content_type="multipart/form-data")
    assert answer.status_code == 303


def test_the_photo_is_shown_by_us(ann: Browser, at: str) -> None:
    sent = {"picture": (io.BytesIO(PNG), "logo.png")}
    ann.post(f"{at}/profile/picture", sent, content_type="multipart/form-data")
    assert f'src="{ann.at(at)}/profile/picture"' in text(ann, f"{at}/profile")
    shown = ann.client.get(ann.at(f"{at}/profile/picture"))
    assert (shown.mimetype, shown.data) == ("image/png", PNG)


def test_where_there_is_no_photo_none_is_shown(ann: Browser, at: str) -> None:
    assert ann.client.get(ann.at(f"{at}/profile/picture")).status_code == 404


@pytest.mark.parametrize("content", [b"", b"<svg onload=alert(1)>", PNG + b"0" * 200])
def test_what_is_no_photo_is_refused(ann: Browser, at: str, content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.numbers.views.profile.PICTURE_BYTES", 200)
    sent = {"picture": (io.BytesIO(content), "logo.png")}
    assert ann.post(f"{at}/profile/picture", sent, content_type="multipart/form-data").status_code == 422


def test_a_username_is_taken_and_given_up(ann: Browser, at: str) -> None:
    ann.post(f"{at}/username", {"username": "@Bakery.Of"})
    assert "Remove @bakery.of" in text(ann, f"{at}/profile")
    ann.post(f"{at}/username/removal")
    assert "Remove @bakery.of" not in text(ann, f"{at}/profile")


@pytest.mark.parametrize("name", ["ab", "..bakery", "www.bakery", "12345", "bäcker"])
def test_what_is_no_username_is_an_error(ann: Browser, at: str, name: str) -> None:
    assert ann.post(f"{at}/username", {"username": name}).status_code == 422


def test_a_link_is_made_drawn_and_deleted(ann: Browser, at: str) -> None:
    ann.post(f"{at}/links", {"message": "I would like to order"})
    page = text(ann, f"{at}/links")
    code = page.partition("wa.me/message/")[2][:14]
    assert "I would like to order" in page
    drawn = ann.client.get(ann.at(f"{at}/links/{code}.svg"))
    assert drawn.mimetype == "image/svg+xml"
    assert drawn.data.startswith(b"<svg xmlns")
    ann.post(f"{at}/links/{code}/removal")
    assert "No links yet" in text(ann, f"{at}/links")


def link_made(ann: Browser, at: str, words: str = "A cake for Sunday") -> str:
    ann.post(f"{at}/links", {"message": words})
    return text(ann, f"{at}/links").partition("wa.me/message/")[2][:14]


def test_a_links_text_is_changed_and_its_code_stays(ann: Browser, at: str) -> None:
    code = link_made(ann, at)
    assert ann.post(f"{at}/links/{code}", {"message": "A table for two"}).status_code == 303
    page = text(ann, f"{at}/links")
    assert "A table for two" in page
    assert "A cake for Sunday" not in page
    assert code in page


def test_a_text_that_will_not_do_is_an_error_beside_its_link(ann: Browser, at: str) -> None:
    code = link_made(ann, at)
    answer = ann.post(f"{at}/links/{code}", {"message": "x" * 141})
    assert answer.status_code == 422
    assert "Use 1 to 140 characters." in answer.get_data(as_text=True)


@pytest.mark.parametrize(("drawn", "begins"), [("svg", b"<svg"), ("png", b"\x89PNG")])
def test_metas_own_picture_of_a_link_is_fetched_by_us(ann: Browser, at: str, drawn: str, begins: bytes) -> None:
    code = link_made(ann, at)
    answer = ann.client.get(ann.at(f"{at}/links/{code}/picture.{drawn}"))
    assert begins in answer.data[:200]
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "/qr/" not in text(ann, f"{at}/links")


def test_where_meta_has_no_picture_ours_is_offered_with_words(ann: Browser, at: str, road: Road) -> None:
    code = link_made(ann, at)
    road.meta.post("faults", edge="message_qrdls", kind="error", code=131000)
    answer = ann.get(f"{at}/links/{code}/picture.svg", follow_redirects=True)
    page = answer.get_data(as_text=True)
    assert "Use ours: it opens the same chat." in page
    assert f"/links/{code}.svg" in page


def test_a_picture_from_anywhere_but_meta_is_not_fetched(
    ann: Browser, at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = link_made(ann, at)
    monkeypatch.setattr("simulator.pictures.qr_code", lambda *_: "https://metadata.example/latest")
    answer = ann.get(f"{at}/links/{code}/picture.png", follow_redirects=True)
    assert "Use ours" in answer.get_data(as_text=True)


def test_an_empty_chat_offers_what_was_written(ann: Browser, at: str) -> None:
    typed = {"prompts": "Are you open?\nWhere are you?", "commands": "/hours When we are open\norder Order bread"}
    assert ann.post(f"{at}/greeting", typed).status_code == 303
    page = text(ann, f"{at}/greeting")
    assert "Where are you?" in page
    assert "hours When we are open" in page


@pytest.mark.parametrize("typed", [{"prompts": "\n".join("abcde")}, {"commands": "hours"}, {"prompts": "x" * 81}])
def test_what_meta_would_not_take_is_shown_before(ann: Browser, at: str, typed: dict[str, str]) -> None:
    assert ann.post(f"{at}/greeting", typed).status_code == 422


@pytest.mark.parametrize("written", ["+١ ٦٥٠ ٥٥٥ ٠١٩٩", "001 650 555 0199", "wa.me/16505550199", "16505550199.0"])
def test_a_number_to_block_is_read_however_it_is_written(ann: Browser, road: Road, at: str, written: str) -> None:
    road.customer_writes("spam", wa_id="16505550199", name="Spam")
    ann.post(f"{at}/blocked", {"person": written})
    assert "+16505550199" in text(ann, f"{at}/blocked")


def test_a_number_that_is_none_is_not_blocked(ann: Browser, at: str) -> None:
    answer = ann.post(f"{at}/blocked", {"person": "4793456789"})
    assert answer.status_code == 422 and "could be" in answer.get_data(as_text=True)


def test_somebody_is_blocked_and_let_in_again(ann: Browser, road: Road, at: str) -> None:
    road.customer_writes("spam", wa_id="16505550199", name="Spam")
    ann.post(f"{at}/blocked", {"person": "+1 650 555 0199"})
    assert "+16505550199" in text(ann, f"{at}/blocked")
    ann.post(f"{at}/blocked/16505550199/removal")
    assert "No one is blocked" in text(ann, f"{at}/blocked")


def test_the_pin_is_shown_only_to_who_knows_the_password(ann: Browser, road: Road, at: str) -> None:
    with tenant_scope(road.world.bakery.id):
        PhoneNumber.get_or_404(road.number.id).pin = "424242"
    answer = ann.get(f"{at}/pin")
    assert "/account/confirmation" in answer.location
    assert "424242" not in text(ann, at)
    ann.confirmed()
    assert "424242" in text(ann, f"{at}/pin")


def test_a_new_pin_is_set_at_meta_and_saved(ann: Browser, road: Road, at: str) -> None:
    ann.confirmed().post(f"{at}/pin", {"pin": "135790"})
    with tenant_scope(road.world.bakery.id):
        assert PhoneNumber.get_or_404(road.number.id).pin == "135790"


def test_another_name_waits_for_meta(ann: Browser, at: str) -> None:
    ann.post(f"{at}/name", {"name": "Best Bakery"})
    ann.post(f"{at}/check")
    assert "Requested: Best Bakery" in text(ann, at)


def test_the_traffic_is_counted_by_week(ann: Browser, road: Road, at: str) -> None:
    road.customer_writes("Hello")
    page = text(ann, f"{at}/traffic")
    assert '<td class="text-end">1</td>' in page
    assert re.search(r'scope="row">\d{1,2} [A-Z][a-z]+ \d{4}</th>', page)


def test_a_number_without_our_access_says_what_to_do(ann: Browser, road: Road, at: str) -> None:
    with tenant_scope(road.world.bakery.id):
        PhoneNumber.get_or_404(road.number.id).waba.token = None
        db.session.flush()
    assert "Connect this number with Facebook again" in text(ann, f"{at}/profile")


def test_a_number_that_does_not_exist_is_not_found(ann: Browser) -> None:
    assert ann.get(f"~/numbers/{uuid.uuid4()}").status_code == 404


def test_a_test_message_goes_to_a_phone_that_wrote(ann: Browser, road: Road, at: str) -> None:
    talk = road.customer_writes("hello", wa_id="16505550142", name="Ann's phone")
    answer = ann.post(f"{at}/trial", {"phone": "+1 (650) 555-0142"})
    assert answer.location.endswith(f"/inbox/{talk.id}")
    road.deliver()
    assert [one["wa_id"] for one in road.meta.accepted()] == ["16505550142"]


def test_a_test_message_goes_to_a_phone_that_whatsapp_spells_otherwise(ann: Browser, road: Road, at: str) -> None:
    talk = road.customer_writes("hello", wa_id="551187654321", name="Ann's phone")
    assert ann.post(f"{at}/trial", {"phone": "+55 11 98765-4321"}).location.endswith(f"/inbox/{talk.id}")


def test_a_phone_that_did_not_write_is_asked_to_first(ann: Browser, road: Road, at: str) -> None:
    answer = ann.post(f"{at}/trial", {"phone": "+1 650 555 0143"})
    assert answer.status_code == 422
    assert "Send hello from this phone first" in answer.get_data(as_text=True)
