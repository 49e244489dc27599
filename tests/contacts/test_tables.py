"""Files of other programs as tables: which dialect, which encoding, and never a row less."""

from __future__ import annotations

import contextlib
import io
import time
import tracemalloc
import zipfile

import pytest

from app.contacts.tables import MOST_ROWS, Unreadable, read_table
from app.contacts.tables.columns import guess_columns
from tests.contacts.files import workbook


def cells(data: str | bytes, **options: str) -> list[list[str]]:
    return [row.cells for row in read_table(data.encode() if isinstance(data, str) else data, **options).rows]


def test_an_apostrophe_is_never_a_quote() -> None:
    cities = ["'s Heer", "Breda", "'x'", "'y'", "'s Gravenmoer"]
    table = "name,phone,city\n" + "".join(f"N{n},+479123456{n},{city}\n" for n, city in enumerate(cities))
    assert [row[2] for row in cells(table)[1:]] == cities


@pytest.mark.parametrize(
    ("table", "delimiter"),
    [
        ("id;name;phone;tags\n1;Ann;+4791234567;['vip', 'new']\n2;Bob;+4791234568;['vip', 'new']\n", ";"),
        ("Name, Vorname;Telefon\nMeier, Hans;+4917612345678\n", ";"),
        ("name;phone;price, EUR\nA;+4917612345678;12,50\n", ";"),
        ("name\tphone\nMeier, Hans\t+4917612345678\n", "\t"),
        ("name|phone\rA|+4791234567\rB|+4791234568\r", "|"),
        ("sep=;\nname;phone\nA;1\n", ";"),
        ("phone\n+4791234567\n", ","),
        ('"name";"phone"\n"A;B";"+4791234567"\n', ";"),
    ],
)
def test_the_delimiter_is_guessed_by_what_makes_sense(table: str, delimiter: str) -> None:
    assert read_table(table.encode()).delimiter == delimiter


def test_the_delimiter_that_is_chosen_wins() -> None:
    assert cells("name;phone,x\n", delimiter=",") == [["name;phone", "x"]]


def test_quotes_are_doubled_however_late_in_the_file() -> None:
    many = "".join(f"N{n},+4791234567\n" for n in range(3_000))
    assert cells(f'name,phone\n{many}"Anna ""Ann"" Berg",+4791234568\n')[-1] == ['Anna "Ann" Berg', "+4791234568"]


def test_a_quote_that_is_never_closed_swallows_no_row() -> None:
    assert len(cells('name,phone\n"open,+4791234567\nB,+4791234568\n5" pipe,+4791234569\n')) == 4


def test_rows_that_another_rows_quote_closes_are_not_lost_without_a_word() -> None:
    table = read_table(b'name,phone,note\n"A,+4791234567,x\nB,+4791234568,y\nC",+4791234569,z\n')
    assert table.rows[1].problem and "quotation mark" in table.rows[1].problem.explain()


@pytest.mark.parametrize(
    "table",
    ['"name,phone"\n"Anna,+491761234567"\n', '"name;""phone"""\r\n\r\n"Anna;""+491761234567"""\r\n'],
)
def test_quotes_around_whole_lines_are_taken_off(table: str) -> None:
    assert cells(table) == [["name", "phone"], ["Anna", "+491761234567"]]


def test_quoted_names_in_one_column_stay_whole() -> None:
    assert cells('"Meier, Hans"\n"Huber, Anna"\n') == [["Meier, Hans"], ["Huber, Anna"]]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("<html><table><tr><td>name</td></tr></table></html>", "web page"),
        ('<?xml version="1.0"?><Workbook></Workbook>', "web page"),
        ('[{"name": "Anna", "phone": "+491761234567"}]', "CSV, XLSX or vCard"),
        ("%PDF-1.7\n1 0 obj\n", "CSV, XLSX or vCard"),
        ("{\\rtf1 Anna}", "CSV, XLSX or vCard"),
        ("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\x01", "CSV, XLSX or vCard"),
    ],
)
def test_a_file_that_is_no_table_is_refused_with_the_reason(data: str, words: str) -> None:
    with pytest.raises(Unreadable) as refusal:
        read_table(data.encode("latin-1"))
    assert words in refusal.value.explain()


