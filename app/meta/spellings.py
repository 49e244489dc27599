"""Numbers that WhatsApp writes in two ways: with and without the digit that a country put before its mobile numbers."""

from __future__ import annotations

from collections.abc import Iterator

# Argentina: 54 and ten digits, or 549. Mexico: 52 and ten digits, or 521. The digit says no more than "a mobile".
MOBILE_DIGITS = {"54": "9", "52": "1"}
NATIONAL_DIGITS = 10
RESPELT = ("55", *MOBILE_DIGITS)


def other_spellings(wa_id: str) -> Iterator[str]:
    """The other ways in which the same number may be written. Most numbers have none."""
    country = wa_id[:2]
    if country == "55":
        yield from brazilian(wa_id)
    elif digit := MOBILE_DIGITS.get(country):
        national = wa_id[2:]
        if len(national) == NATIONAL_DIGITS:
            yield f"{country}{digit}{national}"
        elif len(national) == NATIONAL_DIGITS + 1 and national.startswith(digit):
            yield f"{country}{national[1:]}"


def brazilian(wa_id: str) -> Iterator[str]:
    """55, two digits of the area, then eight digits, since 2012 with a 9 in front. Fixed lines begin with 2 to 5."""
    area, number = wa_id[2:4], wa_id[4:]
    if len(number) == 8 and number[0] in "6789":
        yield f"55{area}9{number}"
    elif len(number) == 9 and number[0] == "9" and number[1] in "6789":
        yield f"55{area}{number[1:]}"
