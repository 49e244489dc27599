"""Meta's monthly invoice beside our ledger: what the API has of it, its lines from a file, and what differs."""

from __future__ import annotations

import datetime as dt
import io
import pathlib
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.billing.jobs import compare_account, compare_report, fetch_meta_invoices
from app.billing.meta_invoices import InvoiceComparison, MetaInvoice, MetaReport, read_report
from app.billing.price_lists import Unusable
from app.inbox.conversations import Message
from app.meta.business_invoices import read
from app.tenancy import db, now, platform_scope, tenant_scope
from app.wabas.models import Waba
from tests.billing.books import arrive_and_post, owed, post, priced, reported
from tests.client import Browser
from tests.enqueued import Enqueued
from tests.simulated import Road
from tests.world import World

HEAD = "waba_id,country,category,messages,amount,currency"
NOVEMBER = dt.date(2026, 11, 1)


def open_differences(world: World) -> list[InvoiceComparison]:
    with tenant_scope(world.bakery.id):
        query = select(InvoiceComparison).where(InvoiceComparison.state == "open")
        return list(db.session.scalars(query.order_by(InvoiceComparison.country, InvoiceComparison.category)))


def account(world: World) -> Waba:
    with tenant_scope(world.bakery.id):
        return db.session.scalars(select(Waba)).one()


def load(world: World, *lines: str, month: dt.date = NOVEMBER) -> list[InvoiceComparison]:
    """Loads a report with these lines after the account's id, compares, and returns the differences."""
    waba = account(world)
    with platform_scope("tests"):
        MetaReport.load(month, read_report([HEAD, *(f"{waba.meta_id},{line}" for line in lines)]), by_name="Pat")
    compare_account(str(world.bakery.id), str(waba.id), month.isoformat())
    return open_differences(world)


def test_three_planted_differences_of_an_invoice_are_found_and_nothing_else(road: Road, pat: Browser) -> None:
    """Through Meta as it is simulated: its invoice by API, its report as a file."""
    month = charge_four_replies(road)
    about = {"phone_number_id": road.number.meta_id, "month": month}
    road.meta.post("invoice-differences", **about, country="US", category="service", volume=1, amount=0.0034)
    road.meta.post("invoice-differences", **about, country="BR", category="marketing", volume=2, amount=0.125)
    road.meta.post("invoice-differences", **about, country="DE", category="service", volume=0, amount=1)
    upload_report(road, pat, month)
    results = {(each.country, each.category, each.metas - each.ours) for each in open_differences(road.world)}
    assert results == {("US", "service", 1), ("BR", "marketing", 2), ("DE", "service", 0)}
    fetch_meta_invoices()
    with platform_scope("tests"):
        (invoice,) = MetaInvoice.of_month(dt.date.fromisoformat(f"{month}-01"))
    assert invoice.micros == 1_140_000  # 4 + 1 replies at 0.0034, 0.125 and 1, in hundredths


def test_without_planted_differences_an_invoice_agrees_with_the_ledger(road: Road, pat: Browser) -> None:
    month = charge_four_replies(road)
    upload_report(road, pat, month)
    assert open_differences(road.world) == [] and owed(road.world, "payable") == -4 * 3_400
    assert "Meta charges what our ledgers have" in pat.get(f"/platform/meta-invoices?month={month}").text


def charge_four_replies(road: Road) -> str:
    """The month in which they are charged, in the account's zone."""
    with tenant_scope(road.world.bakery.id):
        waba = db.session.scalars(select(Waba)).one()
        waba.time_zone = "America/Los_Angeles"
    road.meta.post("free-messages", phone_number_id=road.number.meta_id, used=1000)
    conversation = road.customer_writes()
    sent = [road.reply(conversation, str(n)) for n in range(4)]
    road.deliver()
    road.until(lambda: all(road.state_of(each) == "delivered" for each in sent))
    post(road.world)
    return now().astimezone(waba.zone).strftime("%Y-%m")


