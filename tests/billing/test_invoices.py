from __future__ import annotations

import csv
import datetime as dt
import io

import psycopg
import pytest
from flask import Flask
from pypdf import PdfReader
from sqlalchemy import select, update
from sqlalchemy.exc import ProgrammingError

from app.billing.invoices import Close, Corrected, Invoice, InvoiceLine, credit, month_to_close, next_close
from app.billing.ledger import Ledger
from app.billing.money import rounded, share_of, typed
from app.billing.tax import Tax, country_of
from app.costs.invoice_pdf import InvoicePaper
from app.costs.jobs import draw_invoice
from app.costs.months import Words
from app.extensions import outside
from app.inbox.conversations import Message
from app.tenancy import database_now, db, platform_scope, tenant_scope
from tests.billing.books import arrive_and_post, balance, give_plan, owed, priced, problems, reported
from tests.client import Browser
from tests.enqueued import Enqueued
from tests.world import World

OCTOBER, NOVEMBER, DECEMBER = (dt.date(2026, month, 1) for month in (10, 11, 12))
IN_OCTOBER = dt.datetime(2026, 10, 20, tzinfo=dt.UTC).timestamp()


def close(world: World, month: dt.date = NOVEMBER) -> Invoice | None:
    with tenant_scope(world.bakery.id):
        return Close(Ledger()).run(month)


def issued(world: World, month: dt.date = NOVEMBER) -> Invoice:
    invoice = close(world, month)
    assert invoice
    return invoice


def lines(world: World, invoice: Invoice) -> list[InvoiceLine]:
    with tenant_scope(world.bakery.id):
        return Invoice.get_or_404(invoice.id).lines


@pytest.fixture
def charged(world: World, sent: Message) -> World:
    give_plan(world, mode="postpaid", limit_micros=10**12, markup={"marketing": 1_000})
    german = {"recipient_id": "4915112345678"}
    arrive_and_post(
        world,
        reported("delivered", priced()),
        reported("delivered", priced(), wamid="wamid.2"),
        reported("delivered", priced(category="utility"), wamid="wamid.3", **german),
    )
    return world


def test_an_invoice_bills_what_a_month_charged_by_line(charged: World) -> None:
    invoice = issued(charged)
    results = [(line.category, line.country, line.messages, line.micros) for line in lines(charged, invoice)]
    # 2 × 0.0275 and 0.055, each rounded to hundredths, half to the even one.
    assert results == [("utility", "DE", 1, 60_000), ("marketing", "US", 2, 60_000)]
    assert (invoice.number, invoice.net_micros) == ("BAKERY-2026-0001", 120_000)


def test_rounding_is_posted_so_that_the_ledger_agrees_with_the_invoice(charged: World) -> None:
    invoice = issued(charged)
    assert owed(charged) == invoice.net_micros and problems(charged) == []


def test_a_month_is_closed_once(charged: World) -> None:
    issued(charged)
    assert close(charged) is None


def test_a_month_without_charges_has_no_invoice(world: World) -> None:
    give_plan(world)
    assert close(world) is None


def test_what_is_reported_late_is_on_the_next_invoice_and_only_there(charged: World) -> None:
    first = issued(charged)
    arrive_and_post(charged, reported("delivered", priced(), wamid="wamid.late"))
    second = issued(charged, DECEMBER)
    assert [(line.category, line.messages) for line in lines(charged, second)] == [("marketing", 1)]
    assert sum(line.messages for line in lines(charged, first)) == 3


def test_what_is_of_the_next_month_already_waits_for_its_invoice(charged: World) -> None:
    arrive_and_post(charged, reported("delivered", priced(), wamid="wamid.october", at=IN_OCTOBER))
    assert sum(line.messages for line in lines(charged, issued(charged, OCTOBER))) == 1
    assert sum(line.messages for line in lines(charged, issued(charged))) == 3


