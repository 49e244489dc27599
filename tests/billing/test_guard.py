from __future__ import annotations

import datetime as dt
import json
import re
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from app.billing.balances import Balance
from app.billing.credit_line import CreditLineCheck, CreditLineReading
from app.billing.guard import Exposure, GuardStep
from app.inbox.conversations import Message, NotFunded
from app.team.models import PlatformAdmin
from app.tenancy import db, now, platform_scope, tenant_scope
from app.wabas.credit import CreditLineShare
from app.wabas.models import Waba
from tests.arrivals import graph_answering
from tests.billing.books import arrive_and_post, balance, give_plan, priced, reported
from tests.client import Browser
from tests.simulated import Road
from tests.world import NO_PASSWORD, World


@pytest.fixture
def quinn(app: Any, world: World) -> Browser:
    """A second platform admin."""
    with platform_scope("tests"):
        db.session.add(admin := PlatformAdmin(email="quinn@example.com", name="Quinn", password_hash=NO_PASSWORD))
    return Browser(app).signed_in_as(admin)


def exposures() -> list[Exposure]:
    with platform_scope("tests"):
        return Exposure.all()


def test_exposure_is_what_is_unpaid_and_what_is_held(world: World) -> None:
    give_plan(world, mode="postpaid", limit_micros=90_000_000, balance_micros=-30_000_000, held_micros=2_000_000)
    (mine,) = exposures()
    assert (mine.tenant.name, mine.micros, mine.held_micros) == ("Bakery", 32_000_000, 2_000_000)


def test_of_a_business_without_a_plan_it_is_metas_charges_of_the_month(world: World, sent: Message) -> None:
    arrive_and_post(world, reported("delivered", priced(), at=now().timestamp()))
    assert [each.micros for each in exposures()] == [25_000]


@pytest.mark.parametrize(("owed", "step"), [(50, ""), (80, "warned"), (100, "no_marketing"), (160, "no_paid")])
def test_a_step_is_suggested_by_how_much_of_the_limit_is_used(world: World, owed: int, step: str) -> None:
    give_plan(world, mode="postpaid", limit_micros=100, balance_micros=-owed)
    assert exposures()[0].suggested == step


def step(browser: Browser, world: World, stage: str, reason: str = "three invoices are open") -> Any:
    return browser.post(f"/platform/tenants/{world.bakery.id}/guard", {"stage": stage, "reason": reason})


def steps(world: World) -> list[GuardStep]:
    with tenant_scope(world.bakery.id):
        return list(db.session.scalars(select(GuardStep).order_by(GuardStep.id)))


def test_a_step_has_a_reason_and_an_author(pat: Browser, world: World) -> None:
    give_plan(world)
    assert step(pat, world, "no_marketing").status_code == 303
    (taken,) = steps(world)
    assert (taken.stage, taken.before, taken.by_name, taken.state) == ("no_marketing", "open", "Pat", "done")
    assert balance(world).stage == "no_marketing"
    assert "three invoices are open" in pat.get(f"/platform/tenants/{world.bakery.id}/guard").text


@pytest.mark.parametrize(("stage", "chosen"), [("open", "warned"), ("no_paid", "no_paid")])
def test_a_step_back_is_never_chosen_beforehand(pat: Browser, world: World, stage: str, chosen: str) -> None:
    give_plan(world, stage=stage)
    page = pat.get(f"/platform/tenants/{world.bakery.id}/guard").text
    assert re.findall(r'<input checked [^>]*value="(\w+)"', page) == [chosen]


def test_a_step_without_a_reason_is_refused(pat: Browser, world: World) -> None:
    assert step(pat, world, "no_paid", "").status_code == 422 and steps(world) == []


def test_a_business_without_a_plan_can_be_stopped_too(pat: Browser, road: Road) -> None:
    conversation = road.customer_writes()
    step(pat, road.world, "revoked")
    road.reply(conversation, "not revoked yet")
    with tenant_scope(road.world.bakery.id):
        db.session.scalars(select(Balance)).one().stage = "revoked"
    with pytest.raises(NotFunded):
        road.reply(conversation, "too late")


def test_going_back_lets_messages_go_again(pat: Browser, world: World) -> None:
    give_plan(world)
    step(pat, world, "no_paid")
    step(pat, world, "open", "paid")
    assert balance(world).stage == "open"


def share(world: World) -> None:
    world.connect_numbers()
    with tenant_scope(world.bakery.id):
        CreditLineShare.record(db.session.scalars(select(Waba)).one(), "1", "77", "USD")


def answer(request: httpx.Request) -> httpx.Response:
    calls.append((request.method, request.url.path))
    if request.method == "DELETE":
        return httpx.Response(200, json={"success": True})
    return httpx.Response(200, json={"id": "77", "request_status": "APPROVED"})


calls: list[tuple[str, str]] = []