def upload_report(road: Road, pat: Browser, month: str) -> None:
    report = road.meta.client.get(f"/control/api/invoice-reports/{month}").content
    answer = upload(pat, report, month)
    assert answer.status_code == 303
    compare_account(str(road.world.bakery.id), str(account(road.world).id), f"{month}-01")


def upload(pat: Browser, content: bytes, month: str = "2026-11") -> Any:
    data = {"month": month, "file": (io.BytesIO(content), "report.csv")}
    return pat.post("/platform/meta-invoices/reports", data, content_type="multipart/form-data")


def test_rounding_to_hundredths_is_no_difference_and_more_is(world: World, sent: Message) -> None:
    arrive_and_post(world, reported("delivered", priced()))
    assert load(world, "US,MARKETING,1,0.03,USD") == []
    assert len(load(world, "US,MARKETING,1,0.04,USD")) == 1


def test_a_month_is_the_account_s(world: World, sent: Message) -> None:
    with tenant_scope(world.bakery.id):
        db.session.scalars(select(Waba)).one().time_zone = "Pacific/Auckland"
    first_hour = dt.datetime(2026, 10, 31, 11, 30, tzinfo=dt.UTC).timestamp()
    arrive_and_post(world, reported("delivered", priced(), at=first_hour))
    assert load(world, "US,marketing,1,0.025,USD") == []


def test_what_is_on_one_side_alone_is_a_difference(world: World, sent: Message) -> None:
    arrive_and_post(world, reported("delivered", priced()))
    results = load(world, "DE,utility,3,0.165,USD")
    assert [(each.country, each.ours, each.metas) for each in results] == [("DE", 0, 3), ("US", 1, 0)]


def test_a_newer_report_replaces_the_one_before(world: World, sent: Message) -> None:
    arrive_and_post(world, reported("delivered", priced()))
    assert len(load(world, "US,marketing,2,0.05,USD", "FR,service,1,0.03,USD")) == 2
    assert load(world, "US,marketing,1,0.025,USD") == []


def test_an_explained_difference_of_an_invoice_is_listed_again_once_its_figures_change(
    world: World, sent: Message, pat: Browser
) -> None:
    (results,) = load(world, "US,marketing,2,0.05,USD")
    page = f"/platform/tenants/{world.bakery.id}/meta-invoices/{results.id}"
    assert pat.post(f"{page}/explanation", {"reason": ""}).status_code == 422
    pat.post(f"{page}/explanation", {"reason": "a webhook was lost"})
    assert "a webhook was lost" in pat.get("/platform/meta-invoices?month=2026-11").text
    assert load(world, "US,marketing,2,0.05,USD") == [] and len(load(world, "US,marketing,3,0.075,USD")) == 1


def test_a_difference_opens_down_to_its_messages(world: World, sent: Message, pat: Browser) -> None:
    arrive_and_post(world, reported("delivered", priced()))
    (results,) = load(world, "US,marketing,2,0.05,USD")
    assert "wamid.hello" in pat.get(f"/platform/tenants/{world.bakery.id}/meta-invoices/{results.id}").text


def test_accounts_that_no_tenant_has_are_listed(world: World, sent: Message, pat: Browser) -> None:
    assert upload(pat, f"{HEAD}\n999000111,US,marketing,7,0.175,USD\n".encode()).status_code == 303
    page = pat.get("/platform/meta-invoices?month=2026-11").text
    assert "999000111" in page and "7 messages" in page


def test_every_account_is_compared_once_a_report_is_loaded(
    world: World, sent: Message, pat: Browser, enqueued: Enqueued
) -> None:
    upload(pat, f"{HEAD}\n999000111,US,marketing,7,0.175,USD\n".encode())
    assert enqueued.names.count("billing.compare_report") == 1
    compare_report("2026-11-01")
    assert "billing.compare_account" in enqueued.names