def test_a_line_break_in_a_note_is_part_of_it() -> None:
    table = read_table(b'name,phone,note\nA,+4791234567,"one\ntwo, three"\nB,+4791234568,\n')
    assert [row.number for row in table.rows] == [1, 2, 3] and not table.rows[1].problem


PEOPLE = {
    "cp1252": "name;phone\nZoë Müller;+491761234567\nJosé García;+34612345678\n",
    "mac_roman": "name;phone\nZoë Müller;+491761234567\nJosé García;+34612345678\n",
    "cp1250": "imię;telefon\nŁukasz Żółć;+48512345678\nZdeněk Dvořák;+420601123456\n",
    "cp1251": "Имя;Телефон\nИван Петров;+79123456789\nАнна;+79123456780\n",
    "koi8_r": "Имя;Телефон\nИван Петров;+79123456789\n",
    "cp1253": "όνομα;τηλέφωνο\nΓιώργος;+306912345678\n",
    "cp1254": "isim;telefon\nŞükrü Öztürk;+905321234567\nÇağlar Işık;+905321234568\n",
    "cp1255": "שם;טלפון\nדוד כהן;+972501234567\n",
    "cp1256": "الاسم;الهاتف\nفاطمة الزهراء;+971501234567\n",
    "cp874": "ชื่อ,โทร\nสมชาย,+66812345678\n",
    "cp932": "氏名,電話\n山田 太郎,+819012345678\n",
    "euc_jp": "氏名,電話\n山田 太郎,+819012345678\n",
    "gb18030": "姓名,电话\n王小明,+8613812345678\n",
    "big5": "姓名,電話\n王小明,+886912345678\n",
    "cp949": "이름,전화\n김민수,+821012345678\n",
    "cp866": "Имя;Телефон\nИван Петров;+79123456789\n",
    "iso8859_5": "Имя;Телефон\nИван Петров;+79123456789\n",
    "iso8859_6": "الاسم;الهاتف\nفاطمة الزهراء;+971501234567\n",
    "cp1257": "vardas;telefonas\nŽydrūnas Šarūnas;+37061234567\n",
    "utf-8": "name,phone\nZoë,+491761234567\n",
    "utf-8-sig": "name,phone\nZoë,+491761234567\n",
    "utf-16": "name,phone\nZoë,+491761234567\n",
    "utf-16-le": "name,phone\nZoë,+491761234567\n",
    "utf-16-be": "name,phone\nZoë,+491761234567\n",
}


@pytest.mark.parametrize("encoding", PEOPLE)
def test_the_encoding_is_guessed_from_two_lines(encoding: str) -> None:
    text = PEOPLE[encoding]
    assert cells(text.encode(encoding)) == cells(text)


@pytest.mark.parametrize("encoding", ["cp1251", "gb18030", "cp932", "cp1256", "cp1253", "mac_roman", "cp1252"])
def test_the_encoding_is_guessed_without_numbers_too(encoding: str) -> None:
    text = PEOPLE[encoding].translate(dict.fromkeys(map(ord, "+0123456789"), "x"))
    assert cells(text.encode(encoding)) == cells(text)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize(
    "text", [PEOPLE["cp1251"], PEOPLE["gb18030"], "姓名,电话,备注\n王一,+8613812345678,这是一个很长的备注\n"]
)
def test_utf_16_is_recognised_without_a_mark_in_every_script(text: str, encoding: str) -> None:
    assert cells(text.encode(encoding)) == cells(text)