def test_each_line_opens_down_to_the_messages_that_it_adds_up(charged: World, ann: Browser) -> None:
    invoice = issued(charged)
    arrive_and_post(charged, reported("delivered", priced(), wamid="wamid.late"))
    for line in lines(charged, invoice):
        with tenant_scope(charged.bakery.id):
            results = db.session.scalars(line.journals(Invoice.get_or_404(invoice.id))).all()
        assert (len(results), rounded(sum(each.charged_micros for each in results), "USD")) == (
            line.messages,
            line.micros,
        )
        page = ann.get(f"/t/bakery/costs/invoices/{invoice.id}/lines/{line.id}")
        assert page.status_code == 200 and page.text.count("US$0.0") >= line.messages


def test_a_credit_note_takes_all_of_it_back_once(charged: World) -> None:
    invoice = issued(charged)
    with tenant_scope(charged.bakery.id):
        note = credit(Invoice.get_or_404(invoice.id), reason="wrong plan")
    assert (note.number, note.net_micros, owed(charged)) == ("BAKERY-2026-0002", -120_000, 0)
    with tenant_scope(charged.bakery.id), pytest.raises(Corrected):
        credit(Invoice.get_or_404(invoice.id), reason="again")
    assert problems(charged) == [] and balance(charged).balance_micros == 0


def test_an_issued_invoice_cannot_be_changed(charged: World) -> None:
    issued(charged)
    with pytest.raises(ProgrammingError, match="permission denied"), tenant_scope(charged.bakery.id):
        db.session.execute(update(Invoice).values(net_micros=0))
    with pytest.raises(ProgrammingError, match="permission denied"), platform_scope("tests"):
        db.session.execute(update(InvoiceLine).values(micros=0))


def test_fees_and_corrections_are_lines_of_their_own(charged: World) -> None:
    from app.billing.payments import adjust

    with tenant_scope(charged.bakery.id):
        adjust(20_000, note="goodwill", by="Pat")
        this_month = database_now().date().replace(day=1)
    results = [(line.kind, line.note, line.micros) for line in lines(charged, issued(charged, this_month))]
    assert ("adjustment", "goodwill", -20_000) in results


TAXED = [
    ("DE123456789", "DE", "", Tax(1_900)),
    ("DE123456789", "", "", Tax(1_900)),
    ("DE123456789", "AT", "ATU12345678", Tax(0, "reverse_charge")),
    ("DE123456789", "AT", "", Tax(1_900)),
    ("DE123456789", "AT", "DE123456789", Tax(1_900)),
    ("DE123456789", "US", "", Tax(0, "outside")),
    ("", "DE", "DE123456789", Tax(0)),
]


@pytest.mark.parametrize(("seller", "country", "vat_id", "tax"), TAXED)
def test_who_owes_the_tax(seller: str, country: str, vat_id: str, tax: Tax) -> None:
    assert Tax.between(seller, 1_900, country=country, vat_id=vat_id) == tax


@pytest.mark.parametrize(
    ("vat_id", "country"),
    [
        ("DE123456789", "DE"),
        ("EL123456789", "GR"),
        ("GR123456789", ""),
        ("ATU12345678", "AT"),
        ("NL123456789B01", "NL"),
        ("DE12345678", ""),
        ("XX123", ""),
        ("", ""),
        ("DE12345678٩", ""),
    ],
)
def test_the_shape_of_a_vat_id(vat_id: str, country: str) -> None:
    assert country_of(vat_id) == country


def test_tax_is_charged_with_the_invoice_and_given_back_with_its_credit_note(
    charged: World, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    taxed = outside().settings.model_copy(update={"operator_vat_id": "DE123456789", "operator_vat_rate": 1_900})
    monkeypatch.setattr(outside(), "settings", taxed)
    invoice = issued(charged)
    assert (invoice.tax_rate, invoice.tax_micros) == (1_900, 20_000) and owed(charged, "tax") == -20_000
    with tenant_scope(charged.bakery.id):
        credit(Invoice.get_or_404(invoice.id), reason="wrong")
    assert (owed(charged, "tax"), owed(charged)) == (0, 0)


def test_the_invoice_is_a_page_and_a_csv(charged: World, ann: Browser) -> None:
    invoice = issued(charged)
    page = ann.get(f"/t/bakery/costs/invoices/{invoice.id}").text
    assert "BAKERY-2026-0001" in page and "US$0.12" in page
    text = ann.get(f"/t/bakery/costs/invoices/{invoice.id}/export").data.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["amount"] for row in rows] == ["0.06", "0.06", "0.00", "0.12"]


