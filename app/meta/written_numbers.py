"""Reads phone numbers as people and programs write them, and refuses whatever could be somebody else's number.

The result is a wa_id: the digits of a number with its country's calling code. A refusal is a `NotRead`, which explains
what was read and why it isn't taken.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, unquote, urlsplit

import phonenumbers
from phonenumbers import PhoneNumber, ValidationResult

from app.meta.spellings import other_spellings
from app.words import N_

LONGEST = 300
MOST_NUMBERS = 10
SHORTEST = 7

# Characters that people put between digits. Every kind of dash and space is one of these by then.
PUNCTUATION = r"[\d\s().\-/\[\]]"
DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−﹣－˗ー"), "-")
ALIKE = DASHES | {ord("٫"): ".", ord("٬"): ",", ord("·"): ".", ord("•"): ".", ord("⁄"): "/", ord("∕"): "/"}
QUOTES = "'\"`´‘’‚‛“”„‟′″«»"

DATE = re.compile(r"\d{4}([-./])\d{1,2}\1\d{1,2}(?:[ T].*)?|\d{1,2}([-./])\d{1,2}\2\d{4}(?: .*)?")
# What Excel writes for a number that it holds as a number.
SCIENTIFIC = re.compile(r"\+?(\d)(?:[.,](\d+))?[eE]\+?(\d{1,2})")
DECIMAL = re.compile(r"(\+?\d{7,})[.,](\d+)")
THOUSANDS = re.compile(r"\+?\d{1,3}(?:([.,' ])\d{3})(?:\1\d{3})+(?:[.,]0+)?")
TRAILING_ZERO = re.compile(r"(.*\d)[.,](0{1,2})")
LABEL = re.compile(r"[^\W\d_][^\d+()]*?[\s:.)=]*(?=[+(\d])")
REMARK = re.compile(r"\s*[(\[]\s*[^\W\d_][^\d()\[\]]*[)\]]\s*$|^\s*[(\[]\s*[^\W\d_][^\d()\[\]]*[)\]]\s*")
EXTENSION = re.compile(r"(?i)[\s,;]*(?:ext\w*|x|#|~|durchwahl|dw|poste|int(?:erno)?|anexo|ramal|доб)[.:=\s]*\d{1,7}$")
# Between two numbers. A comma before three digits may group the digits of one.
BETWEEN = re.compile(
    r"\s*(?::::|[;|\n]|,(?!\d{3}(?:\D|$))|\s(?:or|oder|ou|und|and|et|y|o|или|и)\s|&)\s*", re.IGNORECASE
)
HOSTS = ("wa.me", "api.whatsapp.com", "web.whatsapp.com", "chat.whatsapp.com", "whatsapp.com", "www.whatsapp.com")
JID = re.compile(r"(?i)\+?(\d[\d-]*)(?::\d+)?@(s\.whatsapp\.net|c\.us|g\.us|lid|hosted)")

WORDS = {
    "missing": N_("Enter a phone number."),
    "too_long": N_("“{written}” is too long to be a phone number."),
    "letters": N_("“{written}” has letters or signs that aren't part of a phone number. Enter its digits only."),
    "link": N_("“{written}” is a link without a phone number in it."),
    "group": N_("“{written}” is the ID of a WhatsApp group or hides the number. Enter the phone number."),
    "extension": N_("“{written}” has an extension, which WhatsApp can't reach. Enter the number without it."),
    "rounded": N_(
        "A spreadsheet shortened this number to “{written}”, so digits are lost. "
        "Format its column as text and export it again."
    ),
    "decimal": N_("“{written}” is a number with a fraction, not a phone number."),
    "date": N_("“{written}” is a date, not a phone number."),
    "short_form": N_("“{written}” looks like two numbers in one. Write each of them in full."),
    "several": N_("“{written}” has several numbers: {candidates}. Enter one of them."),
    "no_country": N_("“{written}” has no country code. Start with + and the code, such as +1 650 555 1234."),
    "wrong_country": N_("“{written}” starts with a country code that doesn't exist."),
    "not_national": N_("“{written}” isn't a phone number in {country}. Start with + and the country code."),
    "wrong_length": N_("“{written}” has too many or too few digits for its country."),
    "ambiguous": N_("“{written}” could be {candidates}. Start with + and the country code."),
}


class NotRead(ValueError):
    """What was written isn't certainly one number; `reason` is a key of WORDS.

    `candidates` are the wa_ids of ambiguous or several numbers; `country` is the one that was assumed.
    """

    def __init__(self, reason: str, written: str, *candidates: str, country: str = "") -> None:
        super().__init__(reason)
        self.reason, self.written, self.candidates, self.country = reason, written, candidates, country

    @property
    def words(self) -> str:
        """The sentence to be translated, with `facts` to be filled in."""
        return WORDS[self.reason]

    @property
    def facts(self) -> dict[str, str]:
        listed = ", ".join(map(formatted, self.candidates[:4]))
        return {"written": self.written, "candidates": listed, "country": self.country}

    def explain(self, translate: Callable[[str], str] = str) -> str:
        return translate(self.words).format(**self.facts)


def formatted(wa_id: str) -> str:
    """A wa_id as people write the number: +1 650-555-1234."""
    number = parsed(f"+{wa_id}")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL) if number else f"+{wa_id}"


def read(written: str, country: str = "", *, is_whole: bool = False) -> str:
    """The wa_id of the one number that is written. Raises `NotRead`.

    `country` (ISO 3166, two letters) is assumed for national numbers; `is_whole` says that digits without a plus carry
    their country's code all the same, as in files that programs write.
    """
    numbers = read_all(written, country, is_whole=is_whole)
    if len(numbers) > 1:
        raise NotRead("several", shown(written), *numbers)
    return numbers[0]


def read_all(written: str, country: str = "", *, is_whole: bool = False) -> list[str]:
    """Every number that is written, once each, in order. Raises `NotRead` where one of them cannot be read."""
    if len(written) > LONGEST:
        raise NotRead("too_long", shown(written))
    if not (plain := normalise(written)):
        raise NotRead("missing", "")
    numbers = dict.fromkeys(one_number(part, country, is_whole) for part in parts_of(plain, country, is_whole=is_whole))
    if not numbers:
        raise NotRead("missing" if not any(map(str.isalnum, plain)) else "letters", shown(written))
    if len(numbers) > MOST_NUMBERS:
        raise NotRead("too_long", shown(written))
    return list(numbers)


def looks_like_one(written: str) -> bool:
    """Whether a cell is probably a phone number: a table's header and delimiter are recognised by it."""
    plain = normalise(written[:60]).strip("=" + QUOTES)
    has_shape = re.fullmatch(rf"(?:tel:)?\+?{PUNCTUATION}{{7,30}}(?:[.,]0+)?", plain) and not DATE.fullmatch(plain)
    return bool(has_shape) and 7 <= sum(map(str.isdecimal, plain)) <= 16


