"""One folding for every search: `app/folding.py` and the database's `search_fold` are the same function."""

from __future__ import annotations

import sys
import unicodedata

import psycopg
import pytest
from flask import Flask

from app.folding import fold, fold_letters
from tests.cpu import Meter


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("José", "JOSE"),
        ("Straße", "strasse"),
        ("İstanbul", "istanbul"),
        ("Işık", "isik"),
        ("Bjørn Łukasz Đặng", "bjorn lukasz dang"),
        ("Ægir Œuvre Þór", "aegir oeuvre thor"),
        ("ΓΙΏΡΓΟΣ", "γιωργος"),
        ("Ёлка", "елка"),
        ("فاطمة", "فاطمه"),
        ("علی", "علي"),
        ("کریم", "كريم"),
        ("أحمد إبراهيم آدم", "احمد ابراهيم ادم"),
        ("مُحَمَّد", "محمد"),
        ("محـــمد", "محمد"),
        ("שָׁלוֹם", "שלום"),
        ("ｶﾞｲﾄﾞ", "がいど"),
        ("ヤマダ", "やまだ"),
        ("ＡＢＣ１２３", "abc123"),
        ("٣٤٥", "345"),
        ("김민수", "\u1100\u1175\u11b7\u1106\u1175\u11ab\u1109\u116e"),
        ("O’Brien", "O'Brien"),
        ("a\u00a0\u200bb", "a b"),
    ],
)
def test_what_people_type_for_one_another_is_the_same(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@pytest.mark.parametrize(("one", "other"), [("की", "कु"), ("が", "か"), ("สมชาย", "สมช"), ("é", "e1")])
def test_what_is_another_word_stays_another(one: str, other: str) -> None:
    assert fold(one) != fold(other)


@pytest.mark.parametrize("text", ["José  GARCÍA", "ﷺ", "ŉ", "İı", "ΣΑΣ", "ẞß", "\u0300", "①½ﬁ"])
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert fold(fold(text)) == fold(text)


def test_thousands_of_marks_on_a_letter_take_no_time() -> None:
    marks = "".join(chr(0x300 + place % 70) for place in range(65_000))
    meter = Meter()
    assert fold(f"a{marks}b") == "ab" and meter.seconds(lambda: fold(f"a{marks}b")) < meter.most


@pytest.mark.parametrize("marks", ["\u0301\u0323", "\u094d\u093c", "\u0e38\u0e48"])
def test_nor_in_the_database(superuser_url: str, marks: str) -> None:
    text = f"a{marks * 32_000}b"
    with psycopg.connect(superuser_url) as connection:
        connection.execute("set statement_timeout = '5s'")
        (folded,) = connection.execute("select search_fold(%s)", (text,)).fetchone() or ("",)
        connection.execute("select search_words(%s)", (text,))
    meter = Meter()
    assert folded == fold_letters(text) and meter.seconds(lambda: fold_letters(text)) < meter.most


def test_the_database_folds_as_the_app_does(app: Flask, superuser_url: str) -> None:
    # Where Postgres and Python know different versions of Unicode, neither is wrong.
    letters = [
        chr(point)
        for point in range(1, 0x30000)
        if not 0xD800 <= point < 0xE000
        and unicodedata.category(chr(point)) not in ("Cn", "Co")
        and in_old_unicode(point)
    ]
    assert len(letters) > 50_000 and sys.version_info >= (3, 11)
    with psycopg.connect(superuser_url) as connection:
        folded: dict[str, str] = dict(
            connection.execute(
                "select l, search_fold('x' || l || 'y') from unnest(%s::text[]) l", (letters,)
            ).fetchall()
        )
    different = {letter: folded[letter] for letter in letters if folded[letter] != fold_letters(f"x{letter}y")}
    assert different == {}


def in_old_unicode(point: int) -> bool:
    return unicodedata.ucd_3_2_0.category(chr(point)) != "Cn"
