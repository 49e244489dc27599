from __future__ import annotations

import datetime as dt
import json
import uuid

import pytest
import structlog
from sqlalchemy import insert

from app.billing.usage import Usage
from app.inbox.conversations import Message
from app.onboarding.models import Onboarding
from app.onboarding.trouble import Trouble
from app.team import passwords
from app.tenancy import Tenant, db, now, platform_scope, tenant_scope
from app.wabas.models import PhoneNumber
from app.webhook_events.models import HeldChange, WebhookEvent
from tests.client import Browser
from tests.world import World, conversation

PAGES = ["/platform/", "/platform/tenants", "/platform/held-changes"]
OUR_TROUBLE = Trouble(
    "Credit line refused.", "Ours to fix.", hint="Accept the terms.", details="(#200) No terms", code=200
)


@pytest.fixture
def failed(world: World) -> Onboarding:
    """Bakery's attempt, stuck at the credit line."""
    with tenant_scope(world.bakery.id):
        onboarding = Onboarding.begin(by=world.ann)
        for name in ("code_exchanged", "token_inspected", "assets_confirmed", "webhooks_subscribed"):
            onboarding.step(name).finish()
        onboarding.step("system_user_assigned").finish()
        onboarding.fail(onboarding.step("credit_line_shared"), OUR_TROUBLE)
    return onboarding


def retry(browser: Browser, onboarding: Onboarding, **form: str) -> int:
    path = f"/platform/tenants/{onboarding.tenant_id}/onboardings/{onboarding.id}/steps/credit_line_shared/retry"
    return browser.post(path, form).status_code


@pytest.mark.parametrize("path", PAGES)
def test_only_admins_get_in(ann: Browser, sue: Browser, browser: Browser, path: str) -> None:
    for somebody in (ann, sue, browser):
        answer = somebody.get(path)
        assert answer.status_code == 303
        assert answer.location.startswith("/platform/sign-in")


@pytest.mark.parametrize("path", PAGES)
def test_an_admin_sees_every_page(pat: Browser, path: str) -> None:
    assert pat.get(path).status_code == 200


def test_a_tenants_page_stays_closed_to_an_admin(pat: Browser) -> None:
    assert pat.get("/t/bakery/numbers").status_code == 303


def test_an_admin_signs_in_with_a_password(browser: Browser, world: World) -> None:
    with platform_scope("tests"):
        db.session.merge(world.pat).password_hash = passwords.hash_password("three unrelated words")
    form = {"email": "pat@example.com", "password": "three unrelated words"}
    assert browser.post("/platform/sign-in", form).location == "/platform/"
    assert browser.get("/platform/").status_code == 200


def test_a_tenants_owner_is_no_admin(browser: Browser, world: World) -> None:
    answer = browser.post("/platform/sign-in", {"email": "ann@example.com", "password": "three unrelated words"})
    assert answer.status_code == 422


def test_signing_out_ends_it(pat: Browser) -> None:
    pat.post("/platform/sign-out")
    assert pat.get("/platform/").status_code == 303


def test_after_signing_in_one_stays_in_the_console(pat: Browser) -> None:
    for target in ("//evil.example", "https://evil.example", "/t/bakery/"):
        assert pat.get("/platform/sign-in", query_string={"next": target}).location == "/platform/"


def test_the_board_begins_with_who_is_stuck_and_the_fix(pat: Browser, failed: Onboarding) -> None:
    page = pat.get("/platform/").get_data(as_text=True)
    assert page.index("Bakery") < page.index("Right now")
    for word in ("Credit line refused.", "Accept the terms.", "(#200) No terms"):
        assert word in page


def test_who_got_through_later_is_not_on_the_board(pat: Browser, world: World, failed: Onboarding) -> None:
    with tenant_scope(world.bakery.id):
        Onboarding.begin(by=world.ann).state = "connected"
    assert "Credit line refused." not in pat.get("/platform/").get_data(as_text=True)


def test_the_board_counts(pat: Browser, world: World) -> None:
    world.connect_numbers()
    with platform_scope("tests"):
        db.session.execute(insert(WebhookEvent).values(body=b"{}"))
        hold(kind="failed")
    page = " ".join(pat.get("/platform/").get_data(as_text=True).split())
    assert "Oldest received" in page
    assert "Failed webhooks" in page


