"""Phone numbers: country, Meta's canonical form, and a readable form."""

import csv
import re
from pathlib import Path

_lines = (Path(__file__).parent / "calling_codes.csv").read_text().splitlines()
COUNTRY_BY_CODE = {row["code"]: row["country"] for row in csv.DictReader(_lines)}
CODE_BY_COUNTRY = {country: code for code, country in COUNTRY_BY_CODE.items()} | {"CA": "1", "KZ": "7"}
LONGEST_CODE = max(map(len, COUNTRY_BY_CODE))


def digits_of(text: str) -> str:
    """The digits of a text."""
    return re.sub(r"\D", "", text)


def is_number(text: str) -> bool:
    """True if the text is spelt like a phone number."""
    return re.fullmatch(r"\+?[\d\s().-]+", text) is not None and 5 <= len(digits_of(text)) <= 15


def calling_code(digits: str) -> str:
    """The calling code that the digits start with."""
    prefixes = (digits[:length] for length in range(LONGEST_CODE, 0, -1))
    return next((prefix for prefix in prefixes if prefix in COUNTRY_BY_CODE), "1")


def country_of(digits: str) -> str:
    """The country of the calling code."""
    return COUNTRY_BY_CODE[calling_code(digits)]


def international(text: str, home_country: str) -> str:
    """Adds the sender's country code to a short number without a plus sign."""
    digits = digits_of(text)
    if text.strip().startswith("+") or len(digits) > 10:
        return digits
    return CODE_BY_COUNTRY[home_country] + digits.lstrip("0")


def canonical(digits: str) -> str:
    """Returns Meta's form: Mexico without its old 1, Argentina with its 9, most of Brazil without the ninth digit."""
    if digits.startswith("521") and len(digits) == 13:
        return "52" + digits[3:]
    if digits.startswith("54") and len(digits) == 12:
        return "549" + digits[2:]
    if digits.startswith("55") and len(digits) == 13 and int(digits[2:4]) > 30:
        return digits[:4] + digits[5:]
    return digits


def readable(digits: str) -> str:
    """The number in groups."""
    code = calling_code(digits)
    rest = digits[len(code) :]
    if code == "1" and len(rest) == 10:
        return f"+1 {rest[:3]}-{rest[3:6]}-{rest[6:]}"
    groups = [rest[start : start + 3] for start in range(0, len(rest) - 1, 3)]
    return f"+{code} {' '.join(groups)}{rest[len(''.join(groups)) :]}"
