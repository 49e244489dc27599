"""What messages cost: a month at a time, by number, country, category and sender, down to each message."""

from __future__ import annotations

from flask import Response, abort, render_template, request
from sqlalchemy import select

from app.billing.balances import Balance
from app.billing.invoices import BillingDetails
from app.billing.ledger import Journal
from app.billing.money import typed
from app.costs.blueprint import bp
from app.costs.chart import Chart
from app.costs.messages import FILTERS, charged_lines, free_lines
from app.costs.months import Month, Replies, ReplyPrice, Words
from app.spreadsheets import as_csv, csv_download
from app.tenancy import db, in_menu, requires
from app.tenancy.guard import open_when_closed
from app.words import N_

BY_HAND = ("top_up", "adjustment", "fee", "credit", "tax")
SHOWN = 20
COLUMNS = (
    *("day", "number", "country", "category", "free", "currency", "messages", "list_price", "charged", "unpriced"),
    "cost",
)


@bp.get("")
@in_menu(
    "settings",
    N_("Costs"),
    "coins",
    order=195,
    group="business",
    hint=N_("What messages cost, your plan, balance and invoices."),
)
@requires("costs.read")
def index() -> str:
    balance = Balance.current()
    month = Month.read(request.args.get("month"))
    by_hand = select(Journal).where(Journal.kind.in_(BY_HAND)).order_by(Journal.id.desc()).limit(SHOWN)
    return render_template(
        "costs/index.html",
        month=month,
        balance=balance,
        chart=Chart.of(month),
        words=Words(),
        replies=Replies.of_month(month),
        reply_price=ReplyPrice.in_month(month, balance),
        journals=db.session.scalars(by_hand).all() if balance else [],
        due=BillingDetails.missed_on(balance),
    )


@bp.get("/messages")
@requires("costs.read")
def messages() -> str:
    month = Month.read(request.args.get("month"))
    chosen = {name: value for name in FILTERS if (value := request.args.get(name)) is not None}
    lines, more = charged_lines(month, chosen, request.args.get("before"))
    return render_template(
        "costs/messages.html", month=month, chosen=chosen, words=Words(), lines=lines, more=more, reason=""
    )


@bp.get("/free")
@requires("costs.read")
def free() -> str:
    month, reason = Month.read(request.args.get("month")), request.args.get("reason", "")
    if not reason:
        abort(404)
    lines, more = free_lines(month, reason, request.args.get("before"))
    return render_template(
        "costs/messages.html", month=month, chosen={}, words=Words(), lines=lines, more=more, reason=reason
    )


@bp.get("/export")
@requires("costs.read")
@open_when_closed
def export() -> Response:
    """A month's totals as CSV: a line for each day, number, country, category and reason."""
    month = Month.read(request.args.get("month"))
    sheet: list[tuple[object, ...]] = [COLUMNS]
    for row in month.rows_of_csv():
        amounts, cost = (typed(int(row.list_micros)), typed(int(row.charged_micros))), typed(int(row.cost_micros))
        number = row.display_number.lstrip("+")
        where = (row.day, number, row.country, row.category, row.free, row.currency)
        sheet.append((*where, int(row.messages), *amounts, int(row.unpriced), cost))
    return csv_download(f"costs-{month.name}", [as_csv(sheet)])