def hold(kind: str = "unreadable", payload: bytes = b"{}") -> None:
    row = HeldChange(webhook_event_id=1, kind=kind, reason="not JSON", field="messages", payload=payload)
    db.session.add(row)


def test_held_changes_are_shown_without_their_words(pat: Browser) -> None:
    payload = json.dumps({"from": "16505551234", "text": {"body": "my secret wish"}}).encode()
    with platform_scope("tests"):
        hold(payload=payload)
    page = pat.get("/platform/held-changes").get_data(as_text=True)
    assert "from, text" in page
    assert "my secret wish" not in page
    assert "16505551234" not in page


def test_older_held_changes_are_on_the_next_page(pat: Browser) -> None:
    with platform_scope("tests"):
        for _ in range(51):
            hold()
    assert "?before=" in pat.get("/platform/held-changes").get_data(as_text=True)


def test_tenants_are_found_by_name(pat: Browser, world: World) -> None:
    page = pat.get("/platform/tenants?q=baK").get_data(as_text=True)
    assert "Bakery" in page
    assert "Shoes" not in page


@pytest.mark.parametrize("typed", ["cafe", "CAFÉ", "Cafe\u0301", "ｃａｆé"])
def test_tenants_are_found_in_other_letters_for_the_same_word(pat: Browser, world: World, typed: str) -> None:
    with platform_scope("tests"):
        db.session.add(Tenant(slug="cafe", name="Café Zoë"))
    assert "Café Zoë" in pat.get("/platform/tenants", query_string={"q": typed}).get_data(as_text=True)


def test_the_list_counts_members_and_numbers_of_each(pat: Browser, world: World) -> None:
    world.connect_numbers()
    with platform_scope("tests"):
        db.session.add(Tenant(slug="cafe", name="Café"))
    page = " ".join(pat.get("/platform/tenants").get_data(as_text=True).split())
    bakery, cafe, shoes = page.split("<li ")[-3:]
    assert "2 members · 1 number ·" in bakery
    assert "0 members · 0 numbers ·" in cafe
    assert "1 member · 1 number ·" in shoes


def test_a_search_takes_signs_as_they_are(pat: Browser, world: World) -> None:
    assert "has “%” in its name" in pat.get("/platform/tenants?q=%25").get_data(as_text=True)


def test_tenants_are_paged_by_name(pat: Browser, world: World) -> None:
    with platform_scope("tests"):
        db.session.add_all(Tenant(slug=f"t{n}", name=f"A{n:03}") for n in range(60))
    first = pat.get("/platform/tenants").get_data(as_text=True)
    after = first.partition("?after=")[2].partition('"')[0]
    second = pat.get(f"/platform/tenants?after={after}").get_data(as_text=True)
    assert "A049" in first
    assert "A050" in second
    assert "A049" not in second


def test_a_tenants_page_tells_numbers_and_attempts(pat: Browser, world: World, failed: Onboarding) -> None:
    world.connect_numbers()
    page = pat.get(f"/platform/tenants/{world.bakery.id}").get_data(as_text=True)
    for word in ("2 members", "+1 555 078 3881", "Credit line refused.", "Retry for them"):
        assert word in page
    assert "+1 555 078 3882" not in page


def test_an_unknown_tenant_is_not_found(pat: Browser) -> None:
    assert pat.get(f"/platform/tenants/{uuid.uuid4()}").status_code == 404


def test_what_customers_write_is_nowhere_in_the_console(pat: Browser, world: World) -> None:
    number, _ = world.connect_numbers()
    talk = conversation(number)
    with tenant_scope(world.bakery.id):
        message = Message(conversation_id=talk.id, phone_number_id=number.id, direction="inbound", state="received")
        message.body = "my secret wish"
        db.session.add(message)
    for path in [*PAGES, f"/platform/tenants/{world.bakery.id}"]:
        assert "my secret wish" not in pat.get(path).get_data(as_text=True)


def test_an_admin_retries_a_step_for_a_tenant(pat: Browser, failed: Onboarding, world: World) -> None:
    assert retry(pat, failed, reason="Terms accepted") == 303
    with tenant_scope(world.bakery.id):
        again = Onboarding.get_or_404(failed.id)
        assert again.state == "running"
        assert again.step("credit_line_shared").retried_by == "Pat of Switchboard"


def test_it_takes_a_reason(pat: Browser, failed: Onboarding, world: World) -> None:
    assert retry(pat, failed, reason="  ") == 422
    with tenant_scope(world.bakery.id):
        assert Onboarding.get_or_404(failed.id).state == "failed"


