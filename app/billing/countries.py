"""The country of a customer, as Meta's figures count it."""

from __future__ import annotations

import functools

import phonenumbers

# So many digits decide between countries that share a calling code, as the United States and Canada do.
DECIDING = 7


def country_of(number: str | None, bsuid: str | None = None) -> str:
    """ISO 3166; by the number, or by the beginning of the business-scoped id (`US.1349`). "" where neither says."""
    if number and number.isdecimal():
        return of_beginning(number[:DECIDING]) or of_number(number)
    start, dot, _ = (bsuid or "").partition(".")
    return start if dot and start in phonenumbers.SUPPORTED_REGIONS else ""


@functools.lru_cache(maxsize=4096)
def of_beginning(digits: str) -> str:
    """Of a calling code that one country has; "" where several share it."""
    for length in (1, 2, 3):
        regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(digits[:length] or 0), ())
        if len(regions) == 1 and regions[0] in phonenumbers.SUPPORTED_REGIONS:
            return str(regions[0])
    return ""


@functools.lru_cache(maxsize=65_536)
def of_number(number: str) -> str:
    """Of one of several countries with the same calling code; the largest where no plan of numbers decides."""
    try:
        parsed = phonenumbers.parse(f"+{number}")
    except phonenumbers.NumberParseException:
        return ""
    region = phonenumbers.region_code_for_number(parsed)
    main = phonenumbers.region_code_for_country_code(parsed.country_code or 0)
    return str(region or (main if main in phonenumbers.SUPPORTED_REGIONS else ""))
