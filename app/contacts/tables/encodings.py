"""Which encoding a text file has: certain where the bytes say so, otherwise a guess that a person can correct."""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections import Counter

import phonenumbers
from charset_normalizer import from_bytes

from app.words import N_

from .table import Unreadable

ENCODINGS = {
    "utf-8": N_("Unicode (UTF-8)"),
    "utf-16": N_("Unicode (UTF-16)"),
    "cp1252": N_("Western European (Windows)"),
    "mac_roman": N_("Western European (Mac)"),
    "cp850": N_("Western European (DOS)"),
    "cp1250": N_("Central European (Windows)"),
    "iso8859_2": N_("Central European (ISO 8859-2)"),
    "cp1251": N_("Cyrillic (Windows)"),
    "koi8_r": N_("Cyrillic (KOI8-R)"),
    "cp866": N_("Cyrillic (DOS)"),
    "iso8859_5": N_("Cyrillic (ISO 8859-5)"),
    "cp1253": N_("Greek (Windows)"),
    "cp1254": N_("Turkish (Windows)"),
    "cp1255": N_("Hebrew (Windows)"),
    "cp1256": N_("Arabic (Windows)"),
    "iso8859_6": N_("Arabic (ISO 8859-6)"),
    "cp1257": N_("Baltic (Windows)"),
    "cp1258": N_("Vietnamese (Windows)"),
    "cp874": N_("Thai (Windows)"),
    "cp932": N_("Japanese (Shift-JIS)"),
    "euc_jp": N_("Japanese (EUC-JP)"),
    "gb18030": N_("Simplified Chinese (GBK)"),
    "big5": N_("Traditional Chinese (Big5)"),
    "cp949": N_("Korean (EUC-KR)"),
}
RARE = ("iso8859_2", "cp866", "iso8859_5", "iso8859_6", "cp1257")
GUESSABLE = [name for name in ENCODINGS if name not in ("utf-8", "utf-16", "cp1258", *RARE)] + list(RARE)
# Short texts fit many encodings; the country of the numbers beside them decides.
USED_BY = {
    "cp1252": (
        1,
        27,
        31,
        32,
        33,
        34,
        39,
        41,
        43,
        44,
        45,
        46,
        47,
        49,
        51,
        52,
        54,
        55,
        56,
        57,
        58,
        61,
        64,
        351,
        352,
        353,
        354,
        358,
    ),
    "cp1251": (7, 359, 375, 380, 381, 389, 996, 998, 992, 976),
    "gb18030": (86, 65),
    "big5": (852, 853, 886),
    "cp932": (81,),
    "cp949": (82,),
    "cp874": (66,),
    "cp1255": (972,),
    "cp1256": (20, 92, 93, 98, 212, 213, 216, 218, 249, 961, 962, 963, 964, 965, 966, 967, 968, 970, 971, 973, 974),
    "cp1254": (90,),
    "cp1253": (30, 357),
    "cp1257": (370, 371, 372),
    "cp1250": (36, 40, 48, 355, 383, 385, 386, 387, 382, 420, 421),
}
HOMES = {code: encoding for encoding, codes in USED_BY.items() for code in codes}
FAMILY = {
    "koi8_r": "cp1251",
    "cp866": "cp1251",
    "iso8859_5": "cp1251",
    "euc_jp": "cp932",
    "mac_roman": "cp1252",
    "cp850": "cp1252",
    "iso8859_2": "cp1250",
    "iso8859_6": "cp1256",
}
# From here on the library has recognised a language, not only letters.
SURE = 0.4
USUAL_SIGNS = "’–—·、。„“”¿¡«»"
NUMBER = re.compile(rb"(?<![\d])(?:\+|00)?([1-9]\d{9,13})(?![\d])")
SAMPLE = 16_000
# What no text holds, though a stray zero byte may get into one.
BINARY = re.compile(rb"[\x01-\x08\x0e-\x19\x1c-\x1f]")


def guess_encoding(data: bytes, country: str = "") -> str:
    """The encoding by its marks, or the likeliest. `country` (ISO 3166) is where numbers without a code are from."""
    if data.startswith(codecs.BOM_UTF8):
        return "utf-8"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or looks_like_utf16(data[:2_000]):
        return "utf-16"
    if b"\x00" in data[:2_000] and BINARY.search(data[:2_000]):
        raise Unreadable(N_("This isn't a CSV, XLSX or vCard file. Export your contacts as one of these."))
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return "utf-8" if is_damaged_utf8(data[:2_000_000]) else guess_legacy(sample_of(data), country)
    return "utf-8"


def looks_like_utf16(start: bytes) -> bool:
    """Without a mark: digits and commas have a zero byte before or after them, whatever the letters are."""
    less, more = sorted((start[::2].count(0), start[1::2].count(0)))
    has_zeros = any(start[at : at + 2] == b"\x00\x00" for at in range(0, len(start), 2))
    return len(start) >= 4 and more * 10 > len(start) // 2 and less * 4 < more and not has_zeros


