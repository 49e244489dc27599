from __future__ import annotations

import datetime as dt
import pathlib
from typing import Any

import phonenumbers
import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.exc import ProgrammingError

from app.billing.money import Money
from app.billing.price_lists import PriceList
from app.billing.rate_cards import RateCard, Rates
from app.tenancy import db, global_scope, platform_scope, tenant_scope
from tests.world import World

OURS = pathlib.Path(__file__).parent.parent.parent / "app/billing/cards/USD-2026-10-01.csv"
HEADER = "market,country_calling_codes,marketing,utility,authentication,authentication_international,service"
GERMANY = f"{HEADER}\nGermany,49,0.1,0.1,0.1,,0.1\n"
NEWER = f"{HEADER}\nGermany,49,0.2,0.1,0.1,,0.1\nOther,*,0.06,0.007,0.007,unknown,0.007\n"
OCTOBER, NEW_YEAR = dt.date(2026, 10, 1), dt.date(2027, 1, 1)
# Countries that share +1 with others but have prices of their own, or prices that Meta does not list.
LATIN = {"DO", "JM", "PR"}
UNNAMED = {"AS", "GU", "MP", "VI"}


@pytest.fixture
def ours() -> PriceList:
    return PriceList.read(OURS.read_text().splitlines())


def load(app: Flask, tmp_path: pathlib.Path, words: str, *more: str, day: str = "2027-01-01") -> Result:
    file = tmp_path / "card.csv"
    file.write_text(words)
    return app.test_cli_runner().invoke(args=["rates", "load", str(file), "--valid-from", day, *more])


def cards() -> int:
    with global_scope():
        return db.session.scalars(select(func.count()).select_from(RateCard)).one()


def price(category: str, number: str | None, day: dt.date, currency: str = "USD") -> Any:
    with global_scope():
        quote = Rates().quote(category, number, currency, day)
    return quote.money.micros if quote.money else quote.unknown


def test_the_card_of_october_comes_with_the_product(app: Flask, ours: PriceList) -> None:
    with global_scope():
        card = RateCard.on("USD", OCTOBER)
        assert card and card.valid_from == OCTOBER and card.prices == ours
    assert len(ours.markets) == 48 and "9 October 2026" in card.source


@pytest.mark.parametrize("region", sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE[1]))
def test_countries_that_share_a_code_have_their_own_market(ours: PriceList, region: str) -> None:
    number = phonenumbers.example_number(region)
    assert number
    expected = "Rest of Latin America" if region in LATIN else "US territories" if region in UNNAMED else "Other"
    if region in ("US", "CA"):
        expected = "North America"
    assert ours.market_of(f"1{number.national_number}") == expected


@pytest.mark.parametrize(
    ("number", "market"),
    [
        ("77012345678", "Kazakhstan"),
        ("76012345678", "Kazakhstan"),
        ("79161234567", "Russia"),
        ("4915112345678", "Germany"),
        ("35315551234", "Rest of Western Europe"),
        ("2348031234567", "Nigeria"),
        ("999123456", "Other"),
    ],
)
def test_the_longest_calling_code_decides(ours: PriceList, number: str, market: str) -> None:
    assert ours.market_of(number) == market


def test_a_new_price_counts_from_its_day_on(app: Flask, tmp_path: pathlib.Path) -> None:
    done = load(app, tmp_path, NEWER)
    assert done.exit_code == 0 and "2 markets in USD, valid from 2027-01-01" in done.output
    days = (dt.date(2026, 9, 30), OCTOBER, dt.date(2026, 12, 31), NEW_YEAR)
    assert [price("marketing", "4915112345678", day) for day in days] == ["no_card", 136_500, 136_500, 200_000]


def test_the_same_card_again_changes_nothing(app: Flask, tmp_path: pathlib.Path) -> None:
    again = load(app, tmp_path, OURS.read_text(), day="2026-10-01")
    assert again.exit_code == 0 and "Nothing was changed" in again.output and cards() == 1


def test_a_correction_counts_and_leaves_the_old_card_as_it_was(app: Flask, tmp_path: pathlib.Path) -> None:
    load(app, tmp_path, NEWER)
    load(app, tmp_path, NEWER.replace("0.2,", "0.21,"))
    assert price("marketing", "4915112345678", NEW_YEAR) == 210_000 and cards() == 3
    load(app, tmp_path, NEWER)
    assert price("marketing", "4915112345678", NEW_YEAR) == 200_000


def test_another_currency_has_its_own_cards(app: Flask, tmp_path: pathlib.Path) -> None:
    assert price("marketing", "4915112345678", NEW_YEAR, "EUR") == "no_card"
    load(app, tmp_path, NEWER, "--currency", "eur")
    assert price("marketing", "4915112345678", NEW_YEAR, "EUR") == 200_000
    assert price("marketing", "4915112345678", NEW_YEAR) == 136_500


