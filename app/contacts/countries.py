"""Countries and their calling codes, in the reader's language."""

from __future__ import annotations

import functools

import phonenumbers
from babel import Locale
from flask_babel import get_locale


def choices() -> list[tuple[str, str]]:
    """(ISO 3166, “Germany (+49)”) in the order of the reader's alphabet."""
    return listed(str(get_locale() or "en"))


@functools.cache
def listed(locale: str) -> list[tuple[str, str]]:
    names = Locale.parse(locale).territories
    regions = sorted(phonenumbers.SUPPORTED_REGIONS)
    found = [(code, f"{names.get(code, code)} (+{phonenumbers.country_code_for_region(code)})") for code in regions]
    return sorted(found, key=lambda each: each[1])


def is_country(code: object) -> bool:
    return code in phonenumbers.SUPPORTED_REGIONS
