"""Prices as people and programs write them, and as people read them. Stored in micro-units of a currency."""

from __future__ import annotations

import math
import re
import unicodedata
from decimal import Decimal

from babel import Locale, UnknownLocaleError
from babel.numbers import format_decimal, list_currencies
from flask_babel import get_locale, ngettext

from app.billing.money import MICROS
from app.contacts.refusals import Refusal
from app.folding import fold
from app.words import N_

LONGEST = 60
# Of the currency; a price above is a mistake of typing.
MOST = 10**12
CURRENCIES = frozenset(list_currencies())
# What people write instead of a code. A franc CFA is that of West Africa unless the code says otherwise.
WORDS = {
    **dict.fromkeys(("fcfa", "f cfa", "cfa", "franc cfa", "francs cfa", "frs cfa", "فرنك", "فرنك افريقي"), "XOF"),
    **dict.fromkeys(("€", "euro", "euros", "eur", "يورو"), "EUR"),
    **dict.fromkeys(("$", "us$", "usd", "dollar", "dollars", "دولار"), "USD"),
    **dict.fromkeys(("£", "gbp", "pound", "pounds"), "GBP"),
    **dict.fromkeys(("dirham", "dirhams", "د.ا", "درهم"), "AED"),
    **dict.fromkeys(("dh", "dhs", "mad"), "MAD"),
    **dict.fromkeys(("₦", "naira"), "NGN"),
    **dict.fromkeys(("r$", "reais"), "BRL"),
    **dict.fromkeys(("₹", "rs", "rupees"), "INR"),
    **dict.fromkeys(("ريال", "sar", "sr"), "SAR"),
}
# Digits of other scripts are folded to these; a sign may be before or after the currency.
AMOUNT = re.compile(r"[-−]?[0-9][0-9 .,'٬٫_]*")
NO_AMOUNT = N_("“{value}” isn't a price. Write a number, such as 500,000.")
AMBIGUOUS = N_("“{value}” is not clear: use either a full stop or a comma for the decimals.")


def read_currency(written: str) -> str:
    """The code of a currency. Raises `Refusal`."""
    words = fold(written[:LONGEST]).strip(". ")
    code = WORDS.get(words) or words.upper()
    if code not in CURRENCIES:
        raise Refusal(N_("“{value}” isn't a currency. Use a code such as XOF or EUR."), value=written[:LONGEST])
    return code


def read_price(written: str, currency: str = "") -> tuple[int, str]:
    """Micro-units and currency of a price; the currency beside the number wins. Raises `Refusal`.

    `500 000 FCFA`, `1.200.000`, `€ 1,250.50`, `٥٠٠٬٠٠٠`. One mark with three digits behind it separates thousands.
    """
    shown = written.strip()[:LONGEST]
    folded = fold(shown.replace("٬", ",").replace("٫", "."))
    match = AMOUNT.search(folded)
    if match is None or len(written.strip()) > LONGEST:
        raise Refusal(NO_AMOUNT, value=shown)
    beside = " ".join((folded[: match.start()] + " " + folded[match.end() :]).split())
    if any(map(str.isdigit, beside)):
        raise Refusal(NO_AMOUNT, value=shown)
    code = read_currency(beside) if beside else currency
    if not code:
        raise Refusal(N_("The currency of “{value}” is missing. Add it, such as XOF or EUR."), value=shown)
    micros = int(decimal_of(match[0], shown) * MICROS)
    return checked_price(micros, shown), code


def checked_price(micros: int, shown: str) -> int:
    """Raises `Refusal` for what is no price of anything."""
    if micros < 0:
        raise Refusal(N_("The price “{value}” is below zero."), value=shown)
    if micros == 0:
        raise Refusal(N_("The price is 0. Leave it empty where it is on request."))
    if micros >= MOST * MICROS:
        raise Refusal(N_("The price “{value}” is too large."), value=shown)
    return micros


def decimal_of(digits: str, shown: str) -> Decimal:
    """A number with its marks of thousands and decimals."""
    plain = digits.replace("−", "-").replace(" ", "").replace("'", "").replace("_", "").rstrip(".,")
    marks = [mark for mark in plain if mark in ".,"]
    if len(set(marks)) == 2:
        last = marks[-1]
        thousands = "," if last == "." else "."
        if marks.count(last) > 1 or not are_groups(plain.partition(last)[0].split(thousands)):
            raise Refusal(AMBIGUOUS, value=shown)
        plain = plain.replace(thousands, "").replace(last, ".")
    elif marks:
        head, _mark, tail = plain.rpartition(marks[0])
        is_thousands = len(marks) > 1 or (len(tail) == 3 and head.lstrip("-") != "0")
        if len(marks) > 1 and not are_groups(plain.split(marks[0])):
            raise Refusal(AMBIGUOUS, value=shown)
        plain = plain.replace(marks[0], "" if is_thousands else ".")
    if len(plain.partition(".")[0]) > 18 or len(plain.partition(".")[2]) > 6:
        raise Refusal(N_("The price “{value}” is too large."), value=shown)
    return Decimal(plain)


def are_groups(parts: list[str]) -> bool:
    """Whether these are digits in groups: 1,200,000 or, as in India, 12,00,000."""
    return len(parts[-1]) == 3 and all(len(part) in (2, 3) for part in parts[1:])


def read_number(written: str, most: int) -> float | None:
    """Rooms or an area: `120`, `85,5`, `٣`. None for what is no such number."""
    folded = fold(written[:LONGEST].replace("٫", ".").replace("٬", "")).replace(",", ".").replace(" ", "")
    folded = re.sub(r"(?:m2|m²|sqm|qm)$", "", unicodedata.normalize("NFKC", folded))
    if not re.fullmatch(r"\d{1,9}(?:\.\d{1,4})?", folded, re.ASCII):
        return None
    number = float(folded)
    return number if number <= most else None


def price_words(micros: int | None, currency: str | None, language: str = "") -> str:
    """`500,000 XOF`, as a language writes numbers; empty where there is no price."""
    if micros is None:
        return ""
    amount = Decimal(micros).scaleb(-6)
    shape = "#,##0" if amount == amount.to_integral() else "#,##0.00"
    number = format_decimal(amount, format=shape, locale=locale_of(language))
    return f"{number} {currency}"


def number_words(number: float | None, language: str = "") -> str:
    return "" if number is None else str(format_decimal(number, format="#,##0.##", locale=locale_of(language)))


def rooms_words(rooms: str, last: float) -> str:
    """“3 – 5 rooms”, of `3 – 5`: the last number decides the noun."""
    return str(ngettext("%(rooms)s room", "%(rooms)s rooms", math.ceil(last), rooms=rooms))


def locale_of(language: str) -> Locale:
    try:
        return Locale.parse(language) if language else get_locale() or Locale("en")
    except (UnknownLocaleError, ValueError):
        return Locale("en")


def typed_price(micros: int | None) -> str:
    """As a form shows it to be changed: `500000`, `1250.5`."""
    return "" if micros is None else f"{Decimal(micros).scaleb(-6).normalize():f}"
