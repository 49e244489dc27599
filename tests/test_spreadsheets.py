"""Tables as CSV that spreadsheets open as they are."""

import csv
import io

import pytest

from app.spreadsheets import MARK, Number, as_csv, as_imported, csv_download

DANGEROUS = ["=1+1", "+4915112345", " @SUM(A1)", "-2+3", "\t=1", "＝1", "-", "-1", "-12.50", "-٣"]


def read(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("cell", DANGEROUS)
def test_nothing_is_calculated(cell: str) -> None:
    assert read(as_csv([[cell]])) == [[f"'{cell}"]]


@pytest.mark.parametrize("cell", DANGEROUS)
def test_what_was_guarded_is_imported_as_it_was(cell: str) -> None:
    assert as_imported(read(as_csv([[cell]]))[0][0]) == cell


@pytest.mark.parametrize("cell", [Number("-12.50"), -3, 0.5, 1_000_000])
def test_numbers_are_numbers(cell: object) -> None:
    assert read(as_csv([[cell]])) == [[str(cell)]]


def test_a_cell_has_its_quotes_and_lines() -> None:
    assert read(as_csv([['“A”, "B"; C\r\nD', None]])) == [['“A”, "B"; C\r\nD', ""]]


def test_a_download_says_that_it_is_utf_8() -> None:
    answer = csv_download("prices-EUR", [as_csv([["CI", "Côte d’Ivoire"]])])
    assert answer.get_data(as_text=True) == f'{MARK}"CI","Côte d’Ivoire"\r\n'
    assert answer.headers["Content-Disposition"] == 'attachment; filename="prices-EUR.csv"'
