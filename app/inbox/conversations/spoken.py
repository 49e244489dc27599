"""In which language a customer writes, and which one their number suggests where they have written too little."""

from __future__ import annotations

from typing import Any

import phonenumbers
from sqlalchemy.orm import Mapped

from app.languages import language_of_region, main_language


class Spoken:
    """`language` is the code of what the customer last wrote that was surely in one, or of the page they came from."""

    language: Mapped[str | None]

    contact: Any

    @property
    def customer_language(self) -> str:
        """As the customer writes, else of the country of their number; "" where that is hidden or unknown."""
        return main_language(self.language) if self.language else self.language_of_number

    @property
    def language_of_number(self) -> str:
        try:
            wa_id = self.contact.identity("wa_id") or ""
            region = phonenumbers.region_code_for_number(phonenumbers.parse(f"+{wa_id}"))
        except phonenumbers.NumberParseException:
            return ""
        return language_of_region(region or "")
