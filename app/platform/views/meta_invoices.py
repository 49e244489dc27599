"""What Meta has invoiced, beside the ledgers: invoices by API, their lines from a file, and what differs."""

from __future__ import annotations

import contextlib
import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

import structlog
from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy import Row, Select, func, select
from werkzeug.wrappers import Response as AnyResponse

from app.billing.meta_invoices import InvoiceComparison, MetaInvoice, MetaReport, month_after, read_report
from app.billing.money import Money
from app.billing.price_lists import Unusable
from app.billing.rate_cards import day_of
from app.platform.blueprint import bp
from app.platform.forms import ReasonForm
from app.tenancy import Tenant, db, in_menu, later, now, platform_only, takes_files
from app.wabas.models import PhoneNumber, Waba
from app.words import N_

log = structlog.get_logger()
SHOWN = 200
# Larger files are loaded with `flask ledger meta-report`.
MOST_BYTES = 250_000
# Of a file with many wrong lines.
PROBLEMS_SHOWN = 20
# No business has sent anything before.
FIRST = dt.date(2000, 1, 1)


@bp.get("/meta-invoices")
@in_menu("console", N_("Meta's invoices"), "receipt-text", order=87)
@platform_only
def meta_invoices() -> str:
    return invoices_page(month_of(request.args.get("month", "")))


@bp.post("/meta-invoices/reports")
@platform_only
@takes_files(MOST_BYTES + 20_000)
def load_meta_report() -> tuple[str, int] | AnyResponse:
    month, file = month_of(request.form.get("month", "")), request.files.get("file")
    try:
        lines = read_report(text_of(file).splitlines())
    except Unusable as unusable:
        return invoices_page(month, problems=unusable.problems), 422
    MetaReport.load(month, lines, by_name=current_user.name)
    later("billing.compare_report", month)
    log.info("report of Meta loaded", admin_id=str(current_user.id), month=str(month), lines=len(lines))
    flash(_("Saved. It is being compared with the ledgers; reload this page in a minute."))
    return redirect(url_for(".meta_invoices", month=month.strftime("%Y-%m")), 303)


