"""Dates and times as each language writes them."""

from __future__ import annotations

import datetime as dt

import pytest
from babel import Locale
from flask import Flask
from flask_babel import force_locale

from app import dates, templating
from app.appointments import phrases

AT = dt.datetime(2026, 11, 30, 14, 3, 7, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("language", "exact", "day"),
    [
        ("en", "30 November 2026, 14:03 UTC", "Monday 30 November"),
        ("de", "30. November 2026, 14:03 UTC", "Montag, 30. November"),
        ("fr", "30 novembre 2026 à 14:03 UTC", "lundi 30 novembre"),
        ("es", "30 de noviembre de 2026, 14:03 UTC", "lunes, 30 de noviembre"),
        ("pt", "30 de novembro de 2026, 14:03 UTC", "segunda-feira, 30 de novembro"),
        ("ar", "30 نوفمبر 2026، 2:03 م UTC", "الاثنين، 30 نوفمبر"),
    ],
)
def test_a_reader_sees_a_moment_in_the_shape_of_their_language(app: Flask, language: str, exact: str, day: str) -> None:
    with app.test_request_context(), force_locale(language):
        assert templating.exact(AT).replace("\u202f", " ").replace("\xa0", " ") == exact
        assert dates.shaped(AT, "MMMMEEEEd") == day


@pytest.mark.parametrize(
    ("language", "shown"),
    [
        ("en", "30 Nov, 30 Nov 2026, November 2026, Monday, 09:00"),
        ("de", "30. Nov., 30. Nov. 2026, November 2026, Montag, 09:00"),
        ("es", "30 nov, 30 nov 2026, noviembre de 2026, lunes, 9:00"),
        ("pt_BR", "30 de nov., 30 de nov. de 2026, novembro de 2026, segunda-feira, 09:00"),
        ("ja", "11月30日, 2026年11月30日, 2026年11月, 月曜日, 9:00"),
    ],
)
def test_every_part_of_a_date_is_in_the_shape_of_the_language(language: str, shown: str) -> None:
    locale = Locale.parse(language)
    parts = (dates.brief(AT, locale), dates.short(AT, locale), dates.month(AT, locale), dates.weekday(AT, locale))
    assert ", ".join((*parts, dates.hour(9, locale))) == shown


@pytest.mark.parametrize(
    ("last", "shown"),
    [
        (dt.date(2026, 12, 6), "30. Nov. – 6. Dez. 2026"),
        (dt.date(2027, 1, 3), "30. Nov. 2026 – 3. Jan. 2027"),
        (dt.date(2026, 11, 30), "30. Nov. 2026"),
    ],
)
def test_a_range_says_once_what_its_ends_share(last: dt.date, shown: str) -> None:
    assert dates.span(AT.date(), last, Locale("de")).replace("\u2009", " ") == shown


@pytest.mark.parametrize(
    ("language", "time"),
    [
        ("en", "Monday 30 November, 14:03"),
        ("fr", "lundi 30 novembre à 14:03"),
        ("es", "lunes, 30 de noviembre, 14:03"),
        ("de", "Montag, 30. November, 14:03"),
    ],
)
def test_a_customer_reads_the_time_of_an_appointment_in_their_language(language: str, time: str) -> None:
    assert phrases.time_words(AT, language) == time
    assert time in phrases.outcome_in_words("confirm", language, "Cut", AT)
