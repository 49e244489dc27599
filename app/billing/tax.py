"""Value added tax on what the platform charges: who owes it, and the shape of VAT ids."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Members of the European Union, and what follows the prefix in their VAT ids (European Commission, VIES). Greece's
# prefix is EL.
SHAPES = {
    "AT": r"U\d{8}",
    "BE": r"[01]\d{9}",
    "BG": r"\d{9,10}",
    "CY": r"\d{8}[A-Z]",
    "CZ": r"\d{8,10}",
    "DE": r"\d{9}",
    "DK": r"\d{8}",
    "EE": r"\d{9}",
    "ES": r"[A-Z0-9]\d{7}[A-Z0-9]",
    "FI": r"\d{8}",
    "FR": r"[A-Z0-9]{2}\d{9}",
    "GR": r"\d{9}",
    "HR": r"\d{11}",
    "HU": r"\d{8}",
    "IE": r"\d[A-Z0-9+*]\d{5}[A-Z]{1,2}",
    "IT": r"\d{11}",
    "LT": r"(\d{9}|\d{12})",
    "LU": r"\d{8}",
    "LV": r"\d{11}",
    "MT": r"\d{8}",
    "NL": r"\d{9}B\d{2}",
    "PL": r"\d{10}",
    "PT": r"\d{9}",
    "RO": r"\d{2,10}",
    "SE": r"\d{12}",
    "SI": r"\d{8}",
    "SK": r"\d{10}",
}
PREFIXES = {"EL": "GR"}
NOTES = ("", "reverse_charge", "outside")


def normal(vat_id: str) -> str:
    return re.sub(r"[\s.\-]", "", vat_id).upper()


def country_of(vat_id: str) -> str:
    """The country of an id of a member of the European Union; "" for one that has not the shape of such an id."""
    prefix, rest = vat_id[:2], vat_id[2:]
    country = PREFIXES.get(prefix, prefix)
    is_right = country in SHAPES and (prefix != "GR") and re.fullmatch(SHAPES[country], rest, re.ASCII)
    return country if is_right else ""


@dataclass(frozen=True, slots=True)
class Tax:
    """The rate in hundredths of a percent, and why there is none (one of NOTES)."""

    rate: int
    note: str = ""

    @classmethod
    def between(cls, seller_vat_id: str, rate: int, *, country: str, vat_id: str) -> Tax:
        """Between the platform and a business. Without a VAT id of its own the platform charges no tax.

        A business elsewhere in the Union with a VAT id owes the tax itself; one outside of it is not taxed here. Where
        its country is unknown it is taxed like one at home.
        """
        home = country_of(normal(seller_vat_id))
        if not home:
            return cls(0)
        if country in ("", home):
            return cls(rate)
        if country not in SHAPES:
            return cls(0, "outside")
        return cls(0, "reverse_charge") if country_of(normal(vat_id)) == country else cls(rate)
