"""Fields of forms for amounts of money. What is typed as a decimal becomes whole micro-units."""

from __future__ import annotations

import re
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from wtforms import StringField
from wtforms.validators import DataRequired, ValidationError

from app.billing.money import micros_of
from app.team.forms import Form, one_line

# “1,500” is a thousand and a half to one reader and one and a half to the next.
_GROUPED = re.compile(r"[1-9]\d{0,2}(?:\.\d{3})+(?:\.\d{1,2})?", re.ASCII)


class AmountField(StringField):
    """An amount such as 12.50; `micros` is what was typed, None where nothing was."""

    micros: int | None = None

    def __init__(self, label: str, checks: Any = (), **options: Any) -> None:
        super().__init__(label, checks, filters=[one_line], **options)
        self.render_kw = {"inputmode": "decimal", "autocomplete": "off", "maxlength": "20"}

    def pre_validate(self, _form: Form) -> None:
        typed = (self.data or "").replace(",", ".")
        if _GROUPED.fullmatch(typed):
            raise ValidationError(gettext("Enter thousands without a separator, such as 1500 or 1500.00."))
        self.micros = micros_of(typed)
        if typed and self.micros is None:
            raise ValidationError(gettext("Enter an amount such as 12.50."))


def refuse_nothing(_form: Form, field: AmountField) -> None:
    if not field.micros:
        raise ValidationError(gettext("Enter an amount above zero."))


def amount_field(label: str) -> AmountField:
    return AmountField(label, [DataRequired(_("Enter an amount such as 12.50.")), refuse_nothing])
