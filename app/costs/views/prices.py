"""What a message to each country costs this business today."""

from __future__ import annotations

from flask import Response, render_template, request

from app.billing.money import typed
from app.billing.terms import category_words
from app.costs.blueprint import bp
from app.costs.price_list import TenantPrices
from app.spreadsheets import as_csv, csv_download
from app.tenancy import requires


@bp.get("/prices")
@requires("costs.read")
def prices() -> str:
    listed, query = TenantPrices.today(), request.args.get("q", "")
    return render_template(
        "costs/prices.html", prices=listed, query=query, lines=listed.lines(query), category_words=category_words
    )


@bp.get("/prices/export")
@requires("costs.read")
def export_prices() -> Response:
    """All countries as CSV. An unknown price is empty."""
    listed = TenantPrices.today()
    sheet: list[tuple[object, ...]] = [("country", "name", "market", "currency", "valid_from", *listed.categories)]
    for line in listed.lines():
        amounts = [typed(price.micros) if price else "" for price in line.prices.values()]
        since = listed.card.valid_from if listed.card else ""
        sheet.append((line.country, line.name, line.market, listed.currency, since, *amounts))
    return csv_download(f"prices-{listed.currency}", [as_csv(sheet)])