@pytest.mark.parametrize(
    ("category", "number", "why"),
    [
        ("marketing", None, "no_number"),
        ("marketing", "US.1349", "no_number"),
        ("group_marketing", "49151", "no_rate"),
        ("authentication_international", "4915112345678", "no_rate"),
        ("authentication_international", "77012345678", "unlisted"),
        ("utility", "13405551234", "unlisted"),
    ],
)
def test_what_the_card_does_not_say_is_never_guessed(app: Flask, category: str, number: str | None, why: str) -> None:
    assert price(category, number, OCTOBER) == why


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("", "line 0: the columns must be market,country_calling_codes"),
        ("market,marketing\nGermany,1\n", "line 1: the columns must be"),
        (f"{HEADER}\n", "it lists no market"),
        (f"# from Meta\n{HEADER}\nGermany,49,0.1\n", "line 3: 7 values are needed, there are 3"),
        (f"{HEADER}\nGermany,+49,0.1,0.1,0.1,,0.1\n", "line 2: “+49” is not a calling code"),
        (f"{GERMANY}Isle,49,0.1,0.1,0.1,,0.1\n", "line 3: the calling code 49 belongs to “Germany”"),
        (f"{GERMANY}Germany,50,0.1,0.1,0.1,,0.1\n", "line 3: the market “Germany” is there twice"),
        (
            f'{HEADER}\nGermany,49,"0,1",0.1,0.1,,0.1\n',
            "line 2: the price for marketing is “0,1”; write it like 0.0625",
        ),
        (f"{HEADER}\nGermany,49,0.1,-0.1,0.1,,0.1\n", "line 2: the price for utility is “-0.1”"),
        (f"{HEADER}\nGermany,49,0.1,0.1,0.1,,\n", "line 2: the price for service is “”"),
        (f"{HEADER}\nGermany,49,0.1234567,0.1,0.1,,0.1\n", "line 2: the price for marketing is “0.1234567”"),
        (f"{HEADER}\n,49,0.1,0.1,0.1,,0.1\n", "line 2: the market has no name"),
    ],
)
def test_a_wrong_line_is_named_and_nothing_is_loaded(
    app: Flask, tmp_path: pathlib.Path, words: str, problem: str
) -> None:
    done = load(app, tmp_path, words)
    assert done.exit_code == 1 and problem in done.output and cards() == 1


def test_every_wrong_line_is_named_at_once(app: Flask, tmp_path: pathlib.Path) -> None:
    done = load(app, tmp_path, f"{HEADER}\nGermany,x,0.1,0.1,0.1,,0.1\nFrance,33,?,0.1,0.1,,0.1\n")
    assert "line 2" in done.output and "line 3" in done.output and cards() == 1


def test_a_point_in_the_wrong_place_is_noticed(app: Flask, tmp_path: pathlib.Path) -> None:
    ten_times = f"{HEADER}\nGermany,49,13.65,0.1,0.1,,0.1\n"
    done = load(app, tmp_path, ten_times)
    assert done.exit_code == 1 and "Germany: the price for marketing is 13.65 USD, where" in done.output
    assert cards() == 1
    assert load(app, tmp_path, ten_times, "--accept-odd-prices").exit_code == 0 and cards() == 2


def test_the_first_list_of_a_currency_is_compared_with_itself(app: Flask, tmp_path: pathlib.Path) -> None:
    usual = "".join(f"Isle {n},{80 + n},0.1,0.1,0.1,,0.1\n" for n in range(3))
    done = load(app, tmp_path, f"{HEADER}\n{usual}Germany,49,62.5,0.1,0.1,,0.1\n", "--currency", "EUR")
    assert done.exit_code == 1 and "Germany: the price for marketing is 62.50 EUR" in done.output


def test_what_is_no_text_is_refused(app: Flask, tmp_path: pathlib.Path) -> None:
    file = tmp_path / "card.xlsx"
    file.write_bytes(b"PK\x03\x04\xff\xfe")
    done = app.test_cli_runner().invoke(args=["rates", "load", str(file), "--valid-from", "2027-01-01"])
    assert done.exit_code == 1 and "no text in UTF-8" in done.output


@pytest.mark.parametrize("table", ["rate_cards", "rates", "market_codes"])
@pytest.mark.parametrize("verb", ["insert into {} select * from {} limit 0", "delete from {} -- {}"])
def test_a_tenants_work_may_read_prices_and_never_write_them(world: World, table: str, verb: str) -> None:
    with tenant_scope(world.bakery.id):
        assert db.session.scalar(text(f"select count(*) from {table}"))
    with pytest.raises(ProgrammingError, match="permission denied"), tenant_scope(world.bakery.id):
        db.session.execute(text(verb.format(table, table)))


@pytest.mark.parametrize("table", ["rate_cards", "rates", "market_codes"])
def test_not_even_the_platform_changes_a_price_that_was_loaded(app: Flask, table: str) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"), platform_scope("tests"):
        db.session.execute(text(f"delete from {table}"))


@pytest.mark.parametrize(("micros", "shown"), [(62_500, "US$0.0625"), (55_000, "US$0.0550"), (1_234, "US$0.001234")])
def test_the_price_of_a_message_is_shown_to_the_last_digit(app: Flask, micros: int, shown: str) -> None:
    with app.test_request_context():
        assert Money(micros, "USD").exact == shown


@pytest.mark.parametrize(
    ("micros", "shown"),
    [(-5_100, "-US$0.0051"), (50_000_000, "US$50.00"), (-10_000, "-US$0.01"), (1_234_567, "US$1.234567")],
)
def test_what_a_posting_moves_is_shown_in_full(app: Flask, micros: int, shown: str) -> None:
    with app.test_request_context():
        assert Money(micros, "USD").in_full == shown


@pytest.mark.parametrize(
    ("micros", "currency", "shown"),
    [
        (1_933_333, "USD", "US$1.93"),
        (1_935_000, "USD", "US$1.94"),
        (1_925_000, "USD", "US$1.92"),
        (-1_933_333, "EUR", "-€1.93"),
        (1_500_000, "CLP", "CLP2"),
        (0, "USD", "US$0.00"),
        (3_400, "USD", "US$0.0034"),
        (4_999, "USD", "US$0.004999"),
    ],
)
def test_other_amounts_have_the_decimals_of_their_currency_and_are_never_nothing_by_rounding(
    app: Flask, micros: int, currency: str, shown: str
) -> None:
    with app.test_request_context():
        assert str(Money(micros, currency)) == shown