def text_of(file: Any) -> str:
    """Raises `Unusable`."""
    if file is None or not file.filename:
        raise Unusable([_("Choose a file first.")])
    with contextlib.closing(file):
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise Unusable([_("The file is too large for this page. Load it with flask ledger meta-report.")])
    try:
        return str(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise Unusable([_("The file is no text in UTF-8.")]) from None


def month_of(written: str) -> dt.date:
    """The last month where nothing that is one is written, or one before there were invoices or far ahead."""
    last = (day_of(now()).replace(day=1) - dt.timedelta(days=1)).replace(day=1)
    try:
        month = dt.datetime.strptime(written, "%Y-%m").date()  # noqa: DTZ007  (a month, not a moment)
    except ValueError:
        return last
    return month if FIRST <= month <= month_after(month_after(last)) else last


@dataclass(frozen=True)
class Sums:
    """Of a month in one currency: what Meta's API invoices, what its report and our ledgers add up to."""

    currency: str
    invoiced: Money | None
    reported: Money | None
    ours: Money | None

    @classmethod
    def of_month(cls, month: dt.date, report: MetaReport | None) -> list[Sums]:
        invoiced: dict[str, int] = {}
        for each in MetaInvoice.of_month(month):
            invoiced[each.currency] = invoiced.get(each.currency, 0) + each.micros
        reported = {money.currency: money.micros for money in report.totals} if report else {}
        total = select(InvoiceComparison.currency, func.sum(InvoiceComparison.ours_micros))
        rows = db.session.execute(total.where(InvoiceComparison.month == month).group_by(InvoiceComparison.currency))
        ours = {currency: int(micros) for currency, micros in rows}

        def money(amounts: dict[str, int], currency: str) -> Money | None:
            return Money(amounts[currency], currency) if currency in amounts else None

        return [
            cls(each, money(invoiced, each), money(reported, each), money(ours, each))
            for each in sorted({*invoiced, *reported, *ours} - {""})
        ]


def invoices_page(month: dt.date, problems: list[str] | None = None) -> str:
    report = MetaReport.of_month(month)
    state = InvoiceComparison.month == month, InvoiceComparison.state
    return render_template(
        "platform/meta_invoices.html",
        month=month,
        before=(month - dt.timedelta(days=1)).replace(day=1),
        after=month_after(month),
        invoices=MetaInvoice.of_month(month),
        report=report,
        strangers=[Stranger.of(row) for row in report.strangers] if report else [],
        sums=Sums.of_month(month, report),
        count=db.session.scalar(select(func.count()).where(state[0], state[1] == "open")),
        differences=db.session.execute(with_owner(state[0], state[1] == "open")).all(),
        explained=db.session.execute(with_owner(state[0], state[1] == "explained")).all(),
        problems=(problems or [])[:PROBLEMS_SHOWN],
    )


@dataclass(frozen=True)
class Stranger:
    """An account on the report that no business here has connected."""

    waba_id: str
    messages: int
    money: Money

    @classmethod
    def of(cls, row: Row[str, str, int, int]) -> Stranger:
        return cls(row[0], int(row[2]), Money(int(row[3]), row[1]))


def with_owner(*conditions: Any) -> Select[InvoiceComparison, Tenant, Waba]:
    """The largest first, each with its tenant and account."""
    same = (Waba.tenant_id == InvoiceComparison.tenant_id) & (Waba.id == InvoiceComparison.waba_id)
    query = select(InvoiceComparison, Tenant, Waba).join(Waba, same)
    query = query.join(Tenant, Tenant.id == InvoiceComparison.tenant_id).where(*conditions)
    amount = func.abs(InvoiceComparison.metas_micros - InvoiceComparison.ours_micros)
    return query.order_by(amount.desc(), InvoiceComparison.id).limit(SHOWN)


@bp.get("/tenants/<uuid:tenant_id>/meta-invoices/<uuid:comparison_id>")
@platform_only
def invoice_difference(tenant_id: uuid.UUID, comparison_id: uuid.UUID) -> str:
    return difference_page(tenant_id, comparison_id, ReasonForm(formdata=None))


@bp.post("/tenants/<uuid:tenant_id>/meta-invoices/<uuid:comparison_id>/explanation")
@platform_only
def explain_invoice_difference(tenant_id: uuid.UUID, comparison_id: uuid.UUID) -> tuple[str, int] | AnyResponse:
    form = ReasonForm()
    if not form.validate():
        return difference_page(tenant_id, comparison_id, form), 422
    chosen = comparison_or_404(tenant_id, comparison_id)
    chosen.explain(form.reason.data, by=current_user.name)
    log.info("difference explained", admin_id=str(current_user.id), comparison_id=str(comparison_id))
    flash(_("Saved. It is listed again if its figures change."))
    return redirect(url_for(".meta_invoices", month=chosen.month.strftime("%Y-%m")), 303)


def difference_page(tenant_id: uuid.UUID, comparison_id: uuid.UUID, form: ReasonForm) -> str:
    comparison = comparison_or_404(tenant_id, comparison_id)
    waba = db.session.get_one(Waba, (tenant_id, comparison.waba_id))
    mine = PhoneNumber.tenant_id == tenant_id, PhoneNumber.waba_id == waba.id
    numbers = db.session.scalars(select(PhoneNumber.id).where(*mine)).all()
    return render_template(
        "platform/invoice_difference.html",
        comparison=comparison,
        tenant=db.session.get_one(Tenant, tenant_id),
        waba=waba,
        journals=db.session.scalars(comparison.journals(waba.zone, numbers).limit(SHOWN)).all(),
        form=form,
    )


def comparison_or_404(tenant_id: uuid.UUID, comparison_id: uuid.UUID) -> InvoiceComparison:
    return db.session.get(InvoiceComparison, (tenant_id, comparison_id)) or abort(404)
