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
    return [(code, f"{name} (+{phonenumbers.country_code_for_region(code)})") for code, name in named(locale)]


def names() -> list[tuple[str, str]]:
    """(ISO 3166, “Germany”) in the order of the reader's alphabet, where no phone number is asked for."""
    return named(str(get_locale() or "en"))


def named(locale: str) -> list[tuple[str, str]]:
    territories = Locale.parse(locale).territories
    countries = [(code, territories.get(code, code)) for code in sorted(phonenumbers.SUPPORTED_REGIONS)]
    return sorted(countries, key=lambda each: each[1])


def name_of(code: str) -> str:
    """The name of a country in the reader's language; the code itself where it has none."""
    return str(Locale.parse(str(get_locale() or "en")).territories.get(code, code))


def is_country(code: object) -> bool:
    return code in phonenumbers.SUPPORTED_REGIONS


def example_of(code: str) -> str:
    """The digits of some number in a country; "" where there is no such country."""
    number = phonenumbers.example_number(code)
    return f"{number.country_code}{number.national_number}" if number else ""


def country_of(wa_id: str) -> str:
    """The name of the country that a number belongs to, in the reader's language; "" where it belongs to none."""
    return name_of(code_of(f"+{wa_id}"))


def code_of(number: str) -> str:
    """The ISO 3166 code of the country of a number with its calling code; "" where it belongs to none."""
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(number)) or ""
    except phonenumbers.NumberParseException:
        return ""