def test_it_is_logged_with_who_and_why(pat: Browser, failed: Onboarding, world: World) -> None:
    with structlog.testing.capture_logs() as log:
        retry(pat, failed, reason="Terms accepted")
    entry = next(entry for entry in log if entry["event"] == "step retried for a tenant")
    assert (entry["admin_id"], entry["reason"]) == (str(world.pat.id), "Terms accepted")


def test_whatever_is_opened_is_logged(pat: Browser, world: World) -> None:
    with structlog.testing.capture_logs() as log:
        pat.get(f"/platform/tenants/{world.bakery.id}")
    assert any(entry.get("seen") == {"tenant_id": str(world.bakery.id)} for entry in log)


def test_no_one_else_retries(ann: Browser, failed: Onboarding) -> None:
    assert retry(ann, failed, reason="please") == 303
    with tenant_scope(failed.tenant_id):
        assert Onboarding.get_or_404(failed.id).state == "failed"


def test_an_attempt_is_found_only_under_its_own_tenant(pat: Browser, failed: Onboarding, world: World) -> None:
    path = f"/platform/tenants/{world.shoes.id}/onboardings/{failed.id}/steps/credit_line_shared/retry"
    assert pat.post(path, {"reason": "x"}).status_code == 404


def test_a_tenants_page_shows_members_and_their_last_sign_in(pat: Browser, ann: Browser, world: World) -> None:
    page = " ".join(pat.get(f"/platform/tenants/{world.bakery.id}").text.split())
    assert "ann@example.com" in page and "ben@example.com" in page and "sue@example.com" not in page
    assert page.count("last sign-in") == 1 and page.count("not signed in") == 1


def test_a_tenants_page_shows_this_months_usage(pat: Browser, world: World) -> None:
    bakery, shoes = world.connect_numbers()
    month = now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    for number, at, micros in (
        (bakery, month, 50_000),
        (bakery, now(), 25_000),
        (bakery, now(), None),
        (bakery, month - dt.timedelta(days=1), 7_000),
        (shoes, now(), 90_000),
    ):
        charge(number, at, micros)
    page = " ".join(pat.get(f"/platform/tenants/{world.bakery.id}").text.split())
    assert "3 messages · US$0.08" in page and "1 without a known price" in page


def charge(number: PhoneNumber, at: dt.datetime, micros: int | None) -> None:
    with tenant_scope(number.tenant_id):
        usage = Usage(phone_number_id=number.id, wamid=uuid.uuid4().hex, arrived_at=at, category="marketing")
        usage.currency, usage.micros, usage.unknown = "USD", micros, "" if micros else "no_rate"
        db.session.add(usage)


def test_a_tenants_page_shows_yesterdays_failures(pat: Browser, world: World) -> None:
    bakery, _ = world.connect_numbers()
    talk = conversation(bakery)
    with tenant_scope(world.bakery.id):
        message = Message(conversation_id=talk.id, phone_number_id=bakery.id, direction="outbound", state="failed")
        message.error = {"title": "Too many messages.", "code": 131056}
        db.session.add(message)
    assert "Too many messages." in pat.get(f"/platform/tenants/{world.bakery.id}").text
    assert "No message failed." in pat.get(f"/platform/tenants/{world.shoes.id}").text


def test_an_error_page_has_the_navigation(pat: Browser, ben: Browser, world: World) -> None:
    for address in (f"/platform/tenants/{uuid.uuid4()}", "/platform/nonsense"):
        answer = pat.get(address)
        assert answer.status_code == 404 and 'href="/platform/tenants"' in answer.text
    for address, status in (
        (f"/t/bakery/inbox/{uuid.uuid4()}", 404),
        ("/t/bakery/nonsense", 404),
        ("/t/bakery/hours/", 403),
    ):
        answer = ben.get(address)
        assert answer.status_code == status and 'href="/t/bakery/inbox/"' in answer.text


def test_a_stranger_sees_nothing_of_a_tenant_around_an_error(sue: Browser, browser: Browser, world: World) -> None:
    for somebody in (sue, browser):
        for address in ("/t/bakery/nonsense", "/platform/nonsense"):
            answer = somebody.get(address)
            assert answer.status_code == 404 and "Bakery" not in answer.text and "/platform/tenants" not in answer.text
