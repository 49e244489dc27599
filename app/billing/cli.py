"""`flask rates …`: Meta's price lists."""

from __future__ import annotations

import datetime as dt
import pathlib

import click
from flask.cli import AppGroup

from app.tenancy import platform_scope

from .price_lists import PriceList, Unusable
from .rate_cards import RateCard

rates = AppGroup("rates", help="Meta's price lists.")


@rates.command("load")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=pathlib.Path))
@click.option("--valid-from", required=True, type=click.DateTime(["%Y-%m-%d"]), help="The first day, as 2027-01-01.")
@click.option("--currency", default="USD", show_default=True, help="As Meta bills the accounts it is for.")
def load(file: pathlib.Path, valid_from: dt.datetime, currency: str) -> None:
    """Load a price list: all of it, or nothing where a line is wrong. Safe to repeat."""
    if not (len(currency) == 3 and currency.isascii() and currency.isalpha()):
        raise click.BadParameter("three letters, as in USD", param_hint="--currency")
    currency, day = currency.upper(), valid_from.date()
    lines = read(file)
    try:
        prices = PriceList.read(lines)
    except Unusable as unusable:
        raise click.ClickException(f"{file} was not loaded.\n" + "\n".join(unusable.problems)) from None
    source = " ".join(line.lstrip("# ") for line in lines if line.startswith("#")) or file.name
    with platform_scope("rates load"):
        card = RateCard.load(prices, currency, day, source)
    if card is None:
        click.echo(f"The prices in {currency} from {day} are the same already. Nothing was changed.")
        return
    click.echo(f"{len(prices.markets)} markets in {currency}, valid from {day}.")


def read(file: pathlib.Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise click.ClickException(f"{file} was not loaded: it is no text in UTF-8.") from None