def shown(written: str) -> str:
    """What was written, short enough and harmless enough to be quoted."""
    line = " ".join("".join(each if each.isprintable() else " " for each in written[:200]).split())
    return line if len(line) <= 40 else f"{line[:39]}…"


def normalise(written: str) -> str:
    """Digits of every script as 0–9, one kind of space and dash, nothing that cannot be seen."""
    characters = []
    for each in written.translate(ALIKE):
        category = unicodedata.category(each)
        if (digit := unicodedata.decimal(each, None)) is not None:
            characters.append(str(digit))
        elif each in "\n\r\v\f\u2028\u2029":
            characters.append("\n")
        elif each == "\t" or category == "Zs":
            characters.append(" ")
        elif category in ("Cf", "Cc", "Mn", "Me"):
            continue
        elif "\uff01" <= each <= "\uff5e":
            characters.append(chr(ord(each) - 0xFEE0))
        elif category in ("So", "Sk"):
            # ☎ and other signs precede a number or separate two.
            characters.append(";")
        else:
            characters.append(each)
    return "".join(characters).translate(DASHES).strip().strip(";").strip()


def parts_of(plain: str, country: str, *, is_whole: bool) -> Iterator[str]:
    """What is written, cut where one number ends and the next begins."""
    if link := number_in_link(plain):
        yield link
        return
    if THOUSANDS.fullmatch(plain) and "," in plain:
        yield plain
        return
    if DECIMAL.fullmatch(plain.lstrip("=" + QUOTES).rstrip(QUOTES)) or TRAILING_ZERO.fullmatch(plain.rstrip(QUOTES)):
        yield plain
        return
    if SCIENTIFIC.fullmatch(plain):
        yield plain
        return
    for piece in BETWEEN.split(plain) if not EXTENSION.search(plain) else [plain]:
        for part in re.split(r"(?<=\d)[\s,/]+(?=\+)", piece):
            if part.strip(" .,:-/"):
                yield from slashed(part.strip(" ,"), country, is_whole)


def slashed(part: str, country: str, is_whole: bool) -> Iterator[str]:
    """A slash follows an area code, separates two numbers, or precedes another ending of the first."""
    pieces = [piece for piece in part.split("/") if piece.strip()]
    if len(pieces) < 2 or ":" in part or not any(map(str.isdecimal, part)):
        yield part
        return
    if len(re.sub(r"\D", "", pieces[-1])) <= 3:
        raise NotRead("short_form", shown(part))
    if all(is_read(piece, country, is_whole) for piece in pieces):
        yield from pieces
        return
    yield part


