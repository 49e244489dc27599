"""References in what people write: in any digits, case and script, and never in ordinary words."""

from __future__ import annotations

import time

import pytest

from app.entry_points.codes import LETTERS, codes_in, is_code, new_code, written


@pytest.mark.parametrize(
    "text",
    [
        "Hello, I like the villa (ref 7KQ-M2F)",
        "hello (ref 7kq-m2f)",
        "ref7kqm2f",
        "7KQ M2F",
        "7KQ – M2F",
        "réf. : 7KQ‑M2F merci",
        "مرجع ٧KQ-M٢F",
        "کد ۷kq m۲f",
        "संदर्भ ७KQ-M२F",
        "（ｒｅｆ　７ＫＱ－Ｍ２Ｆ）",
        "\u202bمرجع \u200e7KQ\u200f-\u200eM2F\u202c",
        "参考7KQ-M2F你好",
        "TV3 7KQ M2F",
        "7\u00adKQM\u200b2F",
        "*7KQ-M2F*",
        "7KQ-MZF",
    ],
)
def test_a_code_is_found_however_it_is_written(text: str) -> None:
    assert "7KQM2F" in codes_in(text)


@pytest.mark.parametrize(
    "text", ["", "Good morning, is it still free?", "500 000 XOF", "234567", "rhythm psst", "+221 77 234 56 78", "abc"]
)
def test_words_and_amounts_are_no_codes(text: str) -> None:
    assert codes_in(text) == []


def test_a_new_code_has_a_digit_and_no_vowel() -> None:
    codes = [new_code() for _ in range(200)]
    assert all(map(is_code, codes)) and not set("".join(codes)) & set("AEIOUY01LSZB") and len(set(codes)) == 200
    assert all(codes_in(written(code)) == [code] for code in codes)


def test_an_entry_points_own_code_is_never_that_of_a_visit() -> None:
    assert new_code(permanent=True)[0] == "X" and "X" in LETTERS
    assert "X" not in {new_code()[0] for _ in range(200)}


@pytest.mark.parametrize("text", ["ref 7kq " * 9_000, "7kq   " * 9_000, "-" * 65_000, "7" * 65_000, "ref" * 20_000])
def test_the_longest_texts_are_read_at_once(text: str) -> None:
    began = time.process_time()
    assert len(codes_in(text)) <= 20
    assert time.process_time() - began < 0.1
