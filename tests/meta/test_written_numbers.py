"""Phone numbers as people and programs write them. Refusing is always allowed; reading somebody else's never is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.meta.outgoing import Refused, contact
from app.meta.written_numbers import LONGEST, NotRead, formatted, looks_like_one, read, read_all
from tests.cpu import Meter

GERMAN = "491761234567"


@pytest.mark.parametrize(
    "written",
    [
        "+49 176 1234567",
        "+491761234567",
        "0049 176 1234567",
        "491761234567",
        "+49\u00a0176\u20091234567",
        "\u202a+49 176 1234567\u202c",
        "\u200e+49\u200f 176 12345\u200b67",
        "＋４９　１７６　１２３４５６７",
        "+٤٩ ١٧٦ ١٢٣٤٥٦٧",
        "+۴۹ ۱۷۶ ۱۲۳۴۵۶۷",
        "+४९ १७६ १२३४५६७",
        "+49.176.1234567",
        "+49/176/1234567",
        "+49–176–1234567",
        "+49 (176) 1234567",
        "+49 (0) 176 1234567",
        "+49(0)176/1234567",
        "0049 (0)176/1234567",
        "+49 0176 1234567",
        "(+49) 176 1234567",
        "++49 176 1234567",
        "+49 176 1234567.",
        "tel:+49-176-1234567",
        "<tel:+491761234567>",
        "tel:176-1234567;phone-context=+49",
        "https://wa.me/491761234567?text=Table%2012%20at%2019",
        "wa.me/+491761234567",
        "https://api.whatsapp.com/send?phone=%2B491761234567&text=5",
        "https://api.whatsapp.com/send/?text=12&phone=491761234567",
        "whatsapp://send?phone=491761234567",
        "491761234567@s.whatsapp.net",
        "491761234567:12@s.whatsapp.net",
        "491761234567@c.us",
        "Tel.: +49 176 1234567",
        "WhatsApp: +49 176 1234567",
        "📞 +49 176 1234567",
        "☎️ +49 176 1234567",
        "+49 176 1234567 (mobile)",
        "491761234567.0",
        "491761234567,0",
        "491761234567.00",
        "+491761234567.0",
        "٤٩١٧٦١٢٣٤٥٦٧٫٠",
        "4.91761234567E+11",
        "4,91761234567e11",
        "491,761,234,567",
        "491.761.234.567,00",
        "'+491761234567",
        "’+491761234567",
        '="+491761234567"',
        "=+491761234567",
        "=491761234567",
        '"+491761234567"',
        "+49 176 1234567 ::: +491761234567",
        "+49 176 1234567\x00",
    ],
)
def test_one_german_mobile_in_every_spelling(written: str) -> None:
    assert read(written) == GERMAN


@pytest.mark.parametrize(
    ("written", "country", "wa_id"),
    [
        ("01761234567", "DE", GERMAN),
        ("1761234567", "DE", GERMAN),
        ("0176/1234567", "DE", GERMAN),
        ("Mobil 0176 1234567", "DE", GERMAN),
        ("491761234567", "DE", GERMAN),
        ("011 49 176 1234567", "US", GERMAN),
        ("0011 49 176 1234567", "AU", GERMAN),
        ("+49 176 1234567", "US", GERMAN),
        ("(650) 555-1234", "US", "16505551234"),
        ("16505551234", "DE", "16505551234"),
        ("4793456789", "NO", "4793456789"),
        ("06.12.34.56.00", "FR", "33612345600"),
        ("+33.6.12.34.56.00", "", "33612345600"),
        ("8 912 345-67-89", "RU", "79123456789"),
        ("090-1234-5678", "JP", "819012345678"),
        ("98765 43210", "IN", "919876543210"),
        ("+39 (0)6 698 12345", "", "390669812345"),
        ("+39 06 698 12345", "", "390669812345"),
        ("+44 (0)20 7946 0018", "", "442079460018"),
        ("+971 50 123 4567", "", "971501234567"),
        ("٠٥٠ ١٢٣ ٤٥٦٧", "AE", "971501234567"),
    ],
)
def test_national_numbers_take_the_default_country(written: str, country: str, wa_id: str) -> None:
    assert read(written, country) == wa_id


@pytest.mark.parametrize(
    ("written", "country", "wa_id"),
    [
        ("+52 1 55 1234 5678", "", "5215512345678"),
        ("5215512345678", "", "5215512345678"),
        ("+52 55 1234 5678", "", "525512345678"),
        ("55 1234 5678", "MX", "525512345678"),
        ("+55 11 98765-4321", "", "5511987654321"),
        ("+55 11 8765-4321", "", "551187654321"),
        ("551187654321", "", "551187654321"),
        ("(11) 98765-4321", "BR", "5511987654321"),
        ("(11) 8765-4321", "BR", "551187654321"),
        ("011 98765-4321", "BR", "5511987654321"),
        ("+54 9 11 2345 6789", "", "5491123456789"),
        ("+54 11 15 2345-6789", "", "5491123456789"),
        ("+54 9 11 15 2345 6789", "", "5491123456789"),
        ("011 15 2345-6789", "AR", "5491123456789"),
        ("+54 11 2345 6789", "", "541123456789"),
    ],
)
def test_whatsapps_own_forms_are_read(written: str, country: str, wa_id: str) -> None:
    assert read(written, country) == wa_id


@pytest.mark.parametrize(
    ("written", "country", "reason"),
    [
        ("", "", "missing"),
        (" \u00a0\u200e", "", "missing"),
        ("12", "", "no_country"),
        ("650 555 1234", "", "no_country"),
        ("01761234567", "", "no_country"),
        ("12", "DE", "not_national"),
        ("+1 555 1234", "", "wrong_length"),
        ("+" + "9" * 40, "", "wrong_length"),
        ("+999 1234567", "", "wrong_country"),
        ("+0176 1234567", "", "wrong_country"),
        ("4793456789", "", "ambiguous"),
        ("+49 176 1234567.0", "", "ambiguous"),
        ("4.91761E+11", "", "rounded"),
        ("4,91761E+11", "", "rounded"),
        ("491761234567.5", "", "decimal"),
        ("2026-11-28", "DE", "date"),
        ("28.11.2026", "DE", "date"),
        ("+49 421 123456/57", "", "short_form"),
        ("+1 650 555 1234 ext 5", "", "extension"),
        ("+1 650 555 1234 x5", "", "extension"),
        ("tel:+49-176-1234567;ext=5", "", "extension"),
        ("not a number", "", "letters"),
        ("n/a", "", "letters"),
        ("none / unknown", "DE", "letters"),
        ("+1 800 FLOWERS", "", "letters"),
        ("+49 800 1234 HELP", "", "letters"),
        ("+49 O176 1234567", "", "letters"),
        ("+1 650 555 1234²", "", "letters"),
        ("=49+1761234567", "", "letters"),
        ("carla@example.com", "", "letters"),
        ("一七六一二三四五六七", "", "letters"),
        ("https://wa.me/message/ABC123", "", "link"),
        ("https://chat.whatsapp.com/Gx12345678901", "", "link"),
        ("https://example.com/491761234567", "", "link"),
        ("https://wa.me/491761234567?" + "a&" * 60, "", "link"),
        ("120363025246125486@g.us", "", "group"),
        ("12345678@lid", "", "group"),
        ("x" * 1_000, "", "too_long"),
        ("+49 176 1234567; +49 176 7654321", "", "several"),
        ("+49 176 1234567 / +49 176 7654321", "", "several"),
        ("+49 176 1234567 +49 176 7654321", "", "several"),
    ],
)
def test_what_is_not_certainly_one_number_is_refused_with_its_reason(written: str, country: str, reason: str) -> None:
    with pytest.raises(NotRead) as refusal:
        read(written, country)
    assert refusal.value.reason == reason
    assert "{" not in refusal.value.explain()


def test_a_refusal_says_what_was_read() -> None:
    with pytest.raises(NotRead) as refusal:
        read("4793456789")
    words = refusal.value.explain()
    assert "“4793456789”" in words and "+47 93 45 67 89" in words and "+1 479-345-6789" in words


@pytest.mark.parametrize(
    "written",
    [
        "+47 91 23 45 67 ::: +47 91 23 45 68",
        "+47 91234567; +47 91234568",
        "+47 91234567, +47 91234568",
        "+47 91234567 / 004791234568",
        "+47 91234567|+4791234568",
        "+47 91234567\n+47 91234568",
        "+4791234567 or +4791234568",
        "+4791234567 +4791234568",
        "+47 91234567 (home), Mobile: +47 91234568",
    ],
)
def test_several_numbers_in_one_cell_are_all_read(written: str) -> None:
    assert read_all(written) == ["4791234567", "4791234568"]


@pytest.mark.parametrize(
    ("written", "country"),
    [("+49 (0)151 / 20000000", ""), ("0151 / 20000000", "DE"), ("0151/20000000", "DE"), ("(0151) / 200 000 00", "DE")],
)
def test_a_slash_after_an_area_code_is_within_one_number(written: str, country: str) -> None:
    assert read_all(written, country) == ["4915120000000"]


def test_digits_of_a_program_that_writes_whole_numbers_are_taken_as_they_are() -> None:
    assert read("4793456789", is_whole=True) == "4793456789"


@pytest.mark.parametrize("written", ["+49 176 1234567", "(650) 555-1234", "491761234567.0", '="+491761234567"'])
def test_a_cell_that_holds_a_number_is_recognised(written: str) -> None:
    assert looks_like_one(written)


@pytest.mark.parametrize("written", ["2026-11-28", "Phone", "12", "", "12 High Street", "10117 Berlin"])
def test_a_cell_that_holds_something_else_is_not(written: str) -> None:
    assert not looks_like_one(written)


@given(
    st.text(max_size=60) | st.text("+0123456789 ()-/.,;:'=eExX٠١٢", max_size=40),
    st.sampled_from(["", "DE", "US", "BR"]),
)
def test_whatever_is_written_is_read_or_refused_in_words(written: str, country: str) -> None:
    wa_id, words = outcome(written, country)
    assert words or (wa_id.isascii() and wa_id.isdecimal() and 7 <= len(wa_id) <= 17)


def outcome(written: str, country: str = "") -> tuple[str, str]:
    try:
        return read(written, country), ""
    except NotRead as problem:
        return "", problem.explain()


@given(st.integers(10**9, 10**12 - 1), st.sampled_from([" ", "-", ".", "\u00a0", "/", ""]), st.integers(1, 3))
def test_separators_never_change_the_digits(number: int, separator: str, size: int) -> None:
    digits = f"49{number}"
    spaced = separator.join(digits[at : at + size] for at in range(0, len(digits), size))
    assert outcome(f"+{spaced}")[0] in ("", digits, digits.replace("490", "49", 1))


@pytest.mark.parametrize("hostile", ["(" * LONGEST, "+1 " * 100, "1/" * 150, "a." * 150, "," * LONGEST, "+" * LONGEST])
def test_a_hostile_cell_costs_next_to_nothing(hostile: str) -> None:
    meter = Meter()

    def refuse() -> None:
        with pytest.raises(NotRead):
            read(hostile, "DE")

    assert meter.seconds(refuse) < meter.most / 3


def test_a_card_that_is_sent_has_the_number_in_meta_s_digits() -> None:
    raw = contact("Carla", "+٩٧١ ٥٠ ١٢٣ ٤٥٦٧").raw
    assert raw
    assert raw["contacts"][0]["phones"] == [{"phone": "+971 50 123 4567", "type": "CELL", "wa_id": "971501234567"}]
    with pytest.raises(Refused, match="written"):
        contact("Carla", "050 123 4567")


def test_a_number_is_shown_as_people_write_it() -> None:
    assert formatted("16505551234") == "+1 650-555-1234" and formatted("999") == "+999"