def is_damaged_utf8(data: bytes) -> bool:
    """UTF-8 of which a few bytes are wrong: other encodings hold next to none of its sequences."""
    text = data.decode("utf-8", "replace")
    wrong = text.count("\ufffd")
    right = len(text) - len(text.encode("ascii", "ignore")) - wrong
    # A file that was cut off ends in the middle of a character.
    is_cut_off = wrong == 1 and text.endswith("\ufffd")
    return right > (0 if is_cut_off else 3 * wrong)


def sample_of(data: bytes) -> bytes:
    """The lines that have something beyond ASCII: the others fit every encoding."""
    lines, size = [], 0
    for line in data[:2_000_000].splitlines(keepends=True):
        if not line.isascii():
            lines.append(line[:2_000])
            size += len(lines[-1])
        if size > SAMPLE:
            break
    return b"".join(lines)


def guess_legacy(sample: bytes, country: str) -> str:
    """Of the encodings in which the fewest characters are implausible: the one whose language the library
    recognises, then the one at home where the numbers are, then the library's order."""
    fits = {name: text for name in GUESSABLE if (text := decoded(sample, name)) is not None}
    odd = {name: oddness(text) for name, text in fits.items()}
    plausible = [name for name in fits if odd[name] <= min(odd.values()) + 0.02]
    matches = list(from_bytes(sample, cp_isolation=GUESSABLE))
    position = {name: at for at, match in reversed([*enumerate(matches)]) for name in match.could_be_from_charset}
    recognised = {name for match in matches if match.coherence >= SURE for name in match.could_be_from_charset}
    home = home_of(sample) or HOMES.get(phonenumbers.country_code_for_region(country), "")

    def rank(name: str) -> tuple[bool, bool, int, int]:
        is_home = FAMILY.get(name, name) == home
        return name not in recognised, not is_home, position.get(name, len(matches)), GUESSABLE.index(name)

    guess = min(plausible, key=rank, default="cp1252")
    # The same letters in Spanish, in Hungarian and in Turkish: the most usual, unless the numbers say where.
    is_latin = guess in ("cp1250", "cp1254") and "cp1252" in plausible and not home
    return "cp1252" if is_latin and ("cp1252" in recognised or guess not in recognised) else guess


def decoded(sample: bytes, encoding: str) -> str | None:
    try:
        return sample.decode(encoding)
    except UnicodeDecodeError:
        return None


def home_of(sample: bytes) -> str:
    """The encoding that is usual where most of a file's numbers are."""
    counts = Counter(
        encoding
        for match in NUMBER.finditer(re.sub(rb"(?<=\d)[ .()-]+(?=\d)", b"", sample))
        for size in (3, 2, 1)
        if (encoding := HOMES.get(int(match[1][:size])))
    )
    return counts.most_common(1)[0][0] if counts else ""


def oddness(text: str) -> float:
    """Implausible characters per non-ASCII one, from 0: signs in words, capitals inside them, mixed scripts."""
    foreign = sum(not each.isascii() for each in text)
    odd = sum(is_odd(*three) for three in zip(" " + text, text, text[1:] + " ", strict=False))
    return odd / max(foreign, 1)


def is_odd(before: str, letter: str, after: str) -> bool:
    if letter.isascii():
        return (
            letter.isalpha()
            and is_foreign_word(before)
            and (script(letter) != script(before) or is_inner_capital(before, letter, after))
        )
    category = unicodedata.category(letter)
    if category[0] in "SC" or category in ("No", "Lm") or (category[0] == "P" and letter not in USUAL_SIGNS):
        return True
    if "\uff61" <= letter <= "\uff9f" or "\ue000" <= letter <= "\uf8ff":
        return True
    return is_inner_capital(before, letter, after) or (
        before.isalpha() and category[0] == "L" and script(letter) != script(before)
    )


def is_foreign_word(letter: str) -> bool:
    return letter.isalpha() and not letter.isascii()


def is_inner_capital(before: str, letter: str, after: str) -> bool:
    """MŸller, MÅller: a capital after a small letter, or between a capital and a small one."""
    return letter.isupper() and (before.islower() or (before.isupper() and after.islower()))


def script(letter: str) -> str:
    name = unicodedata.name(letter, "?").partition(" ")[0].partition("-")[0]
    # Japanese mixes its three scripts; other languages mix none.
    return "JAPANESE" if name in ("HIRAGANA", "KATAKANA", "CJK", "KATAKANA-HIRAGANA", "IDEOGRAPHIC") else name


def decode(data: bytes, encoding: str) -> str:
    """What cannot be decoded shows as �, so that a wrong choice is seen."""
    if encoding == "utf-8":
        text = data.decode("utf-8-sig", "replace")
    elif encoding == "utf-16" and not data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = data.decode(
            "utf-16-be" if data[:2_000:2].count(0) > data[1:2_000:2].count(0) else "utf-16-le", "replace"
        )
    else:
        text = data.decode(encoding, "replace")
    return text.replace("\x00", "").removeprefix("\ufeff")