@pytest.mark.parametrize(
    ("text", "country", "encoding"),
    [
        ("nombre;teléfono\nJosé Núñez;612 345 678\n", "", "cp1252"),
        ("nome;telefone\nJoão Conceição;912 345 678\n", "", "cp1252"),
        ("név;telefon\nKovács Győző;06 20 123 4567\n", "HU", "cp1250"),
        ("isim;telefon\nŞükrü Öztürk;0532 123 4567\n", "TR", "cp1254"),
    ],
)
def test_national_numbers_leave_the_encoding_to_the_country_that_is_assumed(
    text: str, country: str, encoding: str
) -> None:
    assert cells(text.encode(encoding), country=country) == cells(text)


@pytest.mark.parametrize("damage", [b"J\xf6rg;+491761234568\n", "Jö".encode()[:-1]], ids=["a wrong byte", "cut off"])
def test_a_wrong_byte_makes_no_other_encoding_of_utf_8(damage: bytes) -> None:
    table = read_table("name;phone\nZoë Müller-Größ;+491761234567\n".encode() + damage)
    assert table.encoding == "utf-8" and table.rows[1].cells == ["Zoë Müller-Größ", "+491761234567"]


def test_a_zero_byte_in_a_text_is_left_out() -> None:
    assert cells("name,phone\nAn\0na,+491761234567\n")[1] == ["Anna", "+491761234567"]


def test_an_encoding_that_is_chosen_wins() -> None:
    table = read_table("name\nИван\n".encode("cp866"), encoding="cp866")
    assert table.rows[1].cells == ["Иван"] and table.encoding == "cp866"


def test_a_workbook_gives_numbers_without_fraction_and_the_first_sheet_with_rows() -> None:
    table = read_table(workbook([["name", "phone"], ["A", 491761234567.0], ["B", 1.5]], sheets=3))
    assert [row.cells for row in table.rows] == [["name", "phone"], ["A", "491761234567"], ["B", "1.5"]]
    assert (table.sheet, table.sheets) == ("Sheet3", ["Sheet3"])


@pytest.mark.parametrize("rows", [[["Anna", "+491761234567"]], [["+491761234567"]]])
def test_a_workbook_of_one_row_is_not_empty(rows: list[list[str | int | float]]) -> None:
    assert [row.cells for row in read_table(workbook(rows)).rows] == rows


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("<v>4.91761234567E11</v>", "491761234567"),
        ('t="str"><f>"+49"</f><v>+491761234567</v>', "+491761234567"),
        ('t="inlineStr"><is><r><t>+49176</t></r><r><t>1234567</t></r></is>', "+491761234567"),
        ('t="e"><v>#N/A</v>', ""),
    ],
)
def test_a_number_is_read_from_every_kind_of_cell(cell: str, text: str) -> None:
    more = f'<row r="2"><c r="A2" t="inlineStr"><is><t>A</t></is></c><c r="B2" {cell}</c></row>'.replace('" <v', '"><v')
    assert read_table(workbook([["name", "phone"]], more=more)).rows[1].cells == ["A", text]


def test_a_table_may_begin_anywhere_on_its_sheet() -> None:
    cells = "".join(f'<c r="{at}" t="inlineStr"><is><t>{at}</t></is></c>' for at in ("C4", "D4"))
    table = read_table(workbook([], more=f'<row r="4">{cells}</row>'))
    assert [(row.number, row.cells) for row in table.rows] == [(4, ["C4", "D4"])]


def test_a_formula_without_a_result_is_reported_and_not_taken_for_empty() -> None:
    table = read_table(workbook([["name", "phone"], ["A", '="+49"&"1761234567"']]))
    assert table.rows[1].problem and "Cell B2 is a formula" in table.rows[1].problem.explain()