def is_read(part: str, country: str, is_whole: bool) -> bool:
    try:
        return is_in_use(one_number(part, country, is_whole))
    except NotRead:
        return False


def number_in_link(plain: str) -> str:
    """The number in an address of WhatsApp's, or one that a phone can call. Nothing where it is no link."""
    address = plain.strip("<> ")
    lower = address.lower()
    if jid := JID.fullmatch(address):
        if jid[2].lower() in ("g.us", "lid") or not jid[1].isdecimal():
            raise NotRead("group", shown(plain))
        return f"+{jid[1]}"
    if lower.startswith(("tel:", "callto:", "sms:", "whatsapp:+")) or re.match(r"whatsapp:\d", lower):
        number, _, parameters = unquote(address.partition(":")[2]).lstrip("/").partition(";")
        if re.search(r"(?i)\bext=", parameters):
            raise NotRead("extension", shown(plain))
        context = re.search(r"(?i)phone-context=(\+[\d-]+)", parameters)
        number = number.partition("?")[0]
        return f"{context[1]}{number}" if context and not number.startswith("+") else number
    bare = lower.removeprefix("https://").removeprefix("http://").removeprefix("//")
    is_ours = bare.startswith(tuple(f"{host}/" for host in HOSTS)) or lower.startswith("whatsapp://")
    if not is_ours:
        if re.match(r"[a-z][a-z0-9+.-]*://|www\.", lower):
            raise NotRead("link", shown(plain))
        return ""
    try:
        split = urlsplit(address if "://" in address else f"https://{address}")
        # In a query a plus is a space.
        parameter = parse_qs(split.query, max_num_fields=50).get("phone", [""])[0]
    except ValueError:
        raise NotRead("link", shown(plain)) from None
    number = re.sub(r"[\s()\-+]", "", parameter or unquote(split.path).strip("/").removeprefix("send").strip("/"))
    if not number.isdecimal():
        raise NotRead("link", shown(plain))
    return f"+{number}"


def one_number(part: str, country: str, is_whole: bool) -> str:
    text, written = unwrapped(part), shown(part)
    if match := SCIENTIFIC.fullmatch(text):
        text = exact(match, written)
    if DATE.fullmatch(text):
        raise NotRead("date", written)
    if not re.search(r"\d", text):
        raise NotRead("letters", written)
    if EXTENSION.search(text):
        raise NotRead("extension", written)
    text = LABEL.sub("", REMARK.sub("", text), count=1) if re.match(r"[^\W\d_]", text) else REMARK.sub("", text)
    text = text.strip(" .,:;-/")
    if THOUSANDS.fullmatch(text) and "," in text:
        text = re.sub(r"[., ']", "", re.sub(r"[.,]0{1,2}$", "", text))
    if match := DECIMAL.fullmatch(text):
        if match[2].strip("0"):
            raise NotRead("decimal", written)
        text = match[1]
    elif match := TRAILING_ZERO.fullmatch(text):
        # With more dots than one, the last “.0” is a group of digits like the others.
        readings = [text] if text.count(text[-2]) > 1 else [match[1], text]
        return without_doubt(readings, country, is_whole, written)
    return number_of(text, country, is_whole, written)


def without_doubt(texts: list[str], country: str, is_whole: bool, written: str) -> str:
    """The only one of several readings that is a number in use. A last “.0” may be a fraction or a group."""
    numbers: dict[str, None] = {}
    for text in texts:
        try:
            wa_id = number_of(text, country, is_whole, written)
        except NotRead:
            continue
        if is_in_use(wa_id):
            numbers[wa_id] = None
    if len(numbers) != 1:
        raise NotRead("ambiguous" if numbers else "wrong_length", written, *numbers)
    return next(iter(numbers))


def unwrapped(part: str) -> str:
    """Without what a spreadsheet puts around a text: ="+49…", '+49…, =+49…."""
    return part.strip().strip(QUOTES).removeprefix("=").strip().strip(QUOTES).strip()


def exact(match: re.Match[str], written: str) -> str:
    """The digits of 4.91761234567E+11, where all of them are there."""
    first, rest, exponent = match[1], match[2] or "", int(match[3])
    if len(rest.rstrip("0")) > exponent:
        raise NotRead("decimal", written)
    if len(rest) < exponent:
        raise NotRead("rounded", written)
    return (first + rest)[: exponent + 1]