WRONG = {
    "no header": b"1,US,marketing,1,0.1,USD",
    "no lines": HEAD.encode(),
    "no account": f"{HEAD}\nx,US,marketing,1,0.1,USD".encode(),
    "no amount": f"{HEAD}\n1,US,marketing,1,much,USD".encode(),
    "an absurd amount": f"{HEAD}\n1,US,marketing,1,{'9' * 40},USD".encode(),
    "half a message": f"{HEAD}\n1,US,marketing,1.5,0.1,USD".encode(),
    "no currency": f"{HEAD}\n1,US,marketing,1,0.1,dollars".encode(),
    "no text": b"\xff\xfe\x00",
    "NUL": f"{HEAD}\n1,US,mark\x00,1,0.1,USD".encode(),
    "a field without an end": f'{HEAD}\n1,US,"marketing,1,0.1,USD'.encode() + b"x" * 200_000,
    "too large": b"x" * 260_000,
}


@pytest.mark.parametrize("content", WRONG.values(), ids=WRONG.keys())
def test_a_wrong_report_loads_nothing_and_says_why(world: World, pat: Browser, content: bytes) -> None:
    answer = upload(pat, content)
    assert answer.status_code == 422 and 'id="file-problems"' in answer.text
    with platform_scope("tests"):
        assert MetaReport.of_month(NOVEMBER) is None


def test_columns_may_be_in_any_order_and_among_others() -> None:
    (line,) = read_report(["Currency,Amount,x,Messages,Category,Country,WABA_ID", "usd,-1.5,?,-2,Auth-X,us,12"])
    assert (line.waba_id, line.micros, line.messages, line.category) == ("12", -1_500_000, -2, "auth_x")


def test_a_report_is_loaded_from_the_command_line_too(app: Flask, tmp_path: pathlib.Path) -> None:
    file = tmp_path / "report.csv"
    file.write_text(f"{HEAD}\n12,US,marketing,1,0.025,USD\n")
    command = ["ledger", "meta-report", str(file), "--month", "2026-11"]
    assert "1 lines for November 2026" in app.test_cli_runner().invoke(args=command).output
    file.write_text("nothing")
    assert app.test_cli_runner().invoke(args=command).exit_code == 1


@pytest.mark.parametrize(
    ("item", "month", "amount"),
    [
        ({"billing_period": "2026-11-01 - 2026-11-30", "amount": "1,234.50"}, NOVEMBER, Decimal("1234.50")),
        ({"invoice_date": "2026-12-01T00:00:00+0000", "amount": {"amount": "7", "currency": "EUR"}}, NOVEMBER, 7),
    ],
)
def test_what_the_api_says_of_an_invoice_is_read_in_each_of_its_shapes(
    item: dict[str, Any], month: dt.date, amount: Decimal
) -> None:
    invoice = read({"id": "1"} | item)
    assert invoice and (invoice.month, invoice.amount) == (month, amount)


@pytest.mark.parametrize("item", [{}, {"id": "1"}, {"id": "1", "billing_period": "2026-11", "amount": "NaN"}])
def test_an_invoice_that_cannot_be_read_is_left_out(item: dict[str, Any]) -> None:
    assert read(item) is None


def test_wrong_lines_are_all_named() -> None:
    with pytest.raises(Unusable) as error:
        read_report([HEAD, "x", "1,US,marketing,1,0.1,USD", "2,USA,marketing,1,0.1,USD"])
    assert [problem.partition(":")[0] for problem in error.value.problems] == ["line 2", "line 4"]


def test_of_a_file_of_wrong_lines_the_first_are_named() -> None:
    with pytest.raises(Unusable) as wrong:
        read_report([HEAD, *["x"] * 5_000])
    assert len(wrong.value.problems) == 200


@pytest.mark.parametrize("month", ["0001-01", "9999-12", "2026-13"])
def test_a_month_without_a_neighbour_is_the_last_one(world: World, pat: Browser, month: str) -> None:
    assert pat.get(f"/platform/meta-invoices?month={month}").status_code == 200