def test_revoking_waits_for_a_second_admin_and_then_ends_the_share(pat: Browser, quinn: Browser, world: World) -> None:
    calls.clear()
    share(world)
    graph_answering(answer)
    step(pat, world, "revoked")
    (waiting,) = steps(world)
    approval = f"/platform/tenants/{world.bakery.id}/guard/{waiting.id}/approval"
    assert "Approve and revoke" not in pat.get(f"/platform/tenants/{world.bakery.id}/guard").text
    assert "Approve and revoke" in quinn.get(f"/platform/tenants/{world.bakery.id}/guard").text
    pat.post(approval)
    assert steps(world)[0].state == "waiting" and balance(world).stage == "open"
    quinn.post(approval)
    assert (steps(world)[0].state, balance(world).stage) == ("revoking", "revoked")
    for _ in range(2):
        with tenant_scope(world.bakery.id):
            GuardStep.get_or_404(waiting.id).revoke()
    assert [path for method, path in calls if method == "DELETE"] == ["/v25.0/77"]
    assert (steps(world)[0].state, steps(world)[0].approved_by_name) == ("done", "Quinn")


def test_what_meta_refuses_stays_to_be_done(pat: Browser, quinn: Browser, world: World) -> None:
    share(world)
    graph_answering(lambda _: httpx.Response(400, json={"error": {"code": 10, "message": "No permission"}}))
    step(pat, world, "revoked")
    (waiting,) = steps(world)
    quinn.post(f"/platform/tenants/{world.bakery.id}/guard/{waiting.id}/approval")
    with tenant_scope(world.bakery.id):
        GuardStep.get_or_404(waiting.id).revoke()
    assert steps(world)[0].state == "revoking" and steps(world)[0].error


def test_a_withdrawn_step_cannot_be_approved(pat: Browser, quinn: Browser, world: World) -> None:
    step(pat, world, "revoked")
    (waiting,) = steps(world)
    page = f"/platform/tenants/{world.bakery.id}/guard/{waiting.id}"
    pat.post(f"{page}/withdrawal")
    quinn.post(f"{page}/approval")
    assert (steps(world)[0].state, balance(world).stage) == ("withdrawn", "open")


def test_the_page_says_what_revoking_hits_also_of_others(pat: Browser, world: World) -> None:
    world.connect_numbers()
    with platform_scope("tests"):
        for waba in db.session.scalars(select(Waba)):
            waba.owner_business_id = "555"
    page = pat.get(f"/platform/tenants/{world.bakery.id}/guard").text
    assert "102290129340398" in page and "202290129340398" in page and "of Shoes" in page


def line(used: int, most: int = 1_000) -> Any:
    amount = {"amount_in_hundredths": str(used * 100), "currency": "USD"}
    limit = {"amount_in_hundredths": str(most * 100), "currency": "USD"}
    return lambda _: httpx.Response(200, content=json.dumps({"id": "1", "balance": amount, "max_balance": limit}))


def readings() -> list[CreditLineReading]:
    with platform_scope("tests"):
        return list(db.session.scalars(select(CreditLineReading).order_by(CreditLineReading.at)))


@pytest.mark.parametrize(("used", "level"), [(700, 0), (800, 1), (950, 2), (1_100, 2)])
def test_the_line_alarms_before_it_is_over(world: World, used: int, level: int) -> None:
    graph_answering(line(used))
    CreditLineCheck().run()
    assert [each.alarmed for each in readings()] == [level]


def test_what_is_held_counts_as_used(world: World) -> None:
    give_plan(world, held_micros=150_000_000)
    graph_answering(line(700))
    CreditLineCheck().run()
    assert readings()[0].left_percent == 15


def test_the_pace_of_a_day_alarms_too(world: World) -> None:
    with platform_scope("tests"):
        early = CreditLineReading(currency="USD", at=now() - dt.timedelta(hours=10), held_micros=0)
        early.used_micros, early.most_micros = 0, 1_000_000_000
        db.session.add(early)
    graph_answering(line(300))
    CreditLineCheck().run()
    with platform_scope("tests"):
        latest = CreditLineReading.latest()
        assert latest and (latest.hours_left, latest.alarmed) == (23, 1)


@pytest.mark.parametrize(("used", "words"), [(300, "lasts 23 hours"), (50, "lasts 7 days"), (1, "more than a year")])
def test_what_is_left_is_shown_in_hours_then_in_days(world: World, pat: Browser, used: int, words: str) -> None:
    with platform_scope("tests"):
        early = CreditLineReading(currency="USD", at=now() - dt.timedelta(hours=10), held_micros=0)
        early.used_micros, early.most_micros = 0, 1_000_000_000
        db.session.add(early)
    graph_answering(line(used))
    CreditLineCheck().run()
    assert words in pat.get("/platform/exposure").text


def test_admins_are_mailed_once_a_day(world: World) -> None:
    graph_answering(line(850))
    CreditLineCheck().run()
    CreditLineCheck().run()
    assert [each.alarmed for each in readings()] == [1, 0]


def test_the_console_shows_the_line_and_the_businesses(pat: Browser, world: World) -> None:
    give_plan(world, mode="postpaid", limit_micros=90_000_000, balance_micros=-30_000_000)
    graph_answering(line(850))
    CreditLineCheck().run()
    page = pat.get("/platform/exposure").text
    assert "(15%)" in page and 'value="15"' in page and "Bakery" in page and "US$30.00" in page
