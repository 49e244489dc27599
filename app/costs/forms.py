from __future__ import annotations

from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from wtforms import SelectChoice, SelectField, StringField
from wtforms.validators import Length, ValidationError

from app.billing.tax import SHAPES, country_of, normal
from app.contacts import countries
from app.team.forms import Form, one_line


def text_field(label: str, most: int) -> StringField:
    return StringField(label, [Length(max=most)], filters=[one_line], render_kw={"maxlength": str(most)})


class BillingDetailsForm(Form):
    company = text_field(_("Company"), 120)
    address = text_field(_("Address"), 200)
    country = SelectField(_("Country"))
    vat_id = text_field(_("VAT id"), 30)

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.country.choices = [SelectChoice("", gettext("Choose a country"))]
        self.country.choices += [SelectChoice(code, name) for code, name in countries.choices()]

    def validate_vat_id(self, field: StringField) -> None:
        """By its shape: whether it is registered is not looked up."""
        field.data = normal(field.data or "")
        if field.data and self.country.data in SHAPES and country_of(field.data) != self.country.data:
            raise ValidationError(gettext("This isn't a VAT id of this country. It begins with two letters."))
