"""Invoices, their lines down to messages, and whom they name."""

from __future__ import annotations

import uuid

from flask import Response, abort, flash, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from sqlalchemy import tuple_
from werkzeug.wrappers import Response as AnyResponse

from app.billing.balances import Balance
from app.billing.invoices import BillingDetails, Invoice, InvoiceLine
from app.billing.ledger import Journal
from app.billing.money import typed
from app.costs.blueprint import bp
from app.costs.forms import BillingDetailsForm
from app.costs.invoice_pdf import stored
from app.costs.messages import PAGE, Line, read_place, with_messages
from app.costs.months import Month, Words
from app.spreadsheets import Number, as_csv, csv_download
from app.tenancy import commit, db, later, requires
from app.tenancy.guard import open_when_closed

SHOWN = 100
COLUMNS = ("invoice", "position", "kind", "number", "country", "category", "note", "messages", "amount", "currency")


@bp.get("/invoices")
@requires("costs.read")
def invoices() -> str:
    details = BillingDetails.current()
    return invoices_page(BillingDetailsForm(formdata=None, data=vars_of(details)))


@bp.post("/billing-details")
@requires("costs.manage")
def save_billing_details() -> tuple[str, int] | AnyResponse:
    form = BillingDetailsForm()
    if not form.validate():
        return invoices_page(form), 422
    details = BillingDetails.current()
    for name in ("company", "address", "country", "vat_id"):
        setattr(details, name, form[name].data)
    db.session.add(details)
    flash(_("Saved. The next invoice has these details."))
    return redirect(url_for(".invoices"), 303)


@bp.get("/invoices/<uuid:invoice_id>")
@requires("costs.read")
def invoice(invoice_id: uuid.UUID) -> str:
    chosen = Invoice.get_or_404(invoice_id)
    return render_template("costs/invoice.html", invoice=chosen, words=Words())


@bp.get("/invoices/<uuid:invoice_id>/export")
@requires("costs.read")
@open_when_closed
def export_invoice(invoice_id: uuid.UUID) -> Response:
    """The lines as CSV; the last ones are tax and total."""
    chosen, words = Invoice.get_or_404(invoice_id), Words()
    sheet: list[tuple[object, ...]] = [COLUMNS]
    for line in chosen.lines:
        number = words.of("phone_number_id", str(line.phone_number_id)).lstrip("+") if line.phone_number_id else ""
        about = (chosen.number, line.position, line.kind, number, line.country, line.category, line.note)
        sheet.append((*about, line.messages, signed(line.micros), chosen.currency))
    for name, micros in (("tax", chosen.tax_micros), ("total", chosen.net_micros + chosen.tax_micros)):
        sheet.append((chosen.number, "", name, "", "", "", "", "", signed(micros), chosen.currency))
    return csv_download(chosen.number, [as_csv(sheet)])


@bp.get("/invoices/<uuid:invoice_id>/pdf")
@requires("costs.read")
@open_when_closed
def invoice_pdf(invoice_id: uuid.UUID) -> AnyResponse:
    chosen, language = Invoice.get_or_404(invoice_id), str(get_locale() or "en")
    commit()
    if (drawn := stored(chosen, language)) is None:
        later("costs.draw_invoice", chosen.id, language)
        flash(_("The PDF is being made. Download it in a minute, or print the page."))
        return redirect(url_for(".invoice", invoice_id=chosen.id), 303)
    headers = {"Content-Disposition": f'attachment; filename="{chosen.number}.pdf"'}
    return Response(drawn, content_type="application/pdf", headers=headers)


@bp.get("/invoices/<uuid:invoice_id>/lines/<uuid:invoice_line_id>")
@requires("costs.read")
def invoice_line(invoice_id: uuid.UUID, invoice_line_id: uuid.UUID) -> str:
    """The messages that a line adds up, newest first."""
    chosen, line = Invoice.get_or_404(invoice_id), InvoiceLine.get_or_404(invoice_line_id)
    if line.invoice_id != chosen.id or line.kind != "messages":
        abort(404)
    lines, more = with_journals(chosen, line, request.args.get("before"))
    return render_template(
        "costs/invoice_line.html",
        invoice=chosen,
        line=line,
        lines=lines,
        more=more,
        month=Month(chosen.month),
        words=Words(),
        reason="",
    )


def with_journals(chosen: Invoice, line: InvoiceLine, before: str | None) -> tuple[list[Line], str | None]:
    query = line.journals(chosen)
    if start := read_place(before):
        query = query.where(tuple_(Journal.day, Journal.id) < tuple_(*start))
    journals = db.session.scalars(query.limit(PAGE + 1)).all()
    last = journals[PAGE - 1] if len(journals) > PAGE else None
    return [*with_messages(journals[:PAGE])], f"{last.day}.{last.id}" if last else None


def invoices_page(form: BillingDetailsForm) -> str:
    listed = db.session.scalars(Invoice.newest_first().limit(SHOWN)).all()
    due = BillingDetails.missed_on(Balance.current())
    return render_template("costs/invoices.html", invoices=listed, form=form, due=due)


def vars_of(details: BillingDetails) -> dict[str, str]:
    return {name: getattr(details, name) for name in ("company", "address", "country", "vat_id")}


def signed(micros: int) -> Number:
    return Number(typed(micros) if micros >= 0 else f"-{typed(-micros)}")