@pytest.mark.parametrize(
    "more",
    [
        '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>',
        " " * 150_000_000,
        '<row r="4000000"/>',
        """<row><c a="<>" r = 'bfd1048576'><v>1</v></c></row>""",
        '<row r="1000000"><c r="A1000000"/>' + "<c/>" * 10_000 + "</row>",
        "<row/>" * 500_000 + "<row>" + "<c/>" * 10_000 + "</row>",
        "<c " * 3_000_000,
    ],
    ids=[
        "a cell far away",
        "150 MB of spaces",
        "a row that no sheet has",
        "a cell far away in other signs",
        "cells without a place in a row far away",
        "rows without a place",
        "tags that never end",
    ],
)
def test_a_small_file_that_becomes_huge_is_refused(more: str) -> None:
    data = workbook([["name", "phone"]], more=more)
    started = time.process_time()
    with pytest.raises(Unreadable, match="too big"):
        read_table(data)
    assert time.process_time() - started < 3


def repacked(data: bytes, renamed: dict[str, str], more: dict[str, str]) -> bytes:
    """The workbook with other names for its parts, also where one names another, and with more of them."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as book, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        parts = {name: book.read(name).decode() for name in book.namelist()}
        for old, new in renamed.items():
            parts = {name.replace(old, new): part.replace(old, new) for name, part in parts.items()}
        for name, part in (parts | more).items():
            archive.writestr(name, part)
    return out.getvalue()


def test_a_sheet_of_any_name_is_measured() -> None:
    data = workbook([["a"]], more='<row r="300000"><c r="T300000"><v>1</v></c></row>')
    with pytest.raises(Unreadable, match="too big"):
        read_table(repacked(data, {"worksheets/sheet1.xml": "x.xml"}, {}))


def test_a_long_text_that_thousands_of_cells_name_is_refused() -> None:
    data = workbook([["a"]], more='<row r="2">' + '<c t="s"><v>0</v></c>' * 10_000 + "</row>")
    with pytest.raises(Unreadable, match="too big"):
        read_table(repacked(data, {}, {"xl/sharedStrings.xml": f"<sst><si><t>{'x' * 32_000}</t></si></sst>"}))


def test_a_workbook_is_not_read_as_another_format() -> None:
    with pytest.raises(Unreadable, match="isn't an Excel workbook"):
        read_table(repacked(workbook([["a"]]), {}, {"content.xml": "", "mimetype": ""}))


@pytest.mark.parametrize(
    "data", [b"PK\x03\x04", workbook([["a"]])[:-30], workbook([["a"]])[: len(workbook([["a"]])) // 2]]
)
def test_a_damaged_workbook_is_refused(data: bytes) -> None:
    with pytest.raises(Unreadable):
        read_table(data)


CARDS = (
    "BEGIN:VCARD\r\nVERSION:2.1\r\n"
    "N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=4D=C3=BC=6C=6C=65=72;=4A=C3=\r\n=B6=72=67;;;\r\n"
    "TEL;HOME:+49 421 1234567\r\nTEL;CELL:+49 176 1234567\r\n"
    "PHOTO;ENCODING=BASE64;JPEG:/9j/4AAQ\r\n AAAA\r\n\r\nEND:VCARD\r\n"
    "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Zoë\\, the\r\n  baker\r\nitem1.TEL;type=HOME:+47 1\r\n"
    "TEL;type=CELL;waid=4791234567:+47 912 34 567\r\nCATEGORIES:VIP,New\\,er\r\nNOTE:a\\nb\r\nEND:VCARD\r\n"
    'BEGIN:VCARD\nVERSION:4.0\nFN:Tim\nTEL;VALUE=uri;TYPE="cell,voice":tel:+1-650-555-1234\nEND:VCARD\n'
    "BEGIN:VCARD\r\nFN:Not closed\r\nBEGIN:VCARD\r\nFN:No phone\r\nEND:VCARD\r\n"
)


def test_cards_of_every_version_are_rows() -> None:
    rows = cells(CARDS)
    assert [row[0] for row in rows] == ["Name", "Jörg Müller", "Zoë, the baker", "Tim", "Not closed", "No phone"]
    assert rows[1][1] == "+49 176 1234567 ::: +49 421 1234567"
    assert rows[2][1:3] == ["+4791234567 ::: +47 1", "VIP; New,er"] and rows[2][9] == "a\nb"


def test_a_name_that_is_folded_within_a_letter_stays_whole() -> None:
    card = "BEGIN:VCARD\r\nFN:Zoë\r\nTEL:+491761234567\r\nEND:VCARD\r\n".encode()
    assert cells(card.replace(b"\xc3\xab", b"\xc3\r\n \xab"))[1][0] == "Zoë"


def test_a_quoted_printable_name_may_be_folded_like_any_other() -> None:
    card = "BEGIN:VCARD\r\nFN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=D0=98=D0=B2\r\n =D0=B0=D0=BD\r\nEND:VCARD\r\n"
    assert cells(card)[1][0] == "Иван"


@pytest.mark.parametrize("charset", ["unicode_escape", "punycode", "undefined", "utf-7", "bz2"])
def test_a_card_in_a_charset_of_no_phone_is_read(charset: str) -> None:
    card = f"BEGIN:VCARD\nFN;CHARSET={charset};ENCODING=QUOTED-PRINTABLE:\\ud800+2AA-=00\nEND:VCARD\n"
    assert cells(card)[1][0].encode().startswith(b"ud800")


def test_a_line_of_semicolons_takes_no_more_memory_than_another() -> None:
    card = ("BEGIN:VCARD\nTEL" + ";" * 300_000).encode()
    tracemalloc.start()
    read_table(card)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10 * len(card)


@pytest.mark.parametrize(
    ("header", "columns"),
    [
        (
            "Name,Given Name,Family Name,Group Membership,Phone 1 - Type,Phone 1 - Value",
            "name,first_name,last_name,tags,,phone",
        ),
        ("First Name,Last Name,Labels,Phone 1 - Label,Phone 1 - Value", "first_name,last_name,tags,,phone"),
        ("First Name,Last Name,Mobile Phone,Business Fax,Home Phone", "first_name,last_name,phone,,phone"),
        ("Vorname,Nachname,Mobiltelefon", "first_name,last_name,phone"),
        ("Kundenname,Handynummer,Ort,Schlagworte", "name,phone,,tags"),
        ("Имя,Телефон", "name,phone"),
        ("الاسم,رقم الهاتف", "name,phone"),
        ("姓名,手机号码", "name,phone"),
        ("wa_id,display name,opt-in", "phone,name,marketing"),
        ("First Name,Last Name,File As,Phone 1 - Value", "first_name,last_name,,phone"),
        ("Křestní jméno,Příjmení,Kategorie", "first_name,last_name,tags"),
        ("שם פרטי,שם משפחה", "first_name,last_name"),
        ("Όνομα,Επώνυμο,Κατηγορίες", "name,last_name,tags"),
    ],
)
def test_columns_are_recognised_by_their_titles(header: str, columns: str) -> None:
    assert guess_columns(header.split(",")) == columns.split(",")


@pytest.mark.parametrize(
    "hostile",
    [
        "name,phone\nx,+16505550100\n" + "\n'x" * 6_600,
        '"x,"","","",' * 60_000,
        '"' * 3_000_000,
        'a,"' * 900_000,
        '"a""b,' * 500_000,
        "\n" * 5_000_000 + "a",
        "BEGIN:VCARD\n" * 200_000,
        "BEGIN:VCARD\n" + "TEL;ENCODING=QUOTED-PRINTABLE:=\n" * 100_000,
        "BEGIN:VCARD\nN:" + "\\;" * 1_000_000,
        "BEGIN:VCARD\n" + "CATEGORIES:a\n" * 600_000,
    ],
    ids=range(10),
)
def test_every_file_is_read_in_linear_time(hostile: str) -> None:
    started = time.process_time()
    with contextlib.suppress(Unreadable):
        assert len(read_table(hostile.encode()).rows) <= MOST_ROWS + 1
    assert time.process_time() - started < 4