def test_billing_details_are_checked_and_on_the_next_invoice(charged: World, ann: Browser) -> None:
    form = {"company": "Bakery GmbH", "address": "Ring 1, Wien", "country": "AT", "vat_id": "at u1234 5678"}
    wrong = ann.post("/t/bakery/costs/billing-details", form | {"vat_id": "DE1"})
    assert wrong.status_code == 422 and "VAT id of this country" in wrong.text
    assert ann.post("/t/bakery/costs/billing-details", form).status_code == 303
    assert issued(charged).buyer["vat_id"] == "ATU12345678"


def test_the_country_of_an_address_is_chosen_without_its_calling_code(charged: World, ann: Browser) -> None:
    page = ann.get("/t/bakery/costs/invoices").text
    assert ">Germany</option>" in page and "(+49)" not in page


def test_without_billing_details_an_invoice_is_to_the_business_by_its_name(charged: World, ann: Browser) -> None:
    invoice = issued(charged)
    assert invoice.buyer["name"] == "Bakery"
    assert "Bakery" in ann.get(f"/t/bakery/costs/invoices/{invoice.id}").text.partition("Billed to</h2>")[2]


def test_owners_are_led_to_the_details_before_the_next_invoice(charged: World, ann: Browser) -> None:
    for page in ("/t/bakery/costs", "/t/bakery/costs/invoices"):
        assert "Enter whom it is to" in ann.get(page).text
    ann.post("/t/bakery/costs/billing-details", {"company": "Bakery Ltd", "address": "1 High Street", "country": "FR"})
    assert "Enter whom it is to" not in ann.get("/t/bakery/costs/invoices").text


@pytest.mark.parametrize(
    ("today", "day"),
    [
        (dt.date(2026, 11, 2), dt.date(2026, 11, 3)),
        (dt.date(2026, 11, 3), dt.date(2026, 12, 3)),
        (dt.date(2026, 12, 31), dt.date(2027, 1, 3)),
    ],
)
def test_the_next_invoice_is_issued_on_a_third(today: dt.date, day: dt.date) -> None:
    assert next_close(today) == day


def test_the_console_issues_a_credit_note_with_a_reason(charged: World, pat: Browser) -> None:
    invoice = issued(charged)
    page = f"/platform/tenants/{charged.bakery.id}/invoices/{invoice.id}/credit-note"
    pat.post(page, {"reason": ""})
    pat.post(page, {"reason": "wrong plan"})
    with tenant_scope(charged.bakery.id):
        assert db.session.scalars(select(Invoice.reason).order_by(Invoice.id)).all() == ["", "wrong plan"]
    assert "wrong plan" in pat.get(f"/platform/tenants/{charged.bakery.id}/billing").text


@pytest.mark.parametrize(
    ("today", "month"),
    [(dt.date(2026, 12, 3), NOVEMBER), (dt.date(2026, 12, 2), dt.date(2026, 10, 1)), (dt.date(2027, 1, 3), DECEMBER)],
)
def test_a_month_is_closed_on_the_third_of_the_next(today: dt.date, month: dt.date) -> None:
    assert month_to_close(today) == month


@pytest.mark.parametrize(
    ("micros", "whole"), [(5_000, 0), (15_000, 20_000), (5_001, 10_000), (-5_000, 0), (-15_000, -20_000), (0, 0)]
)
def test_half_a_hundredth_is_rounded_to_the_even_one(micros: int, whole: int) -> None:
    assert rounded(micros, "USD") == whole


def test_shares_and_written_amounts() -> None:
    assert [share_of(micros, 1_250) for micros in (4, 12, 8, 0)] == [0, 2, 1, 0]
    assert [typed(micros) for micros in (0, 1, 62_500, 1_500_000)] == ["0.00", "0.000001", "0.0625", "1.50"]