def number_of(text: str, country: str, is_whole: bool, written: str) -> str:
    """One number without label, fraction or wrapping."""
    text = re.sub(r"^[\s(\[]*(?:\+\s*)+[)\]]?", "+", text)
    if not re.fullmatch(rf"\+?{PUNCTUATION}+", text):
        raise NotRead("letters", written)
    trunk = re.search(r"[(\[]\s*0\s*[)\]]", text)
    digits = re.sub(r"\D", "", text)
    if len(digits) > 20:
        raise NotRead("wrong_length", written)
    if text.startswith("+"):
        return international(text, digits.removeprefix("00"), trunk, written)
    if digits.startswith("00"):
        numbers = [international(text, digits[2:], trunk, written, lenient=True)]
        if country and (national := national_number(digits, country)):
            numbers.append(national)
        numbers = list(dict.fromkeys(filter(None, numbers)))
        if len(numbers) > 1:
            raise NotRead("ambiguous", written, *numbers, country=country)
        return numbers[0] if numbers else international(text, digits[2:], trunk, written)
    if is_whole:
        return international(text, digits, trunk, written)
    return bare(digits, country, written)


def international(text: str, digits: str, trunk: re.Match[str] | None, written: str, *, lenient: bool = False) -> str:
    """A number whose calling code is given. `(0)` is dialled within the country only, but for Italy's, which stays."""
    if trunk:
        before = re.sub(r"\D", "", text[: trunk.start()])
        before = before.removeprefix("00")
        after = re.sub(r"\D", "", text[trunk.end() :])
        numbers = {wa_id for wa_id in map(whole, (before + after, f"{before}0{after}")) if wa_id and is_in_use(wa_id)}
        if len(numbers) == 1:
            return numbers.pop()
        if len(numbers) > 1:
            raise NotRead("ambiguous", written, *sorted(numbers))
        digits = before + after
    if wa_id := whole(digits):
        return wa_id
    if lenient:
        return ""
    raise NotRead("wrong_length" if calling_code(digits) else "wrong_country", written)


def bare(digits: str, country: str, written: str) -> str:
    """Digits alone: with their country's code, or a number of the country that is assumed. Only one may be in use."""
    candidates = []
    if not digits.startswith("0") and (wa_id := whole(digits)) and is_in_use(wa_id):
        candidates.append(wa_id)
    if country:
        own_code = str(phonenumbers.country_code_for_region(country) or "-")
        is_mobile_here = candidates and digits.startswith(own_code) and is_mobile(candidates[0])
        national = "" if is_mobile_here else national_number(digits, country)
        if national and national not in candidates:
            candidates.append(national)
    else:
        # Ten digits are what people in North America and India write at home.
        for region in ("US", "IN"):
            national = national_number(digits, region) if candidates and len(digits) == 10 else ""
            if national and national not in candidates:
                candidates.append(national)
    if len(candidates) > 1:
        raise NotRead("ambiguous", written, *candidates, country=country)
    if not candidates:
        raise NotRead("not_national" if country else "no_country", written, country=country)
    return candidates[0]


def whole(digits: str) -> str:
    """The wa_id of digits that begin with a calling code, if a number may have that many there."""
    if not digits or digits.startswith("0"):
        return ""
    number = parsed(f"+{digits}")
    if number is None:
        return ""
    if phonenumbers.is_possible_number_with_reason(number) == ValidationResult.IS_POSSIBLE:
        return wa_id_of(number)
    # WhatsApp's own form of a Mexican mobile has a 1 that is no longer dialled; Argentina's 15 may follow the 9.
    if any(map(is_in_use, other_spellings(digits))):
        return digits
    if digits.startswith("549") and (shorter := parsed(f"+54{digits[3:]}")) and phonenumbers.is_valid_number(shorter):
        return wa_id_of(shorter)
    return ""


def national_number(digits: str, country: str) -> str:
    """The wa_id of a number as it is dialled within a country, if it is in use there."""
    number = parsed(digits, country)
    if number is None or not phonenumbers.is_valid_number(number):
        # A spreadsheet has dropped the zero in front, or a Brazilian mobile is without its ninth digit.
        code = phonenumbers.country_code_for_region(country)
        respelt = f"{code}{digits.lstrip('0')}"
        return respelt if code and any(map(is_in_use, other_spellings(respelt))) else ""
    return wa_id_of(number)


def wa_id_of(number: PhoneNumber) -> str:
    return f"{number.country_code}{phonenumbers.national_significant_number(number)}"


def is_in_use(wa_id: str) -> bool:
    """Whether numbers like this are given out, in this spelling or another."""
    number = parsed(f"+{wa_id}")
    if number is not None and phonenumbers.is_valid_number(number):
        return True
    return any((other := parsed(f"+{each}")) and phonenumbers.is_valid_number(other) for each in other_spellings(wa_id))


def is_mobile(wa_id: str) -> bool:
    number = parsed(f"+{wa_id}")
    return number is not None and phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.MOBILE


def calling_code(digits: str) -> int | None:
    if digits.startswith("0"):
        return None
    codes = (int(digits[:size] or 0) for size in (1, 2, 3))
    return next((code for code in codes if code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE), None)


def parsed(text: str, country: str | None = None) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None
