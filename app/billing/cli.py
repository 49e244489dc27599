"""`flask rates …`: Meta's price lists. `flask ledger …`: the books of each business."""

from __future__ import annotations

import datetime as dt
import pathlib

import click
from flask.cli import AppGroup
from sqlalchemy import select

from app.tenancy import Tenant, db, enqueue, platform_scope, tenant_scope

from .meta_invoices import MetaReport, read_report
from .posting import AT_ONCE, post_usages
from .price_lists import PriceList, Unusable
from .rate_cards import RateCard
from .reported_prices import ReportedPrices
from .repricing import Repricing
from .tier_lists import TierList
from .verification import problems_of_ledger

rates = AppGroup("rates", help="Meta's price lists.")


@rates.command("load")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=pathlib.Path))
@click.option("--valid-from", required=True, type=click.DateTime(["%Y-%m-%d"]), help="The first day, as 2027-01-01.")
@click.option(
    "--tiers",
    type=click.Path(exists=True, dir_okay=False, path_type=pathlib.Path),
    help="Its volume tiers: a CSV with market, category, from, to and price.",
)
@click.option("--currency", default="USD", show_default=True, help="As Meta bills the accounts it is for.")
@click.option("--accept-odd-prices", is_flag=True, help="Load it although prices are far from those before.")
def load(
    file: pathlib.Path, valid_from: dt.datetime, tiers: pathlib.Path | None, currency: str, *, accept_odd_prices: bool
) -> None:
    """Load a price list: all of it, or nothing where a line is wrong. Safe to repeat."""
    if not (len(currency) == 3 and currency.isascii() and currency.isalpha()):
        raise click.BadParameter("three letters, as in USD", param_hint="--currency")
    currency, day = currency.upper(), valid_from.date()
    lines = read(file)
    try:
        prices = PriceList.read(lines)
    except Unusable as unusable:
        raise click.ClickException(f"{file} was not loaded.\n" + "\n".join(unusable.problems)) from None
    if tiers:
        add_tiers(prices, tiers)
    source = " ".join(line.lstrip("# ") for line in lines if line.startswith("#")) or file.name
    with platform_scope("rates load"):
        if not accept_odd_prices and (odd := list(RateCard.odd_prices(prices, currency, day))):
            hint = "If they are right, load it with --accept-odd-prices."
            raise click.ClickException("\n".join([f"{file} was not loaded: prices look wrong.", *odd, hint]))
        card = RateCard.load(prices, currency, day, source)
    if card is None:
        click.echo(f"The prices in {currency} from {day} are the same already. Nothing was changed.")
        return
    click.echo(f"{len(prices.markets)} markets in {currency}, valid from {day}.")
    # What was posted since, without a price or at an older one, is corrected.
    for tenant in tenants_with_books(""):
        enqueue("billing.reprice", str(tenant.id), day.isoformat())


def add_tiers(prices: PriceList, file: pathlib.Path) -> None:
    try:
        TierList(prices).read(read(file))
    except Unusable as unusable:
        raise click.ClickException(f"{file} was not loaded.\n" + "\n".join(unusable.problems)) from None


def read(file: pathlib.Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise click.ClickException(f"{file} was not loaded: it is no text in UTF-8.") from None


ledger = AppGroup("ledger", help="The ledger of each business.")


@ledger.command("verify")
@click.option("--tenant", "slug", default="", help="The slug of one business; without it, all are checked.")
def verify(slug: str) -> None:
    """Check that no row of a ledger was changed, removed or reordered. Fails where one was."""
    wrong = 0
    for tenant in tenants_with_books(slug):
        with tenant_scope(tenant.id):
            for words in problems_of_ledger():
                wrong += 1
                click.echo(f"BAD  {tenant.slug}: {words}")
    if wrong:
        raise click.ClickException("A ledger is not as it was written.")
    click.echo("Every ledger is as it was written.")


@ledger.command("post")
@click.option("--tenant", "slug", default="", help="The slug of one business; without it, all are posted.")
def post(slug: str) -> None:
    """Post what is charged and not posted yet, without waiting for a worker."""
    for tenant in tenants_with_books(slug):
        posted = AT_ONCE
        while posted == AT_ONCE:
            with tenant_scope(tenant.id):
                posted = post_usages()


@ledger.command("reprice")
@click.option("--from", "since", required=True, type=click.DateTime(["%Y-%m-%d"]), help="The first day.")
@click.option("--tenant", "slug", default="", help="The slug of one business; without it, all are repriced.")
def reprice(since: dt.datetime, slug: str) -> None:
    """Compare posted messages with the price lists in force on their days, and correct what differs."""
    for tenant in tenants_with_books(slug):
        last, changed, more = None, 0, True
        while more:
            with tenant_scope(tenant.id):
                count, last = Repricing().run(since.date(), last)
            changed, more = changed + count, last is not None
        if changed:
            click.echo(f"{tenant.slug}: {changed} messages have another price now.")


@ledger.command("prices")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=pathlib.Path))
@click.option("--tenant", "slug", required=True, help="The slug of the business.")
def prices(file: pathlib.Path, slug: str) -> None:
    """Take over prices that Meta reported: a CSV with phone_number_id, wamid, price and currency. Safe to repeat."""
    try:
        reported = ReportedPrices.read(read(file))
    except Unusable as unusable:
        raise click.ClickException(f"{file} was not loaded.\n" + "\n".join(unusable.problems)) from None
    for tenant in tenants_with_books(slug):
        with tenant_scope(tenant.id):
            click.echo(f"{reported.apply()} messages have another price now.")


@ledger.command("meta-report")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=pathlib.Path))
@click.option("--month", required=True, type=click.DateTime(["%Y-%m"]), help="The month that it is for, as 2026-11.")
def meta_report(file: pathlib.Path, month: dt.datetime) -> None:
    """Load the report of Meta's invoice for a month, and compare it with each ledger. The newest one counts."""
    try:
        lines = read_report(read(file))
    except Unusable as unusable:
        raise click.ClickException(f"{file} was not loaded.\n" + "\n".join(unusable.problems)) from None
    with platform_scope("report of Meta"):
        MetaReport.load(month.date(), lines, by_name="")
    enqueue("billing.compare_report", month.date().isoformat())
    click.echo(f"{len(lines)} lines for {month:%B %Y}. They are being compared; see Meta's invoices in the console.")


def tenants_with_books(slug: str) -> list[Tenant]:
    with platform_scope("ledgers"):
        query = select(Tenant).where(~Tenant.is_sandbox).order_by(Tenant.slug)
        tenants = list(db.session.scalars(query.where(Tenant.slug == slug) if slug else query))
    if slug and not tenants:
        raise click.BadParameter("no business has this slug", param_hint="--tenant")
    return tenants