def test_closing_by_hand_in_the_database_is_detected(charged: World, superuser_url: str) -> None:
    issued(charged)
    with psycopg.connect(superuser_url) as connection:
        connection.execute("update journals set note = 'x' where kind = 'credit'")
    assert problems(charged) != []


def pdf_of(browser: Browser, invoice: Invoice) -> str:
    draw_invoice(str(invoice.tenant_id), str(invoice.id), "en")
    answer = browser.get(f"~/costs/invoices/{invoice.id}/pdf")
    assert answer.content_type == "application/pdf" and f'filename="{invoice.number}.pdf"' in str(answer.headers)
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.data)).pages)


def test_the_pdf_has_every_line_and_the_sums_of_the_page(charged: World, ann: Browser) -> None:
    ann.post("~/costs/billing-details", {"company": "Bäckerei Ωμέγα", "country": "DE", "vat_id": "DE123456789"})
    invoice = issued(charged)
    text = pdf_of(ann, invoice)
    for words in (f"Invoice {invoice.number}", "Bäckerei Ωμέγα", "VAT id DE123456789", "Page 1 of 1"):
        assert words in text
    for words in ("Utility, Germany", "Marketing, United States", "US$0.06", "US$0.12", "+1 555 078 3881"):
        assert words in text


def test_a_pdf_is_drawn_once_and_never_by_a_request(
    charged: World, ann: Browser, enqueued: Enqueued, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoice, address = issued(charged), "~/costs/invoices/{}/pdf"
    assert "costs.draw_invoice" in enqueued.names
    enqueued.clear()
    requested = ann.get(address.format(invoice.id))
    assert requested.status_code == 303 and "costs.draw_invoice" in enqueued.names
    pdf_of(ann, invoice)
    monkeypatch.setattr(InvoicePaper, "draw", pytest.fail)
    draw_invoice(str(charged.bakery.id), str(invoice.id), "en")
    assert ann.get(address.format(invoice.id)).data.startswith(b"%PDF")


def test_the_pdf_says_who_owes_the_tax(charged: World, ann: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    taxed = outside().settings.model_copy(update={"operator_vat_id": "DE123456789", "operator_vat_rate": 1_900})
    monkeypatch.setattr(outside(), "settings", taxed)
    ann.post("~/costs/billing-details", {"company": "Boulangerie", "country": "FR", "vat_id": "FR12345678901"})
    invoice = issued(charged)
    with tenant_scope(charged.bakery.id):
        facts = InvoicePaper.of(Invoice.get_or_404(invoice.id), Words()).facts
    assert facts["totals"][1] == ["Tax: reverse charge, the recipient owes the tax", "US$0.00"]


def test_a_credit_note_to_a_right_to_left_name_has_the_same_figures(charged: World, ann: Browser) -> None:
    name = "شركة مخبز السعادة 24 " + "x" * 99
    ann.post("~/costs/billing-details", {"company": name, "address": "北京", "country": "", "vat_id": ""})
    invoice = issued(charged)
    with tenant_scope(charged.bakery.id):
        note = credit(Invoice.get_or_404(invoice.id), reason="Wrong company")
    text = pdf_of(ann, note)
    for words in (f"Credit note {note.number}", "Wrong company", "-US$0.12", "24", "??"):
        assert words in text


def test_an_invoice_of_many_pages_has_numbers_on_each() -> None:
    row = {"text": "Marketing", "detail": "+1 555", "count": "1", "amount": "US$1.00"}
    party = {"title": "To", "lines": ["Bakery"]}
    facts = {"title": "Invoice 1", "language": "en", "under": [], "parties": [party], "reason": "", "rows": [row] * 90}
    facts |= {"columns": ["Line", "Messages", "Amount"], "totals": [["Total", "US$90.00"]], "notes": []}
    drawn = InvoicePaper(facts | {"page": "Page {page} of {pages}"}).draw()
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(drawn or b"")).pages]
    assert len(pages) > 2 and sum(text.count("US$1.00") for text in pages) == 90
    assert all(f"Page {place} of {len(pages)}" in text for place, text in enumerate(pages, 1))
    assert all("Messages" in text for text in pages)
